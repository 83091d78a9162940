"""Undecided conversations get a decision; a message without content gets a request for words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.canary import Canary, End, Record
from bot.domain.conversations import State, UndecidedConversation
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.hours import hours
from bot.domain.learning import Adapter
from bot.domain.memory_vote import Neighbour, Neighbours
from bot.domain.person_pace import PersonPace
from bot.domain.posts import Answer, Card, Post, Question, WordsPlease
from bot.flow.sort import Sorter
from tests.fakes import FakePredictor, fake_classifier
from tests.fakes_ledger import Concluded, FakeLedger
from tests.fakes_registry import FakeRegistry
from tests.samples import NOW, PHOTO, TASK, case, conversation, message

NOTHING = Neighbours()


def now() -> datetime:
    return NOW


async def sorted_out(of: UndecidedConversation, wordless: str = "ask", found: Neighbours = NOTHING) -> Concluded:
    ledger = FakeLedger(cases=[of])
    sorter = Sorter(TASK, ledger, fake_classifier(found), timedelta(0), timedelta(minutes=10), wordless, now)
    assert await sorter.step() == 1
    [concluded] = ledger.concluded
    return concluded


def with_photo(text: str) -> UndecidedConversation:
    return replace(case(text), messages=(replace(message(text), media=(PHOTO,)),))


async def test_a_message_is_decided_and_answered() -> None:
    result = await sorted_out(case("I was charged twice"))
    answer, card = result.contents()
    assert answer == Answer("billing", "en")
    assert isinstance(card, Card)
    assert (card.label, card.adapter) == ("billing", "routing-1")


async def test_the_card_shows_the_corrections_that_decided() -> None:
    found = Neighbours((Neighbour(1, "it", 0.97, same_text=True, text="the thing\nis broken"),))
    result = await sorted_out(case("I was charged twice"), found=found)
    card = result.contents()[-1]
    assert isinstance(card, Card)
    assert (card.label, card.by, card.remembered) == ("it", Author.MEMORY, ("the thing is broken",))


async def test_the_unsure_are_asked_once() -> None:
    [question] = (await sorted_out(case("it is broken"))).contents()
    assert isinstance(question, Question)
    assert len(question.candidates) == 3
    answer, *_ = (await sorted_out(case("it is broken", asked=True))).contents()
    assert answer == Answer("triage", "en", undecided=True)


@pytest.mark.parametrize("wordless", ["ask", "fallback"])
@pytest.mark.parametrize("text", ["hi", "thank you!", "🙂", ""])
async def test_where_nothing_is_said_or_shown_words_are_asked_for(text: str, wordless: str) -> None:
    assert (await sorted_out(case(text), wordless)).contents() == [WordsPlease("en")]


async def test_an_attachment_without_words_is_asked_about_or_looked_at_as_the_settings_say() -> None:
    assert (await sorted_out(with_photo(""), "ask")).contents() == [WordsPlease("en")]
    result = await sorted_out(with_photo("hello"), "fallback")
    assert isinstance(result.outcome, Decision)
    assert (result.outcome.label, result.outcome.reason) == ("triage", Reason.WORDLESS)
    card = result.contents()[-1]
    assert isinstance(card, Card)
    assert card.media == (PHOTO,)


async def test_a_caption_is_words() -> None:
    result = await sorted_out(with_photo("my parcel is broken"), "fallback")
    assert isinstance(result.outcome, Decision)
    assert result.outcome.label == "delivery"


async def test_a_question_nobody_answered_goes_to_the_fallback_team() -> None:
    waiting = replace(case("it is broken", asked=True, state=State.ASKED), unanswered=True, question=31)
    result = await sorted_out(waiting)
    assert isinstance(result.outcome, Decision)
    assert result.outcome.reason is Reason.NO_ANSWER
    assert result.posts[0].edits == 31


async def test_who_writes_what_nobody_here_can_read_is_told_kindly_and_a_person_gets_it() -> None:
    far = Neighbours(anchors=(Neighbour(1, "billing", 0.2),))
    result = await sorted_out(case("मेरा बिल गलत है"), found=far)
    answer, card = result.contents()
    assert answer == Answer("triage", "en", undecided=True, unread=True)
    assert isinstance(card, Card)
    assert (card.label, card.by, card.reason) == ("triage", Author.FALLBACK, Reason.UNREADABLE)


async def test_nobody_is_asked_which_team_it_is_while_none_of_them_is_there() -> None:
    closed = hours("Sun 03:00-03:01", "UTC")
    task = replace(
        TASK, labels=tuple(replace(one, hours=None if one.name == "triage" else closed) for one in TASK.labels)
    )
    ledger = FakeLedger(cases=[case("it is broken")])
    sorter = Sorter(task, ledger, fake_classifier(NOTHING), timedelta(0), timedelta(minutes=10), "ask", now)
    assert await sorter.step() == 1
    [concluded] = ledger.concluded
    answer, card = concluded.contents()
    assert answer == Answer("triage", "en", undecided=True)
    assert isinstance(card, Card)
    assert card.reason == Reason.OUT_OF_HOURS


async def test_a_decision_keeps_the_language_it_was_about() -> None:
    ledger = FakeLedger(cases=[case("I was charged twice")])
    classifier = replace(fake_classifier(NOTHING), language_of=lambda text: "en" if "charged" in text else None)
    await Sorter(TASK, ledger, classifier, timedelta(0), timedelta(minutes=10), "ask", now).step()
    [concluded] = ledger.concluded
    assert isinstance(concluded.outcome, Decision)
    assert concluded.outcome.language == "en"


async def test_who_writes_without_end_is_told_once_loses_nothing_and_keeps_nobody_waiting() -> None:
    moment = NOW
    cases = [
        replace(one := case("I was charged twice"), conversation=replace(one.conversation, id=n)) for n in range(9)
    ]
    stranger = replace(cases[0].conversation, id=77, person=replace(cases[0].conversation.person, id="somebody else"))
    ledger = FakeLedger(cases=[*cases, replace(cases[0], conversation=stranger)])
    sorter = Sorter(
        TASK,
        ledger,
        fake_classifier(NOTHING),
        timedelta(0),
        timedelta(minutes=10),
        "ask",
        lambda: moment,
        PersonPace(3),
    )
    for waiting in list(ledger.cases):
        await sorter.handle(waiting)
    answers = [content for result in ledger.concluded for content in result.contents() if isinstance(content, Answer)]
    assert [answer.many for answer in answers] == [False, False, True, False], "three of theirs, and the other's"
    moment += timedelta(seconds=61)
    for waiting in cases[3:]:  # as their claims expire
        await sorter.handle(waiting)
    assert len(ledger.concluded) == 7


@dataclass
class OneCanary:
    """A candidate on trial with half of the conversations."""

    canary_of: Canary | None

    async def canary(self, task: str, base: str) -> Canary | None:
        return self.canary_of

    async def record(self, canary: Canary, now: datetime) -> Record:
        raise NotImplementedError

    async def end(self, canary: Canary, how: End, reason: str, posts: Sequence[Post], now: datetime) -> bool:
        raise NotImplementedError


async def test_a_canary_decides_the_conversations_on_its_side_and_no_others() -> None:
    champion = Adapter("routing-1", "routing", Path("runs"), "starter", dict.fromkeys(TASK.names, "x"), 1.0, NOW)
    candidate = replace(champion, name="routing-2")
    predictor = FakePredictor()
    predictor.rules |= {"routing-1": lambda _: "billing", "routing-2": lambda _: "it"}
    canary = Canary(1, "routing", candidate, "routing-1", 0.5, NOW)
    cases = [replace(case(f"words {n}"), conversation=replace(conversation(State.NEW), id=n)) for n in range(20)]
    for on_trial in (canary, None):
        registry = FakeRegistry()
        await registry.add_adapter(replace(champion, on_trial=on_trial is not None))
        await registry.promote("routing", "routing-1", "test", "", NOW, base="starter")
        classifier = replace(fake_classifier(NOTHING, predictor), registry=registry)
        ledger = FakeLedger(cases=list(cases))
        minutes = timedelta(minutes=10)
        await Sorter(
            TASK, ledger, classifier, timedelta(0), minutes, "ask", lambda: NOW, canaries=OneCanary(canary)
        ).step()
        decided: dict[int, str] = {}
        for done in ledger.concluded:
            assert isinstance(done.of, UndecidedConversation)
            assert isinstance(done.outcome, Decision)
            decided[done.of.conversation.id] = done.outcome.label
        assert decided == {n: "it" if on_trial and canary.serves(n) else "billing" for n in range(20)}
    assert 0 < sum(canary.serves(n) for n in range(20)) < 20
