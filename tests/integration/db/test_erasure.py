"""After somebody is forgotten, their words and names are nowhere in the database, and counts remain."""

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from bot.domain.conversations import CardState, LeadLabel
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.learning import Adapter, side_of
from bot.domain.messages import Media, MediaKind, MessageRef, Person, Place
from bot.domain.posts import GONE, ON_THE_CARD, Card, FollowUp, Offer, Post, Reply, Sent
from bot.domain.queries import Erased
from db.engine import Database
from db.erasure import PostgresErasure
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outbox import PostgresOutbox
from db.queries import PostgresQueries
from db.registry import PostgresRegistry
from db.tables import ConversationRow, CorrectionRow, DecisionRow, ReactionRow
from tests.integration.db.scenes import (
    AGENT,
    ANN,
    JOINING,
    LEAD,
    PATIENCE,
    ROOM,
    SETTLE,
    SURE,
    TASK,
    VECTOR,
    after,
    card,
    carded,
    claimed,
    decide,
    message,
    note,
    pending,
    reaction,
    routed,
    say_all,
)

CORRECTED = Decision("routing", "access", Author.LEAD, Reason.CORRECTED, actor="slack:lead")
PHOTO = Media("telegram", "secret-file", MediaKind.PHOTO, "passport.jpg")
TRAINED = "where is my refund"
"""On the train side."""


@pytest.fixture
def erasure(database: Database) -> PostgresErasure:
    return PostgresErasure(database)


async def _everything(database: Database) -> str:
    tables = ("conversations", "messages", "notes", "posts", "examples", "reactions", "presses", "decisions")
    async with database.transaction() as session:
        rows = [(await session.execute(text(f"SELECT t::text FROM {name} t"))).scalars().all() for name in tables]  # noqa: S608
    return "\n".join(row for found in rows for row in found)


async def _a_story(ledger: PostgresLedger, outbox: PostgresOutbox) -> MessageRef:
    """Ann was moved to another team, wrote more, got a reply, and was mentioned; returns the first card's receipt."""
    ref = await carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "key", 10))
    found = await pending(ledger, 11)
    assert found.card is not None
    struck = Post(ROOM, replace(found.card.card, moved_to="access"), edits=found.card.post)
    history = (("Ann", "and my invoice"),)
    moved = Post(Place("slack", "C-ACCESS"), replace(card(1, "access"), history=history, media=(PHOTO,)))
    lead_label = LeadLabel("access", LEAD, after(10), confirms=False, disputed=False)
    await ledger.conclude_reactions(found, CORRECTED, CardState(lead_label, taken_by=AGENT), [struck, moved], after(12))
    said = replace(message("m2", "and my invoice", 20, chat="chat-of-m1"), media=(PHOTO,))
    await ledger.add_message(said, JOINING)
    (more,) = await ledger.claim_follow_ups(after(21), 10)
    await ledger.conclude_follow_up(more, [Post(ON_THE_CARD, FollowUp("Ann", "and my invoice", (PHOTO,)))], after(22))
    under = (await say_all(outbox, 23))["Card"]
    await ledger.add_note(note("n1", under, "Ann Summers asks: where is my refund. A member since May.", 24))
    (noted,) = await ledger.claim_notes(after(25), 10)
    posts = [
        Post(ON_THE_CARD, Offer(noted.id, "Ann", "Dear Ann, it is on its way")),
        Post(noted.conversation.place, Reply("access", "Dear Ann, it is on its way", "en", "Gus")),
        Post(ON_THE_CARD, Sent("Dear Ann, it is on its way", "Gus", "Ann")),
    ]
    await ledger.conclude_note(noted, True, posts, after(26))
    await say_all(outbox, 27)
    return ref


async def test_no_word_and_no_name_is_left(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, erasure: PostgresErasure
) -> None:
    await _a_story(ledger, outbox)
    await ledger.prefer(ANN, "es")
    before = await _everything(database)
    for words in ("Ann", "refund", "invoice", "passport", "secret-file", "where is"):
        assert words in before
    erased = await erasure.erase(ANN, after(100))
    assert (erased.conversations, erased.examples) == (1, 1)
    left = await _everything(database)
    for words in (
        "Ann",
        "refund",
        "invoice",
        "passport",
        "secret-file",
        "where is",
        "on its way",
        "A member since May.",
    ):
        assert words not in left
    assert await ledger.preferred(ANN) is None


