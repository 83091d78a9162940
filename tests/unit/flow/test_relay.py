"""Words pass between the person and the team: all of the person's, and only what somebody sends of the team's."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from bot.domain.conversations import PendingEdit, PendingFollowUp, PendingNote, State
from bot.domain.decisions import Prediction
from bot.domain.errors import Unreachable
from bot.domain.memory_vote import Neighbours
from bot.domain.messages import Message, MessageRef, Note, Person, Place
from bot.domain.model_ports import Query
from bot.domain.posts import FollowUp, Notice, Offer, Reply, Split, What
from bot.domain.rich_text import Style, linked, marked
from bot.flow import relay
from bot.flow.relay import EditRelay, NoteRelay, Relay
from tests.fakes import FakePlatform, FakePredictor, fake_classifier
from tests.fakes_ledger import Concluded, FakeLedger
from tests.samples import (
    AGENT,
    LEAD,
    NOW,
    PHOTO,
    STRANGER,
    TASK,
    VOCABULARY,
    card,
    conversation,
    message,
    reaction,
    standing,
)

OFFERED = ((50, Offer(3, "Cleo", "on its way")),)


def now() -> datetime:
    return NOW


class Line:
    """A relay between the customer's chat and the team's room."""

    def __init__(self, predictor: FakePredictor | None = None, whispers: bool = True) -> None:
        self.ledger, self.platform = FakeLedger(), FakePlatform(whispers=whispers)
        known = fake_classifier(Neighbours(), predictor)
        self.relay = Relay(TASK, self.ledger, known, now)
        self.note_relay = NoteRelay(VOCABULARY, self.ledger, {"web": self.platform}, now)

    async def hears(self, text: str, state: State = State.ROUTED, thread: str | None = None) -> Concluded:
        place = Place("web", "customer", thread)
        said = PendingFollowUp(message(text, "2"), replace(conversation(state), place=place), standing())
        self.ledger.news.append(said)
        assert await self.relay.step() == 1
        return self.ledger.concluded[-1]

    async def looks_at(self, noted: PendingNote) -> Concluded:
        self.ledger.notes.append(noted)
        assert await self.note_relay.step() == 1
        return self.ledger.concluded[-1]


def noted(text: str, by: Person = AGENT, send: bool = False) -> PendingNote:
    ref = MessageRef("web", "billing", "n1")
    return PendingNote(3, Note(ref, MessageRef("web", "billing", "post 12"), by, text, NOW, send=send), conversation())


# --- towards the team ---


async def test_what_the_person_writes_goes_under_the_card() -> None:
    result = await Line().hears("it was yesterday", thread="1")
    assert result.contents() == [FollowUp("Cleo", "it was yesterday")]


async def test_thanks_open_nothing_and_a_complaint_opens_it_again() -> None:
    assert (await Line().hears("thanks!", State.CLOSED)).outcome is False
    result = await Line().hears("still broken", State.CLOSED)
    assert result.outcome is True
    assert Notice(What.REOPENED, who="Cleo") in result.contents()


async def test_another_matter_is_carried_and_offered_a_request_of_its_own() -> None:
    result = await Line().hears("my laptop does not start")
    follow_up, split = result.contents()
    assert isinstance(follow_up, FollowUp)
    assert split == Split("billing", "en", MessageRef("web", "customer", "2"))


@pytest.mark.parametrize("text", ["my laptop", "I was charged a third time", "and what about my thing there"])
async def test_the_same_matter_is_just_carried(text: str) -> None:
    assert (await Line().hears(text)).contents() == [FollowUp("Cleo", text)]


async def test_with_the_model_down_words_are_carried_all_the_same() -> None:
    predictor = FakePredictor()
    predictor.failure = Unreachable("vllm: no connection")
    assert (await Line(predictor).hears("my laptop does not start")).contents() == [
        FollowUp("Cleo", "my laptop does not start")
    ]


async def test_a_slow_model_does_not_keep_the_team_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(FakePredictor):
        async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
            await asyncio.sleep(60)
            return await super().predict(query, texts)

    monkeypatch.setattr(relay, "_LONGEST_THOUGHT", 0.01)
    assert len((await Line(Slow()).hears("my laptop does not start")).posts) == 1


# --- towards the person ---


async def test_a_note_stays_inside_and_its_author_is_asked_whether_to_send_it() -> None:
    result = await Line().looks_at(noted("ask her for the number"))
    assert result.outcome is False
    [post] = result.posts
    assert (post.content, post.only_for) == (Offer(3, "Cleo", "ask her for the number"), AGENT)


async def test_where_nobody_whispers_the_question_is_put_quietly_under_the_note() -> None:
    [post] = (await Line(whispers=False).looks_at(noted("ask her"))).posts
    assert (post.only_for, post.answers) == (None, MessageRef("web", "billing", "n1"))


@pytest.mark.parametrize("how", [noted("reply: on its way"), noted("on its way", send=True)])
async def test_a_prefix_or_a_form_sends_it(how: PendingNote) -> None:
    result = await Line().looks_at(how)
    assert result.outcome is True
    [post] = result.posts
    assert post.place == Place("web", "customer", "1")
    assert post.content == Reply("billing", "on its way", "en", "Ada", to="Cleo")


async def test_the_sending_emoji_sends_it_in_the_name_of_who_put_it_there() -> None:
    asked = replace(noted("on its way"), standing=(reaction("🦄"), reaction("📤", LEAD)))
    result = await Line().looks_at(asked)
    assert result.outcome is True
    assert result.contents() == [Reply("billing", "on its way", "en", "Lee", to="Cleo")]


async def test_the_offer_goes_when_its_note_was_sent_otherwise() -> None:
    ours, another = Offer(3, "Cleo", "on its way"), Offer(4, "Cleo", "something else")
    asked = replace(noted("on its way"), standing=(reaction("📤", LEAD),), asking=((20, another), (21, ours)))
    _, over = (await Line().looks_at(asked)).posts
    assert (over.edits, over.content, over.only_for) == (21, replace(ours, sent=True), AGENT)


async def test_attachments_go_along() -> None:
    how = noted("reply:")
    result = await Line().looks_at(replace(how, note=replace(how.note, media=(PHOTO,))))
    assert result.contents() == [Reply("billing", "", "en", "Ada", (PHOTO,), to="Cleo")]


@pytest.mark.parametrize(
    "how",
    [
        noted("reply: on its way", STRANGER),
        noted("on its way", STRANGER, send=True),
        noted("hm", STRANGER),
        replace(noted("on its way"), standing=(reaction("📤", STRANGER),), asking=OFFERED),
        replace(noted("on its way"), standing=(reaction("👀"),), asking=OFFERED),
        replace(noted("reply: on its way"), sent=True),
        replace(noted("on its way"), sent=True, standing=(reaction("📤"),)),
        noted(""),
    ],
)
async def test_nothing_else_is_sent_or_offered(how: PendingNote) -> None:
    result = await Line().looks_at(how)
    assert (result.outcome, result.posts) == (False, ())


async def test_an_empty_reply_is_not_sent() -> None:
    result = await Line().looks_at(noted("reply:"))
    assert result.outcome is False
    assert not any(isinstance(content, Reply) for content in result.contents())


async def test_a_team_that_has_it_no_more_sends_nothing_and_hears_why() -> None:
    left = replace(noted("reply: on its way"), card=standing(card("it")), conversation=conversation(label="it"))
    result = await Line().looks_at(left)
    assert result.outcome is False
    [post] = result.posts
    assert (post.content, post.only_for) == (Notice(What.LEFT, team="it"), AGENT)
    idle = replace(noted("what was that?"), card=standing(card("it")))
    assert (await Line().looks_at(idle)).posts == ()


async def test_it_hears_so_in_the_thread_of_the_card_that_was_left() -> None:
    old = replace(standing(replace(card(), moved_to="it"), 11), place=Place("web", "billing/5"))
    left = replace(noted("reply: on its way"), card=standing(card("it")), conversation=conversation(label="it"))
    [post] = (await Line().looks_at(replace(left, under=old))).posts
    assert (post.place, post.under, post.answers) == (old.place, 11, left.note.ref)


async def test_an_early_emoji_takes_no_offer_away() -> None:
    early = replace(noted("ask her"), standing=(reaction("🎉", LEAD),))
    assert (await Line().looks_at(early)).contents() == [Offer(3, "Cleo", "ask her")]
    offered = replace(early, asking=((50, Offer(3, "Cleo", "ask her")),))
    assert (await Line().looks_at(offered)).posts == ()


async def test_who_sends_nothing_is_told_so() -> None:
    [post] = (await Line().looks_at(noted("reply:"))).posts
    assert (post.content, post.answers) == (Notice(What.NOTHING_TO_SEND), noted("reply:").note.ref)


async def test_a_prefix_in_bold_is_a_prefix_and_links_keep_their_address() -> None:
    form = linked("this form", "https://pay.example/refund?id=9")
    sent = (await Line().looks_at(noted(f"{marked('reply:', Style.BOLD)} see {form}"))).contents()[0]
    assert isinstance(sent, Reply)
    assert sent.text == f"see {form}"


# --- afterwards ---


async def test_changed_words_are_changed_where_they_were_passed_on() -> None:
    line = Line()
    changed: Message = message("charged three times")
    line.ledger.revised.append(PendingEdit(1, conversation(), changed, False, standing(), True, text=changed.text))
    assert await EditRelay(VOCABULARY, line.ledger, now).step() == 1
    assert line.ledger.concluded[0].contents() == [replace(card(), excerpt="charged three times", edited=True)]
