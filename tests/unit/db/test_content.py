"""Every kind of post survives being stored, also across versions."""

import json
from typing import get_args

import pytest

from bot.domain.messages import MessageRef
from bot.domain.posts import (
    KINDS,
    Answer,
    Card,
    Content,
    FollowUp,
    LearningReport,
    Moved,
    Question,
    WordsPlease,
)
from db.content import decode, encode

ONE_OF_EACH: list[Content] = [
    Answer("billing", "en", remembered=True),
    Question(("billing", "access"), None, answered="access"),
    WordsPlease("pt-BR"),
    Moved("access", None),
    Card(7, "billing", "…", "Ann", MessageRef("web", "c", "1"), "model", "unsure", 0.5, None, (("💰", "billing"),)),
    FollowUp("Ann", "and another thing"),
    LearningReport("routing", "routing-2", False, ("not proven",)),
]


@pytest.mark.parametrize("content", ONE_OF_EACH, ids=lambda content: type(content).__name__)
def test_it_comes_back_as_it_was(content: Content) -> None:
    kind, stored = encode(content)
    assert decode(kind, json.loads(json.dumps(stored))) == content


def test_no_kind_is_forgotten() -> None:
    assert {type(content) for content in ONE_OF_EACH} == set(KINDS.values()) == set(get_args(Content))


def test_a_field_of_a_newer_version_falls_away() -> None:
    assert decode("Answer", {"label": "billing", "language": "en", "colour": "red"}) == Answer("billing", "en")


def test_a_field_that_an_older_version_lacked_takes_its_default() -> None:
    assert decode("Question", {"candidates": ["a"], "language": None}) == Question(("a",), None)


def test_what_jsonb_cannot_hold_is_cleaned() -> None:
    assert encode(FollowUp("A\x00nn", "\ud800")) == ("FollowUp", {"author": "Ann", "text": "?"})