async def test_vectors_and_the_memory_are_gone(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, erasure: PostgresErasure
) -> None:
    await _a_story(ledger, outbox)
    memory = PostgresMemory(database, "tiny")
    assert len((await memory.nearest(TASK, VECTOR, "x")).corrections) == 1
    await erasure.erase(ANN, after(100))
    assert (await memory.nearest(TASK, VECTOR, "where is my refund")).corrections == ()
    assert await PostgresExamples(database).examples("routing") == []
    assert await memory.unembedded("another", 10) == []
    async with database.transaction() as session:
        assert (await session.scalars(select(ConversationRow.vector))).one() is None


async def test_counts_labels_and_rulings_stay(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, erasure: PostgresErasure
) -> None:
    await _a_story(ledger, outbox)
    queries = PostgresQueries(database)
    decisions, week = await queries.decisions(), await queries.week(after(50))
    await erasure.erase(ANN, after(100))
    assert (await queries.decisions(), await queries.week(after(150))) == (decisions, week)
    async with database.transaction() as session:
        counts = [
            await session.scalar(select(func.count()).select_from(t)) for t in (DecisionRow, CorrectionRow, ReactionRow)
        ]
    assert counts == [2, 1, 1]


async def test_cards_and_follow_ups_in_chats_are_rewritten_without_words(
    ledger: PostgresLedger, outbox: PostgresOutbox, erasure: PostgresErasure
) -> None:
    first = await _a_story(ledger, outbox)
    await erasure.erase(ANN, after(100))
    rewritten: dict[str, list[tuple[str, object]]] = {}
    while item := await outbox.claim_due(["slack", "telegram"], after(101), 10):
        for one in item:
            assert one.edits is not None
            rewritten.setdefault(type(one.post.content).__name__, []).append((one.edits.chat, one.post.content))
            await outbox.said(one, one.edits, after(102))
    cards = [content for _, content in rewritten["Card"] if isinstance(content, Card)]
    assert [(c.excerpt, c.author, c.media, c.history, c.deleted) for c in cards] == [("", "", (), (), True)] * 2
    assert {content.moved_to for content in cards} == {"access", None}
    assert first.chat in {chat for chat, _ in rewritten["Card"]}
    assert [content for _, content in rewritten["FollowUp"]] == [FollowUp("", "", deleted=True)]
    assert [content for _, content in rewritten["Reply"]] == [
        Reply("access", GONE, "en", "Gus", edited=True, media=()),
    ]
    assert [content for _, content in rewritten["Sent"]] == [Sent("", "Gus", "")]
    assert set(rewritten) == {"Card", "FollowUp", "Reply", "Sent", "Offer"}
    assert "Ann" not in str(rewritten)


async def test_what_an_agent_sent_is_rewritten_without_their_name_and_words_when_they_are_forgotten(
    ledger: PostgresLedger, outbox: PostgresOutbox, erasure: PostgresErasure
) -> None:
    await _a_story(ledger, outbox)
    await erasure.erase(AGENT, after(100))
    said: dict[str, object] = {}
    while item := await outbox.claim_due(["slack", "telegram"], after(101), 10):
        for one in item:
            assert one.edits is not None
            said[type(one.post.content).__name__] = one.post.content
            await outbox.said(one, one.edits, after(102))
    assert said["Reply"] == Reply("access", GONE, "en", "", edited=True)
    assert said["Sent"] == Sent("", "", "Ann")
    assert "Gus" not in str(said) and "on its way" not in str(said)


async def test_forgetting_again_changes_nothing(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, erasure: PostgresErasure
) -> None:
    await _a_story(ledger, outbox)
    await erasure.erase(ANN, after(100))
    await say_all(outbox, 101)
    before = await _everything(database)
    assert await erasure.erase(ANN, after(200)) == Erased(0, 0, ())
    assert await _everything(database) == before
    assert await outbox.claim_due(["slack", "telegram"], after(201), 10) == []


async def test_somebody_unknown_is_nobody(erasure: PostgresErasure) -> None:
    assert await erasure.erase(Person("telegram", "nobody"), after(0)) == Erased(0, 0, ())


