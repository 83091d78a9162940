"""Chat fine-tuning lines."""

import json

import pytest

from tests.unit.domain.example_files.readers import only, pairs, problems, read

Turn = dict[str, object]


def turn(role: str, content: object, **more: object) -> Turn:
    return {"role": role, "content": content, **more}


def line(*turns: Turn) -> str:
    return json.dumps({"messages": turns})


def test_the_person_said_it_and_the_answer_is_the_label() -> None:
    example = only(read(line(turn("system", "s"), turn("user", "u"), turn("assistant", "it"))))
    assert (example.text, example.label) == ("u", "it")


def test_a_dialogue_is_all_that_the_person_said() -> None:
    dialogue = line(
        turn("system", "You route."),
        turn("user", "Where is my parcel?"),
        turn("assistant", "What is the number?", weight=0),
        turn("user", "4711"),
        turn("assistant", "delivery", weight=1),
        turn("user", "thanks"),
    )
    assert pairs(read(dialogue)) == [("Where is my parcel?\n4711", "delivery")]


def test_an_answer_that_is_not_to_be_learned_is_not() -> None:
    unlearned = line(turn("user", "a"), turn("assistant", "it", weight=0))
    replaced = line(turn("user", "b"), turn("assistant", "billing"), turn("assistant", "it", weight=0))
    contents = read(f"{unlearned}\n{replaced}\n")
    assert pairs(contents) == [("b", "billing")]
    assert [(one.number, one.reason) for one in contents.left_out] == [
        (1, "no answer in it is to be learned (weight 0)")
    ]
    assert problems(contents) == []


@pytest.mark.parametrize("weight", [None, 1, 1.0, True])
def test_a_weight_that_says_learn(weight: object) -> None:
    assert only(read(line(turn("user", "a"), turn("assistant", "it", weight=weight)))).label == "it"


def test_a_weight_that_is_none_is_refused() -> None:
    contents = read(line(turn("user", "a"), turn("assistant", "it", weight="half")))
    assert problems(contents) == ["line 1: weight must be 0 or 1, not 'half'"]


def test_content_in_parts_tools_and_other_roles() -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}
    parts = [{"type": "text", "text": "my screen"}, picture, {"type": "text", "text": "is black"}]
    dialogue = line(
        turn("developer", "d"),
        turn("user", parts),
        turn("assistant", None, tool_calls=[]),
        turn("tool", "{}"),
        turn("assistant", [{"type": "text", "text": "IT"}]),
    )
    assert pairs(read(dialogue)) == [("my screen\nis black", "it")]


def test_an_opening_of_the_assistant_is_no_answer() -> None:
    assert pairs(read(line(turn("assistant", "Hello!"), turn("user", "a"), turn("assistant", "it")))) == [("a", "it")]


def test_conversations_of_others() -> None:
    turns = [{"from": "human", "value": "a"}, {"from": "gpt", "value": "it"}]
    assert pairs(read(json.dumps({"conversations": turns}))) == [("a", "it")]


def test_prompt_and_completion() -> None:
    assert pairs(read('{"prompt": "a", "completion": " it"}\n')) == [("a", "it")]


def test_markup_in_a_chat_is_what_somebody_wrote() -> None:
    assert only(read(line(turn("user", "my <b>bold</b> text"), turn("assistant", "it")))).text == "my <b>bold</b> text"
