"""Every kind of post can be stored and read back, also across versions."""

import json
from datetime import UTC, datetime
from typing import get_args

import pytest

from bot.domain.messages import Media, MediaKind, MessageRef
from bot.domain.posts import (
    KINDS,
    NO,
    Answer,
    Card,
    Content,
    Continuation,
    FollowUp,
    Moved,
    Notice,
    Offer,
    Question,
    Reply,
    Sent,
    Solved,
    Split,
    What,
    WordsPlease,
    WrongTeam,
)
from bot.domain.question_posts import Alert
from bot.domain.report_posts import (
    Digest,
    LearningReport,
    ShadowCard,
    ShadowExplanation,
    TrainingProgress,
    Trial,
    Withdrawal,
)
from db.reading.codec import decode, decode_media, encode, encode_media
from tests.samples import COMPARED

SOURCE = MessageRef("web", "c", "1")
PHOTO = Media("telegram", "f1", MediaKind.PHOTO, "p.jpg", 10, "https://example.test/p")
ONE_OF_EACH: list[Content] = [
    Answer("billing", "en", remembered=True, back=datetime(2026, 3, 2, 9, 0, tzinfo=UTC)),
    Question(("billing", "access"), None, answered="access"),
    WordsPlease("pt-BR"),
    Moved("access", None),
    Card(
        7,
        "billing",
        "…",
        "Ann",
        SOURCE,
        "model",
        "unsure",
        0.5,
        None,
        (("💰", "billing"),),
        moved_to="access",
        moved_link=SOURCE,
        replaces=3,
        remembered=("like this",),
        history=(("Ann", "and"), ("Lea", "look")),
        media=(PHOTO,),
        taken_by="Lea",
        done=True,
    ),
    Continuation("and more", 12, 1, 2, "en", to_person=True),
    FollowUp("Ann", "and another thing", (PHOTO,), edited=True),
    Digest("routing", (1, 0, 3), 4, 1, 1, (("billing", "access"),), (1,), (23,), ("teams",), 2),
    COMPARED,
    LearningReport("routing", "routing-2", False, ("not proven",)),
    LearningReport("routing", "routing-1", False, (), Withdrawal("routing-2", 400, 60, 900, 50)),
    LearningReport("routing", "", False, (), unlearned="routing-3"),
    TrainingProgress("routing", "routing-3", "training", 40),
    LearningReport("routing", "routing-2", True, (), trial=Trial(0.1, 300, 20, 2_700, 200)),
    ShadowCard("routing", "routing-3", 212, 14, 11, "promoted", "Lea"),
    ShadowExplanation("routing-3", 400, 0.91, 0.9, ("not proven better",)),
    Reply("billing", "it is on its way", "en", "Lea", (PHOTO,)),
    Offer(4, "Ann", "it is on its way"),
    Sent("it is on its way", "Lea", "Ann", "blocked", 1),
    Solved("billing", None, NO),
    Split("billing", "es", SOURCE),
    WrongTeam(("billing", "access"), "access"),
    Notice(What.UNTAKEN, "billing", minutes=30),
    Alert(
        "fraud", "suspicious", "Suspicious", 0.9, "model", "billing", SOURCE, copies=True, author="Ann", excerpt="hi"
    ),
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
    _, stored = encode(FollowUp("A\x00nn", "\ud800"))
    assert (stored["author"], stored["text"]) == ("Ann", "?")


def test_what_a_card_says_keeps_its_types() -> None:
    _, stored = encode(ONE_OF_EACH[4])
    read = decode("Card", json.loads(json.dumps(stored)))
    assert isinstance(read, Card) and isinstance(read.media[0].kind, MediaKind)


def test_attachments_come_back_as_they_were() -> None:
    assert decode_media(json.loads(json.dumps(encode_media((PHOTO,))))) == (PHOTO,)
