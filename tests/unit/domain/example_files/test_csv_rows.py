"""CSV as people and programs write it."""

import pytest

from bot.domain.errors import UsageError
from bot.domain.example_files.reading import ReadOptions
from tests.unit.domain.example_files.readers import only, pairs, problems, read


def test_line_breaks_in_quotes_and_a_byte_order_mark() -> None:
    contents = read('\ufefftext,label\n"two\n\nlines, quoted",it\n\nplain,billing\n')
    assert pairs(contents) == [("two\n\nlines, quoted", "it"), ("plain", "billing")]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_separator_and_line_end(separator: str, end: str) -> None:
    file = end.join(separator.join(cells) for cells in [("Text", "LABEL"), ("where is it?", "delivery"), ("x", "it")])
    assert pairs(read(file)) == [("where is it?", "delivery"), ("x", "it")]


def test_a_semicolon_file_whose_texts_have_commas() -> None:
    assert pairs(read("text;label\nhello, you, there;it\n")) == [("hello, you, there", "it")]


def test_excel_may_name_the_separator() -> None:
    assert pairs(read("sep=|\ntext|label\na;b,c|it\n")) == [("a;b,c", "it")]
    assert read("sep=|\n").examples == []


def test_empty_rows_and_columns_at_the_end() -> None:
    assert pairs(read("text,label,,\na,it,,\n,,,\n,,,\n \n")) == [("a", "it")]
    assert pairs(read("text,label,notes\na,it\n")) == [("a", "it")]  # Excel leaves out empty cells at the end


def test_a_row_with_too_many_cells_is_named() -> None:
    contents = read("text,label\na,b,c\n")
    assert problems(contents) == [
        "line 2: 3 fields where the header has 2; a text with a comma in it belongs in quotes"
    ]


SIX = ["text,label", "one,it", "two,it", "three,it", "four,it", "five,it", "six,it"]


def test_a_stray_quote_costs_its_own_row() -> None:
    rows = [*SIX[:3], '"three,it', *SIX[4:]]
    contents = read("\n".join(rows))
    assert problems(contents) == [
        'line 4: a quote (") is out of place here; read on, it would take 3 more lines along;'
        " write it twice inside a quoted text, or take it away"
    ]
    assert [text for text, _ in pairs(contents)] == ["one", "two", "four", "five", "six"]


def test_a_stray_quote_that_a_later_one_closes_costs_its_own_row() -> None:
    contents = read("\n".join([*SIX[:3], '"three,it', "four,it", '"five, too",it', "six,it"]))
    assert [problem.partition(":")[0] for problem in problems(contents)] == ["line 4"]
    assert "2 more lines" in problems(contents)[0]
    assert [text for text, _ in pairs(contents)] == ["one", "two", "four", "five, too", "six"]


def test_a_stray_quote_that_is_closed_as_if_it_were_none_costs_its_own_row() -> None:
    contents = read("\n".join([*SIX[:3], '"three,it', "four,it", 'five",it', "six,it"]))
    assert [problem.partition(":")[0] for problem in problems(contents)] == ["line 4", "line 6"]
    assert [text for text, _ in pairs(contents)] == ["one", "two", "four", "six"]


def test_two_stray_quotes_cost_two_rows() -> None:
    contents = read("\n".join([*SIX[:2], '"two,it', "three,it", "four,it", '"five,it', "six,it"]))
    assert [problem.partition(":")[0] for problem in problems(contents)] == ["line 3", "line 6"]
    assert [text for text, _ in pairs(contents)] == ["one", "three", "four", "six"]


def test_a_quote_inside_a_text_is_no_stray_one() -> None:
    assert pairs(read('text,label\na 5" pipe leaks,it\n')) == [('a 5" pipe leaks', "it")]


def test_quotes_inside_quotes_twice_or_with_a_backslash() -> None:
    assert only(read('text,label\n"he said ""hi"", twice",it\n')).text == 'he said "hi", twice'
    assert only(read('text,label\n"he said \\"hi\\", twice",it\n')).text == 'he said "hi", twice'
    assert only(read('text,label\n"in C:\\dir\\",it\n')).text == "in C:\\dir\\"


def test_a_multi_line_record_with_too_many_cells_is_one_complaint() -> None:
    contents = read('text,label\n"one\ntwo",it,extra\nfine,it\n')
    assert [problem.partition(":")[0] for problem in problems(contents)] == ["line 2"]
    assert pairs(contents) == [("fine", "it")]


def test_a_text_as_long_as_they_come() -> None:
    contents = read(f'text,label\n"{"long " * 60_000}",it\n')
    assert len(only(contents).text) <= 40_000
    assert "1 text held more than 40000 characters and were cut: line 2" in contents.said


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_helpdesk_columns_are_recognised(separator: str) -> None:
    names = ["Number", "Short description", "Description", "Assignment Group", "Opened by"]
    row = ["INC001", "VPN", "cannot connect", "IT", "Ann"]
    contents = read("\n".join(separator.join(cells) for cells in (names, row)))
    assert pairs(contents) == [("VPN\ncannot connect", "it")]
    assert (
        "the text is read from 'Short description' and 'Description', the label from 'Assignment Group'"
        in contents.said
    )


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("subject,description,assignment_group", ("S", "D", "it")),
        ("Assunto,Descrição,Equipe", ("S", "D", "it")),
        ("asunto,descripción,equipo", ("S", "D", "it")),
        ("Ticket subject,Ticket description,Group", ("S", "D", "it")),
    ],
)
def test_a_headline_and_a_body_are_one_text(header: str, cells: tuple[str, ...]) -> None:
    assert only(read(f"{header}\n{','.join(cells)}\n")).text == "S\nD"


