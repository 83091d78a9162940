"""Examples in and out of files."""

import json

import pytest

from bot.domain.exchange import BadLine, read_examples, write_csv, write_jsonl, write_openai
from bot.domain.learning import Example, Side, Source
from tests.samples import NOW, TASK


def read(*lines: str) -> list[Example | BadLine]:
    return list(read_examples([f"{line}\n" for line in lines], TASK, NOW))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{broken", "not JSON"),
        ("[1, 2]", "not an object"),
        ('{"text": "", "label": "billing"}', "text is missing"),
        ('{"text": "x"}', "label is missing"),
        ('{"text": "x", "label": "biling"}', "unknown label 'biling'; labels are billing, delivery, it, triage"),
        ('{"text": 3, "label": "billing"}', "text must be text"),
        ('{"text": "x", "label": "billing", "split": "dev"}', "unknown split"),
        ('{"text": "x", "label": "billing", "at": "yesterday"}', "ISO 8601"),
        ('{"messages": [{"role": "user", "content": "x"}]}', "a user and an assistant"),
    ],
)
def test_a_bad_line_says_its_number_and_what_is_wrong(line: str, problem: str) -> None:
    good, bad = read('{"text": "refund", "label": "billing"}', line)
    assert isinstance(good, Example)
    assert isinstance(bad, BadLine)
    assert bad.number == 2
    assert problem in bad.problem


def test_a_split_is_honoured_and_a_missing_one_follows_from_the_text() -> None:
    train, test, none = read(
        '{"text": "a b", "label": "it", "split": "train"}',
        '{"text": "a b", "label": "it", "split": "test"}',
        '{"text": "a b", "label": "it"}',
    )
    assert isinstance(train, Example)
    assert isinstance(test, Example)
    assert isinstance(none, Example)
    assert (train.side, test.side) == (Side.TRAIN, Side.HELD_OUT)
    assert none.side in (train.side, test.side)


def test_csv_with_line_breaks_and_a_byte_order_mark() -> None:
    first, second = read("\ufefftext,label", '"two', "", 'lines, quoted",it', "", "plain,billing")
    assert isinstance(first, Example)
    assert first.text == "two\n\nlines, quoted"
    assert isinstance(second, Example)
    assert second.label == "billing"


def test_csv_names_the_line_with_too_many_fields() -> None:
    [bad] = read("text,label", "a,b,c")
    assert str(bad) == "line 2: 3 fields where the header has 2"


def test_something_else_altogether_is_said_once() -> None:
    [bad] = read("<html>", "<body>")
    assert "neither JSON lines nor a CSV" in str(bad)


def test_chat_lines_of_openai_are_read() -> None:
    turns = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "it"},
    ]
    [example] = read(json.dumps({"messages": turns}))
    assert isinstance(example, Example)
    assert (example.text, example.label) == ("u", "it")


def test_an_empty_file_has_no_examples() -> None:
    assert read() == []


def test_what_is_written_is_read_back() -> None:
    examples = [
        Example('quote " comma, and\nbreak', "it", Source.IMPORT, Side.TRAIN, NOW),
        Example("кириллица 🙂", "billing", Source.IMPORT, Side.HELD_OUT, NOW),
    ]
    assert list(read_examples(write_jsonl(examples), TASK, NOW)) == examples
    csv_lines = "\n".join(write_csv(examples)).splitlines(keepends=True)
    assert list(read_examples(csv_lines, TASK, NOW)) == examples
    back = list(read_examples(write_openai(examples, TASK), TASK, NOW))
    assert [(e.text, e.label) for e in back if isinstance(e, Example)] == [(e.text, e.label) for e in examples]
