"""JSON in every shape that exports have."""

import json

import pytest

from bot.domain.errors import UsageError
from bot.domain.example_files.reading import ReadOptions
from tests.unit.domain.example_files.readers import only, pairs, problems, read

ROWS = [{"text": "a", "label": "it"}, {"text": "b", "label": "billing"}]
BOTH = [("a", "it"), ("b", "billing")]


@pytest.mark.parametrize(
    "file",
    [
        "\n".join(map(json.dumps, ROWS)),
        "\r\n".join(map(json.dumps, ROWS)),
        "\n\n  " + "\n\n".join(map(json.dumps, ROWS)),
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        "\n".join(json.dumps(row, indent=2) for row in ROWS),
        json.dumps({"tickets": ROWS, "count": 2}),
        json.dumps({"tickets": ROWS, "count": 2}, indent=1),
    ],
)
def test_every_shape_of_json(file: str) -> None:
    assert pairs(read(file)) == BOTH


def test_fields_within_fields() -> None:
    rows = [{"key": "A-1", "fields": {"summary": "VPN", "description": "down", "team": {"name": "x"}}, "team": "it"}]
    assert only(read(json.dumps(rows))).text == "VPN\ndown"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{broken", "not JSON"),
        ("[1, 2]", "not an object"),
        ("[" * 100_000, "not JSON"),
        ('{"text": "", "label": "billing"}', "text is missing"),
        ('{"text": null, "label": "billing"}', "text is missing"),
        ('{"text": "x"}', "label is missing"),
        ('{"text": "x", "label": null}', "label is missing"),
        (
            '{"text": "x", "label": "biling"}',
            "unknown label 'biling'; labels are billing, delivery, it, triage; did you",
        ),
        ('{"text": 3, "label": "billing"}', "text must be text"),
        ('{"text": ["x"], "label": "billing"}', "text must be text"),
        ('{"text": "x", "label": true}', "unknown label 'true'"),
        (
            '{"text": "x", "label": "billing", "split": "monday"}',
            "unknown split 'monday'; splits are train, valid, test",
        ),
        ('{"text": "x", "label": "billing", "at": "yesterday"}', "ISO 8601"),
        ('{"text": "x", "label": "billing", "at": 5}', "ISO 8601"),
        ('{"messages": [{"role": "user", "content": "x"}]}', "a user and an assistant"),
    ],
)
def test_a_bad_line_says_its_number_and_what_is_wrong(line: str, problem: str) -> None:
    contents = read('{"text": "refund", "label": "billing"}\n' + line + "\n")
    assert pairs(contents) == [("refund", "billing")]
    [complaint] = contents.bad
    assert complaint.number == 2
    assert problem in complaint.problem


def test_an_array_that_breaks_off_keeps_what_was_before() -> None:
    contents = read('[\n{"text": "a", "label": "it"},\n{"text": "b", "lab')
    assert pairs(contents) == [("a", "it")]
    assert problems(contents) == ["line 3: not JSON from here on; the rest of the file cannot be read"]


def test_elements_of_an_array_have_the_lines_they_begin_in() -> None:
    contents = read('[\n{"text": "a", "label": "it"},\n\n3, {"text": "b",\n "label": "its"}]')
    assert [problem.partition(":")[0] for problem in problems(contents)] == ["line 4", "line 4"]


@pytest.mark.parametrize("value", [None, 3, True, {"a": None}, [1], "", "é"])
def test_what_is_not_read_may_be_anything(value: object) -> None:
    row = {"text": "a", "label": "it", "source": value, "id": value, "metadata": value, "split": None, "at": None}
    assert pairs(read(json.dumps(row))) == [("a", "it")]


def test_a_number_may_be_mapped_to_a_label() -> None:
    file = '{"text": "a", "label": 3}\n{"text": "b", "label": 0}\n'
    assert pairs(read(file, ReadOptions(mapped={"3": "it", "0": "billing"}))) == BOTH


def test_objects_without_a_text_are_named_with_what_they_have() -> None:
    with pytest.raises(UsageError, match="columns are alpha, beta"):
        read('{"alpha": 1, "beta": 2}\n{"alpha": 1, "beta": 2}\n')


def test_a_comma_at_the_end_of_a_line() -> None:
    assert pairs(read('{"text": "a", "label": "it"},\n{"text": "b", "label": "billing"},\n')) == BOTH


def test_a_row_that_holds_a_list_is_still_a_row() -> None:
    assert pairs(read('{"message": "a", "label": "it", "attachments": [{"message": "no"}]}')) == [("a", "it")]
    assert pairs(read('{"message": "a", "label": "it", "examples": ["no"]}')) == [("a", "it")]


def test_a_long_answer_that_is_no_label_is_cut_in_what_is_said() -> None:
    contents = read(json.dumps({"text": "a", "label": "word " * 900}))
    assert len(problems(contents)[0]) < 200


def test_intents_that_list_their_texts() -> None:
    intents = [
        {"tag": "it", "patterns": ["a", "b"], "responses": ["r", "s"]},
        {"tag": "billing", "patterns": ["c"], "responses": []},
    ]
    expected = [("a", "it"), ("b", "it"), ("c", "billing")]
    assert pairs(read(json.dumps({"intents": intents}))) == expected
    assert pairs(read(json.dumps(intents, indent=1))) == expected
    assert pairs(read("\n".join(map(json.dumps, intents)))) == expected
    assert pairs(read(json.dumps({"it": ["a", "b"], "billing": ["c"]}, indent=2))) == expected


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1066-10-14"])
def test_a_time_that_a_database_cannot_give_back_is_refused(at: str) -> None:
    contents = read(json.dumps({"text": "a", "label": "it", "at": at}))
    assert problems(contents) == [f"line 1: at must be a time of the years 1900 to 2999, not {at!r}"]


def test_what_python_printed_is_read_as_json_would_have_it() -> None:
    lines = ["{'text': 'a', 'label': 'it', 1: {2: None}}", "{'messages': {0: None}}", "{'text': 'b', 'label': ('it',)}"]
    contents = read("\n".join(lines))
    assert pairs(contents) == [("a", "it"), ("b", "it")]
    assert problems(contents) == ["line 2: text is missing or empty"]


@pytest.mark.parametrize("odd", ["{'it'}", "b'it'", "{(1, 2): 3}", "1j", "..."])
def test_what_python_alone_can_say_is_no_json(odd: str) -> None:
    contents = read(f"{{'text': 'a', 'label': 'it'}}\n{{'text': 'b', 'label': 'it', 'x': {odd}}}\n")
    assert pairs(contents) == [("a", "it")]
    assert [problem.partition(" (")[0] for problem in problems(contents)] == ["line 2: not JSON"]