@pytest.mark.parametrize("name", ["text", "message", "Body", "CONTENT", "utterance", "query", "Mensagem", "email_body"])
@pytest.mark.parametrize("label", ["label", "Category", "intent", "team", "Group", "queue", "Equipe", "Assigned team"])
def test_usual_names_are_known(name: str, label: str) -> None:
    assert only(read(f"id,{label},{name}\n7,it,hello\n")).text == "hello"


def test_a_body_that_repeats_its_headline_says_it_once() -> None:
    assert only(read("subject,body,team\nVPN down,VPN down since noon,it\n")).text == "VPN down since noon"


def test_of_several_columns_that_may_be_the_label_the_one_with_our_teams_is_it() -> None:
    assert only(read("text,category,assignment_group\nx,Software,IT\n")).label == "it"


def test_named_columns_are_read() -> None:
    options = ReadOptions(text=("betreff", "frage"), label="gruppe", mapped={"Level 1": "it"})
    assert pairs(read("gruppe;Betreff;Frage\nLevel 1;A;B\n", options)) == [("A\nB", "it")]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (ReadOptions(text=("nothing",)), "--text nothing: no such column; columns are alpha, beta"),
        (ReadOptions(text=("alpha",), label="gamma"), "--label gamma: no such column; columns are alpha, beta"),
        (
            ReadOptions(text=("alpha",)),
            "no column is called label or the like; columns are alpha, beta; name it: --label",
        ),
        (ReadOptions(), "no column is called text or the like; columns are alpha, beta; name it: --text COLUMN"),
        (ReadOptions(mapped={"Level 1": "itt"}), '--map "Level 1=itt": unknown label'),
    ],
)
def test_columns_that_nobody_can_tell_are_asked_for(options: ReadOptions, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        read("alpha,beta\nx,y\n", options)
    assert problem in str(caught.value)


def test_of_two_columns_with_one_name_the_one_that_says_something_counts() -> None:
    assert pairs(read("text,label,label\na,,it\nb,it,\n")) == [("a", "it"), ("b", "it")]


def test_a_formula_that_another_program_disarmed_is_what_it_was() -> None:
    assert pairs(read("text,label\n'=1+1,it\n'quoted',it\n")) == [("=1+1", "it"), ("'quoted'", "it")]


def test_a_title_above_the_header_is_no_header() -> None:
    file = "Tickets of November 2026;;\n\nSubject;Body;Group\nVPN;down;IT\n"
    assert pairs(read(file)) == [("VPN\ndown", "it")]


def test_spaces_after_a_separator() -> None:
    assert pairs(read('text, label\n"hello, you", it\nbye, "it"\n')) == [("hello, you", "it"), ("bye", "it")]


def test_a_file_without_a_header_is_known_by_its_labels() -> None:
    contents = read("where is it?,delivery\nVPN,it\n")
    assert pairs(contents) == [("where is it?", "delivery"), ("VPN", "it")]
    assert contents.said[0] == "the text is read from 'column 1', the label from 'column 2'"
    assert pairs(read("delivery\twhere is it?\nit\tVPN\n")) == [("where is it?", "delivery"), ("VPN", "it")]


def test_a_column_of_labels_is_one_whatever_it_is_called() -> None:
    assert pairs(read("gold,text\nit,a\nbilling,b\n")) == [("a", "it"), ("b", "billing")]


def test_every_misplaced_quote_costs_one_row() -> None:
    good = [f'"good {n}","it"' for n in range(4)]
    rows = [good[0], '"missing","it', good[1], '"extra","it""', good[2], '"mid"dle","it"', good[3]]
    contents = read("text,label\n" + "\n".join(rows) + "\n")
    assert [problem.partition(":")[0] for problem in problems(contents)] == ["line 3", "line 5", "line 7"]
    assert [text for text, _ in pairs(contents)] == ["good 0", "good 1", "good 2", "good 3"]


def test_quotes_in_a_file_with_tabs_are_signs_where_they_quote_nothing() -> None:
    file = 'text\tlabel\n"Hello" he said\tit\n"unclosed\tit\nplain\tbilling\n'
    assert pairs(read(file)) == [('"Hello" he said', "it"), ('"unclosed', "it"), ("plain", "billing")]
    assert pairs(read('text\tlabel\n"two\nlines, ""quoted"""\tit\n')) == [('two\nlines, "quoted"', "it")]


def test_the_sign_by_which_dos_ends_a_file() -> None:
    assert pairs(read("text,label\na,it\n\x1a")) == [("a", "it")]
