"""What needs a decision is claimed once, and a decision that was overtaken is refused."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from bot.domain.conversations import State
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.messages import Person
from bot.domain.posts import Post, WordsPlease
from db.engine import Database, open_database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.tables import ConversationRow, DecisionRow
from tests.integration.db.scenes import (
    JOINING,
    PATIENCE,
    SETTLE,
    SURE,
    UNSURE,
    VECTOR,
    after,
    asked,
    claimed,
    decide,
    message,
    posts_for,
    routed,
    say_all,
)


async def test_nothing_is_claimed_before_it_is_quiet(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    await ledger.add_message(message("m2", seconds=2), JOINING)
    assert await ledger.claim_undecided(after(4), SETTLE, PATIENCE, 10) == []
    assert len(await ledger.claim_undecided(after(5), SETTLE, PATIENCE, 10)) == 1


async def test_two_claimers_never_get_the_same_case(ledger: PostgresLedger, database_url: str) -> None:
    for number in range(40):
        await ledger.add_message(message("m", chat=f"chat-{number}"), JOINING)
    async with open_database(database_url) as second:
        ledgers = [ledger, PostgresLedger(second, "tiny")] * 4
        async with asyncio.TaskGroup() as group:
            claims = [group.create_task(one.claim_undecided(after(9), SETTLE, PATIENCE, 7)) for one in ledgers]
    ids = [case.conversation.id for claim in claims for case in claim.result()]
    assert len(ids) == len(set(ids)) == 40


async def test_a_claim_that_is_not_concluded_becomes_work_again(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    first = await claimed(ledger, 5)
    assert await ledger.claim_undecided(after(64), SETTLE, PATIENCE, 10) == []
    again = await claimed(ledger, 65)
    assert again == first


async def test_a_decision_routes_and_is_made_once(ledger: PostgresLedger, database: Database) -> None:
    await ledger.add_message(message("m1"), JOINING)
    case = await claimed(ledger)
    assert await decide(ledger, case, SURE, posts_for(case.conversation.id), "text", VECTOR)
    assert not await decide(ledger, case, SURE, posts_for(case.conversation.id), "text", VECTOR)
    async with database.transaction() as session:
        row = (await session.scalars(select(ConversationRow))).one()
        made = (await session.scalars(select(DecisionRow))).one()
    assert (row.state, row.label, row.text, row.embedder) == (State.ROUTED, "billing", "text", "tiny")
    assert (made.by, made.reason, made.adapter) == (Author.MODEL, Reason.CONFIDENT, "routing-1")
    assert made.probabilities == {"billing": 0.9, "access": 0.1}
    assert made.at == after(5)


async def test_a_message_in_between_refuses_the_decision(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await ledger.add_message(message("m1"), JOINING)
    case = await claimed(ledger)
    await ledger.add_message(message("m2", seconds=6), JOINING)
    assert not await decide(ledger, case, SURE, posts_for(case.conversation.id), "text", VECTOR)
    assert await outbox.claim_due(["slack", "telegram"], after(9), 10) == []
    assert [said.ref.id for said in (await claimed(ledger, 9)).messages] == ["m1", "m2"]


async def test_racing_deciders_store_one_decision(ledger: PostgresLedger, database: Database) -> None:
    await ledger.add_message(message("m1"), JOINING)
    case = await claimed(ledger)
    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(decide(ledger, case, SURE, [], "text", None)) for _ in range(6)]
    assert [one.result() for one in tries].count(True) == 1
    async with database.transaction() as session:
        assert len((await session.scalars(select(DecisionRow))).all()) == 1


async def test_an_asked_conversation_waits_for_news_or_patience(ledger: PostgresLedger) -> None:
    await asked(ledger)
    assert await ledger.claim_undecided(after(60), SETTLE, PATIENCE, 10) == []
    case = await claimed(ledger, 5 + PATIENCE.total_seconds())
    assert (case.unanswered, case.conversation.state, case.conversation.asked) == (True, State.ASKED, True)


async def test_news_reopens_an_asked_conversation_with_its_question(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await asked(ledger)
    (item,) = await outbox.claim_due(["telegram"], after(6), 10)
    await ledger.add_message(message("m2", "the invoice of May", 20), JOINING)
    case = await claimed(ledger, 30)
    assert (case.unanswered, case.question) == (False, item.id)
    assert [said.ref.id for said in case.messages] == ["m1", "m2"]


async def test_asking_again_is_still_a_question_of_the_same_conversation(ledger: PostgresLedger) -> None:
    await asked(ledger)
    case = await claimed(ledger, 5 + PATIENCE.total_seconds())
    fallback = Decision("routing", "triage", Author.FALLBACK, Reason.NO_ANSWER)
    assert await decide(ledger, case, fallback, [], "text", None)
    assert await ledger.claim_undecided(after(9_999), SETTLE, PATIENCE, 10) == []


async def test_words_are_asked_for_once_and_the_conversation_rests(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await ledger.add_message(message("m1", ""), JOINING)
    please = [Post(message("m1").place, WordsPlease("en"))]
    assert await ledger.ask_for_words(await claimed(ledger), please)
    assert await ledger.claim_undecided(after(9_999), SETTLE, timedelta(0), 10) == []
    await ledger.add_message(message("m2", "", 100), JOINING)
    second = await claimed(ledger, 104)
    assert second.conversation.asked_for_words
    assert await ledger.ask_for_words(second, please)
    assert len(await outbox.claim_due(["telegram"], after(200), 10)) == 1
    await ledger.add_message(message("m3", "my invoice is wrong", 300), JOINING)
    assert [said.ref.id for said in (await claimed(ledger, 304)).messages] == ["m1", "m2", "m3"]


async def test_asking_for_words_on_an_older_version_is_refused(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await ledger.add_message(message("m1", ""), JOINING)
    case = await claimed(ledger)
    await ledger.add_message(message("m2", "words", 6), JOINING)
    assert not await ledger.ask_for_words(case, [Post(message("m1").place, WordsPlease("en"))])
    assert await outbox.claim_due(["telegram"], after(9), 10) == []


async def test_what_comes_after_the_decision_is_relayed_in_order(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    conversation = await routed(ledger)
    await say_all(outbox)
    for number, seconds in ((3, 30), (2, 20)):
        await ledger.add_message(message(f"n{number}", "and", seconds, chat="chat-of-m1"), JOINING)
    (first,) = await ledger.claim_follow_ups(after(40), 10)
    assert (first.message.ref.id, first.conversation.id) == ("n2", conversation)
    assert first.card is not None
    assert first.card.card.label == "billing"
    assert await ledger.claim_follow_ups(after(40), 10) == []
    follow = Post(first.card.place, WordsPlease(None), under=first.card.post)
    await ledger.conclude_follow_up(first, [follow], after(41))
    await ledger.conclude_follow_up(first, [follow], after(41))
    (second,) = await ledger.claim_follow_ups(after(42), 10)
    assert second.message.ref.id == "n3"
    (item,) = await outbox.claim_due(["slack"], after(43), 10)
    assert item.under is not None


async def test_a_bystanders_words_are_relayed_not_decided_upon(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("t1", thread="t1"), JOINING)
    bob = replace(message("b1", "me too", 1, thread="t1"), author=Person("telegram", "bob"))
    await ledger.add_message(bob, JOINING)
    case = await claimed(ledger)
    assert [said.ref.id for said in case.messages] == ["t1"]
    assert await decide(ledger, case, SURE, [], "text", None)
    (left,) = await ledger.claim_follow_ups(after(9), 10)
    assert left.message == bob


async def test_an_unsure_decision_keeps_the_label_open(ledger: PostgresLedger) -> None:
    await asked(ledger)
    case = await claimed(ledger, 5 + PATIENCE.total_seconds())
    assert case.conversation.label is None
    assert UNSURE.candidates