async def test_what_waits_to_be_said_is_said_without_words_or_not_at_all(
    ledger: PostgresLedger, outbox: PostgresOutbox, erasure: PostgresErasure
) -> None:
    await routed(ledger)
    await ledger.add_message(message("m2", "and my invoice", 5.5, chat="chat-of-m1"), JOINING)
    (said,) = await ledger.claim_follow_ups(after(6), 10)
    await ledger.conclude_follow_up(said, [Post(ON_THE_CARD, FollowUp("Ann", "and my invoice"))], after(6))
    await erasure.erase(ANN, after(7))
    contents = []
    while item := await outbox.claim_due(["slack"], after(8), 10):
        contents += [one.post.content for one in item]
        for one in item:
            await outbox.said(one, MessageRef("slack", "C-BILLING", f"said-{one.id}"), after(9))
    (only,) = contents
    assert isinstance(only, Card) and (only.excerpt, only.author, only.deleted) == ("", "", True)


async def test_what_is_on_its_way_is_rewritten_when_it_arrived(
    ledger: PostgresLedger, outbox: PostgresOutbox, erasure: PostgresErasure
) -> None:
    await routed(ledger)
    (on_its_way,) = await outbox.claim_due(["slack"], after(6), 10)
    await erasure.erase(ANN, after(7))
    await outbox.said(on_its_way, MessageRef("slack", "C-BILLING", "17.1"), after(8))
    (item,) = await outbox.claim_due(["slack"], after(9), 10)
    assert item.edits == MessageRef("slack", "C-BILLING", "17.1")
    assert isinstance(item.post.content, Card) and item.post.content.excerpt == ""


async def test_a_decision_in_the_making_brings_nothing_back(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, erasure: PostgresErasure
) -> None:
    await ledger.add_message(message("m1"), JOINING)
    case = await claimed(ledger)
    await erasure.erase(ANN, after(6))
    assert not await decide(ledger, case, SURE, [Post(ROOM, card(1))], "where is my refund", VECTOR)
    assert await outbox.claim_due(["slack"], after(7), 10) == []
    assert "refund" not in await _everything(database)
    assert await ledger.claim_undecided(after(9_999), SETTLE, PATIENCE, 10) == []


async def test_a_correction_in_the_making_brings_nothing_back(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, erasure: PostgresErasure
) -> None:
    ref = await carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "key", 10))
    stale = await pending(ledger, 11)
    await erasure.erase(ANN, after(12))
    lead_label = LeadLabel("access", LEAD, after(10), confirms=False, disputed=False)
    await ledger.conclude_reactions(stale, CORRECTED, CardState(lead_label), [Post(ROOM, card(1, "access"))], after(13))
    assert "where is" not in await _everything(database)


async def test_words_in_somebody_elses_conversation_go_too(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, erasure: PostgresErasure
) -> None:
    await ledger.add_message(message("t1", thread="t1"), JOINING)
    case = await claimed(ledger)
    await decide(ledger, case, SURE, [Post(ROOM, card(case.conversation.id))], "where is my refund", VECTOR)
    bob = Person("telegram", "bob", "Bob")
    await ledger.add_message(replace(message("b1", "same with my parcel", 10, thread="t1"), author=bob), JOINING)
    (said,) = await ledger.claim_follow_ups(after(11), 10)
    await ledger.conclude_follow_up(said, [Post(ON_THE_CARD, FollowUp("Bob", "same with my parcel"))], after(12))
    await say_all(outbox, 13)
    assert await erasure.erase(bob, after(20)) == Erased(0, 0, (), elsewhere=1)
    assert (await erasure.erase(bob, after(20))).nothing
    left = await _everything(database)
    assert "parcel" not in left and "Bob" not in left
    assert "where is my refund" in left
    (item,) = await outbox.claim_due(["slack"], after(21), 10)
    assert item.post.content == FollowUp("", "", deleted=True)


async def test_an_agent_who_is_forgotten_leaves_no_name(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, erasure: PostgresErasure
) -> None:
    await _a_story(ledger, outbox)
    await erasure.erase(AGENT, after(100))
    left = await _everything(database)
    assert "Gus" not in left and "on its way" not in left
    assert "where is my refund" in left


async def test_other_teams_cards_forget_what_they_recalled(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, erasure: PostgresErasure
) -> None:
    await _a_story(ledger, outbox)
    bob = Person("telegram", "bob", "Bob")
    await ledger.add_message(replace(message("b1", "my money back", 50, chat="bob"), author=bob), JOINING)
    case = await claimed(ledger, 60)
    remembered = replace(SURE, by=Author.MEMORY, reason=Reason.REMEMBERED, evidence=(1,))
    recalling = replace(card(case.conversation.id), excerpt="my money back", remembered=("where is my ref…",))
    await decide(ledger, case, remembered, [Post(ROOM, recalling)], "my money back", VECTOR)
    await say_all(outbox, 61)
    await erasure.erase(ANN, after(100))
    assert "where is" not in await _everything(database)
    found = await outbox.claim_due(["slack"], after(101), 10)
    assert replace(recalling, remembered=()) in [one.post.content for one in found]


