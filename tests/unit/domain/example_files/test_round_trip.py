"""What we write is read back as the same examples, for every text."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import pytest
from hypothesis import example as case
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import UsageError
from bot.domain.example_files.formulas import armed, disarmed
from bot.domain.example_files.reading import ReadOptions
from bot.domain.example_files.writing import write_csv, write_jsonl, write_openai
from bot.domain.learning import Example, Side, Source
from bot.domain.messages import clean
from tests.samples import NOW, TASK
from tests.unit.domain.example_files.readers import pairs, problems, read

NASTY = st.text(
    st.sampled_from("\r\n\t\x00\x0b\x0c\x1c\x85\u2028\u2029\ufeff\u200b\"'`,;|=+-@\\<>&{}[] aé🙂\ud800e\u0301")
)
TEXTS = (NASTY | st.text(st.characters(), max_size=40)).map(clean).filter(bool)
EXAMPLES = st.lists(
    st.builds(
        Example,
        TEXTS,
        st.sampled_from(TASK.names),
        st.just(Source.IMPORT),
        st.sampled_from(Side),
        st.just(NOW),
    ),
    min_size=1,
    max_size=6,
)
Write = Callable[[Sequence[Example]], Iterator[str]]


def written(lines: Iterator[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def examples_of(*texts: str) -> list[Example]:
    return [Example(text, "it", Source.IMPORT, Side.TRAIN, NOW) for text in texts]


@pytest.mark.parametrize("write", [write_csv, write_jsonl])
@given(EXAMPLES)
@case(examples_of("line one\nline two", "a\rb", "a\r\nb", 'say "x"', "a,b;c\td|e"))
@case(examples_of("=1+1", "'=1+1", "''=x", "-", "@x", "'quoted'", "＝1"))
@case(
    examples_of("<p>Hello</p>", "a &amp; b", "text,label", "sep=;", '{"text": 1}', "a,it,train,2026,import\nb,it,train")
)
def test_an_export_is_read_back(write: Write, examples: list[Example]) -> None:
    contents = read(written(write(examples)))
    assert problems(contents) == []
    assert [one for _, one in contents.examples] == examples
    assert [sentence for sentence in contents.said if "U+FFFD" not in sentence] == []


@given(EXAMPLES)
def test_a_marked_csv_is_read_back(examples: list[Example]) -> None:
    contents = read("\ufeff" + written(write_csv(examples)))
    assert [one for _, one in contents.examples] == examples


@given(EXAMPLES)
def test_chat_lines_are_read_back(examples: list[Example]) -> None:
    contents = read(written(write_openai(examples, TASK)))
    assert problems(contents) == []
    assert pairs(contents) == [(one.text, one.label) for one in examples]


@given(st.text())
@case("'=x")
def test_a_disarmed_cell_is_no_formula_and_is_armed_again(cell: str) -> None:
    assert armed(disarmed(cell)) == cell
    assert not disarmed(cell).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_no_cell_of_an_export_begins_a_formula_whatever_separates_cells_where_it_is_opened() -> None:
    text = written(write_csv(examples_of("=cmd()", "hello;=cmd()", "hello\t=cmd()")))
    assert text.splitlines() == [
        "text,label,split,at,source",
        '"\'=cmd()","it","train","2026-11-23T12:00:00+00:00","import"',
        '"hello;=cmd()","it","train","2026-11-23T12:00:00+00:00","import"',
        '"hello\t=cmd()","it","train","2026-11-23T12:00:00+00:00","import"',
    ]


PIECES = [
    *b"text label split at messages examples tickets it billing 2026-01-01 null NaN 1e999 sep= =cmd ' \\".split(),
    *b', ; | : { } [ ] " "" <p> </p> <body> <![if <!-- ]]> &amp; &#99999999; &#xD800; \\ud800'.split(),
    *(b"\n", b"\r\n", b"\r", b"\t", b" ", b'\\"', b'{"text": "a", "label": "it"}', b'{"role":"user"}'),
    *(b"\xe7", b"\xc3\xa7", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\x80\x81", b"\x1b$B", b"PK\x03\x04"),
]
ENCODINGS = st.sampled_from([None, None, "utf-8", "cp1252", "utf-16", "shift_jis", "utf-7", "unicode_escape", "cp037"])


@settings(max_examples=500)
@given(st.booleans(), st.lists(st.sampled_from(PIECES), max_size=40) | st.lists(st.binary(max_size=8)), ENCODINGS)
def test_any_file_whatsoever_is_read_or_refused_in_words(
    begun: bool, pieces: list[bytes], encoding: str | None
) -> None:
    data = (b"text,label\nfine,it\n" if begun else b"") + b"".join(pieces)
    with suppress(UsageError):
        contents = read(data, ReadOptions(encoding=encoding))
        assert all(problem.startswith("line ") for problem in problems(contents))
        assert all(text == clean(text) for text, _ in pairs(contents))
