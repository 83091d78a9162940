"""Another system's answers: matched by text or by order; missing and unknown ones are wrong, and counted."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.domain.errors import UsageError
from bot.domain.learning import Example, Side, Source
from bot.domain.predictions import NO_ANSWER, read_predictions
from tests.samples import NOW, TASK

FIRST = Example("my invoice is wrong", "billing", Source.IMPORT, Side.HELD_OUT, NOW)
EXAMPLES = [FIRST, replace(FIRST, text="my laptop is broken", label="it"), replace(FIRST, text="where is my parcel")]


def lines(*rows: object) -> str:
    return "\n".join(json.dumps(row) for row in rows) + "\n"


def answers(written: str) -> Sequence[str]:
    return [score.answer for score in read_predictions("gpt", written, EXAMPLES, TASK).scores]


def test_texts_may_come_in_any_order_and_spelling() -> None:
    written = lines(
        {"text": "Where is my parcel?", "label": "delivery"},
        {"text": "my laptop is broken", "label": "IT"},
        {"text": "my invoice is wrong", "label": "billing"},
    )
    assert answers(written) == ["billing", "it", "delivery"]


def test_without_texts_the_files_order_counts() -> None:
    assert answers(lines({"label": "billing"}, {"label": "it"}, {"label": "delivery"})) == ["billing", "it", "delivery"]


def test_what_is_missing_or_no_label_is_wrong_and_counted_apart() -> None:
    written = lines({"text": FIRST.text, "label": "It sounds like billing!"}, {"text": EXAMPLES[1].text, "label": "it"})
    found = read_predictions("gpt", written, EXAMPLES, TASK)
    assert [score.answer for score in found.scores] == [NO_ANSWER, "it", NO_ANSWER]
    assert (found.missing, found.unknown) == (1, 1)
    assert [score.right for score in found.scores] == [False, True, False]
    some = found.of([2, 1])
    assert (some.missing, some.unknown, [score.answer for score in some.scores]) == (1, 0, [NO_ANSWER, "it"])


def test_probabilities_count_where_every_answer_has_one() -> None:
    rows = [{"label": "it", "confidence": 0.7}] * 3
    found = read_predictions("gpt", lines(*rows), EXAMPLES, TASK)
    assert found.graded and found.scores[0].probabilities == {"it": 0.7}
    assert not read_predictions("gpt", lines(*rows[:2], {"label": "it"}), EXAMPLES, TASK).graded


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("\n", "there are no predictions in it"),
        ("billing", "line 1: not JSON"),
        ("[1]", "line 1: not an object"),
        (lines({"label": 3}), "line 1: label is 3"),
        (lines({"label": "it", "text": 3}), "line 1: text is 3"),
        (lines({"label": "it", "confidence": 7}), "line 1: confidence is 7; write a probability from 0 to 1"),
        (lines({"label": "it"}), "1 prediction without a text for 3 messages"),
        (lines({"label": "it"}, {"text": FIRST.text, "label": "it"}), "line 1 has no text, though others have"),
        (lines({"text": "something else", "label": "it"}), "none of its texts is one of the messages"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_change(written: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        read_predictions("gpt", written, EXAMPLES, TASK)
    assert said in str(error.value)