async def test_whoever_writes_again_begins_anew_and_can_be_forgotten_again(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, erasure: PostgresErasure
) -> None:
    await carded(ledger, outbox)
    await erasure.erase(ANN, after(10))
    await ledger.add_message(message("m2", "my new address", 20, chat="chat-of-m1"), JOINING)
    case = await claimed(ledger, 30)
    assert [said.text for said in case.messages] == ["my new address"]
    assert (await erasure.erase(ANN, after(40))).conversations == 1
    assert "address" not in await _everything(database)


async def test_a_thread_that_goes_on_can_be_forgotten_again(
    ledger: PostgresLedger, database: Database, erasure: PostgresErasure
) -> None:
    await ledger.add_message(message("t1", thread="t1"), JOINING)
    await decide(ledger, await claimed(ledger), SURE, [], "where is my refund", VECTOR)
    await erasure.erase(ANN, after(10))
    await ledger.add_message(message("t2", "my new address", 20, thread="t1"), JOINING)
    assert (await erasure.erase(ANN, after(30))).conversations == 1
    left = await _everything(database)
    assert "address" not in left and "Ann" not in left


async def test_messages_that_arrive_meanwhile_are_kept_or_forgotten_whole(
    ledger: PostgresLedger, database: Database, erasure: PostgresErasure
) -> None:
    await ledger.add_message(message("m0"), JOINING)
    async with asyncio.TaskGroup() as group:
        group.create_task(erasure.erase(ANN, after(10)))
        for number in range(1, 8):
            group.create_task(ledger.add_message(message(f"m{number}", f"word {number}", number), JOINING))
    await erasure.erase(ANN, after(20))
    left = await _everything(database)
    assert "word" not in left and "Ann" not in left


# --- adapters ---


def _adapter(name: str, made: datetime) -> Adapter:
    return Adapter(name, "routing", Path("/runs") / name, "starter", {"billing": "A"}, 1.0, made)


async def _adapters(database: Database, *made: tuple[str, float]) -> None:
    registry = PostgresRegistry(database)
    for name, seconds in made:
        await registry.add_adapter(_adapter(name, after(seconds)))


async def test_adapters_that_saw_their_words_are_named(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, erasure: PostgresErasure
) -> None:
    assert side_of(TRAINED) == "train"
    await _adapters(database, ("before", 5), ("during", 50), ("later", 80))
    await _a_story(ledger, outbox)  # taught at 12
    assert (await erasure.erase(ANN, after(100))).adapters == ("during", "later")


async def test_an_adapter_made_after_it_was_withdrawn_is_not_named(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, erasure: PostgresErasure
) -> None:
    await _adapters(database, ("during", 30), ("later", 80))
    ref = await carded(ledger, outbox)
    lead_label = LeadLabel("access", LEAD, after(10), confirms=False, disputed=False)
    await ledger.add_reaction(reaction(ref, "key", 10))
    await ledger.conclude_reactions(await pending(ledger, 11), CORRECTED, CardState(lead_label), [], after(12))
    await ledger.add_reaction(reaction(ref, "key", 40, added=False))
    await ledger.conclude_reactions(await pending(ledger, 41), None, CardState(), [], after(42))
    erased = await erasure.erase(ANN, after(100))
    assert (erased.adapters, erased.examples) == (("during",), 1)


async def test_held_out_and_disputed_words_were_never_trained_on(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, erasure: PostgresErasure
) -> None:
    held_out = next(words for n in range(100) if side_of(words := f"where is parcel {n}") == "held-out")
    for ref, words, start, disputed in (("m1", held_out, 0, False), ("m2", TRAINED, 100, True)):
        await routed(ledger, words, ref, start)
        await ledger.add_reaction(reaction((await say_all(outbox, start + 6))["Card"], "key", start + 10))
        lead_label = LeadLabel("access", LEAD, after(start + 10), confirms=False, disputed=disputed)
        found = await pending(ledger, start + 11)
        await ledger.conclude_reactions(found, CORRECTED, CardState(lead_label), [], after(start + 12))
    await _adapters(database, ("later", 500))
    erased = await erasure.erase(ANN, after(1_000))
    assert (erased.conversations, erased.examples, erased.adapters) == (2, 2, ())
