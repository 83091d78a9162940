"""Many facts of one transaction are stored as if one after the other; one that fails does not affect others."""

from collections.abc import Sequence
from dataclasses import replace

import psycopg
import pytest

from bot.domain.ledger import Stored
from bot.domain.messages import Deletion, Edit, Fact, Message, MessageRef, Note, Person, Place, Reaction
from db.engine import Database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.integration.db.scenes import (
    AGENT,
    ANN,
    JOINING,
    LEAD,
    PATIENCE,
    SETTLE,
    after,
    carded,
    claimed,
    message,
    press,
    reaction,
    routed,
)


def news(outcomes: Sequence[Stored | Exception]) -> list[bool]:
    """Whether each of them was new."""
    return [isinstance(one, Stored) and one.new for one in outcomes]


def of(person: str, ref: str, text: str = "where is my refund", seconds: float = 0) -> Message:
    """A message in one channel, in its own thread, as in Slack."""
    author = Person("slack", person, person.title())
    return Message(MessageRef("slack", "C1", ref), Place("slack", "C1", ref), author, text, after(seconds))


async def test_a_crowd_opens_as_many_conversations_as_it_has_people(ledger: PostgresLedger) -> None:
    crowd = [of(f"p{number}", f"m{number}", f"text {number}") for number in range(40)]
    assert news(await ledger.add_facts(crowd, JOINING)) == [True] * 40
    assert news(await ledger.add_facts(crowd[::-1], JOINING)) == [False] * 40
    cases = await ledger.claim_undecided(after(5), SETTLE, PATIENCE, 50)
    assert [(case.conversation.person.id, case.messages[0].text) for case in cases] == [
        (f"p{number}", f"text {number}") for number in range(40)
    ]


async def test_a_burst_of_one_person_is_one_conversation_in_its_order(ledger: PostgresLedger) -> None:
    burst = [of("ann", f"m{number}", f"part {number}", number / 10) for number in range(6)]
    assert news(await ledger.add_facts([*burst[:3], of("ben", "b"), *burst[3:]], JOINING)) == [True] * 7
    first, second = await ledger.claim_undecided(after(9), SETTLE, PATIENCE, 9)
    assert {len(first.messages), len(second.messages)} == {6, 1}
    spoke = first if len(first.messages) == 6 else second
    assert [one.text for one in spoke.messages] == [f"part {number}" for number in range(6)]
    assert spoke.version == 6


async def test_a_reply_and_its_root_may_come_together(ledger: PostgresLedger) -> None:
    root = of("ann", "m1")
    reply = replace(of("ben", "m2", "me too", 1), place=root.place)
    await ledger.add_facts([root, reply, of("cid", "m3")], JOINING)
    cases = await ledger.claim_undecided(after(9), SETTLE, PATIENCE, 9)
    assert sorted(case.version for case in cases) == [1, 2]


async def test_two_that_join_one_conversation_in_different_ways_both_count(ledger: PostgresLedger) -> None:
    await ledger.add_message(of("ann", "m1"), JOINING)
    in_thread = replace(of("ben", "m2", "me too", 1), place=of("ann", "m1").place)
    in_burst = of("ann", "m3", "and this", 2)
    assert news(await ledger.add_facts([in_thread, in_burst], JOINING)) == [True, True]
    assert (await claimed(ledger, 9)).version == 3


async def test_the_same_message_twice_at_once_is_one(ledger: PostgresLedger) -> None:
    assert news(await ledger.add_facts([of("ann", "m1"), of("ann", "m1", "the mention of it")], JOINING)) == [
        True,
        False,
    ]


async def test_facts_of_every_kind_go_together(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    card = await carded(ledger, outbox)
    ref = MessageRef("telegram", "chat-of-m1", "m1")
    facts: list[Fact] = [
        reaction(card, "key", 20),
        Note(MessageRef("slack", "C-BILLING", "n1"), card, AGENT, "ask for the number", after(21)),
        Edit(ref, "where is my invoice", after(22)),
        of("ann", "m9"),
        Deletion(MessageRef("telegram", "chat-of-m1", "unknown"), after(23)),
    ]
    assert news(await ledger.add_facts(facts, JOINING)) == [True, True, True, True, False]
    assert news(await ledger.add_facts(facts, JOINING)) == [False] * 5


async def test_a_note_whose_post_is_being_said_is_parked_and_holds_nothing_up(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await routed(ledger)
    await outbox.claim_due(["slack", "telegram"], after(6), 10)
    early = Note(MessageRef("slack", "C-BILLING", "n1"), MessageRef("slack", "C-BILLING", "?"), AGENT, "x", after(7))
    later, stored = await ledger.add_facts([early, of("ann", "m9")], JOINING)
    assert news([later, stored]) == [True, True]


async def test_a_row_that_the_database_refuses_takes_no_other_with_it(
    ledger: PostgresLedger, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE messages ADD CONSTRAINT no_bane CHECK (text <> 'poison')")
        try:
            facts = [of("ann", "m1"), of("ben", "m2", "poison"), of("cid", "m3")]
            first, second, third = await ledger.add_facts(facts, JOINING)
        finally:
            connection.execute("ALTER TABLE messages DROP CONSTRAINT no_bane")
    assert news([first, third]) == [True, True]
    assert isinstance(second, Exception) and "poison" not in str(second)
    assert "poison" not in caplog.text


async def test_a_name_that_comes_late_is_everywhere_where_there_was_none(
    ledger: PostgresLedger, database: Database
) -> None:
    nameless = Person("telegram", "ann")
    await ledger.add_message(replace(message("m1"), author=nameless), JOINING)
    await ledger.name_person(Person("telegram", "ann", "Ann", "pt-BR", external=True))
    case = await claimed(ledger)
    assert case.conversation.person == Person("telegram", "ann", "Ann", "pt-BR", external=True)
    assert case.messages[0].author.name == "Ann"
    await ledger.name_person(Person("telegram", "ann", "Another"))
    assert (await claimed(ledger, 99)).conversation.person.name == "Ann"


async def test_a_message_without_a_name_takes_none_away(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    await ledger.add_message(replace(message("m2", "more", 1), author=Person("telegram", "ann")), JOINING)
    assert (await claimed(ledger)).conversation.person == ANN


async def test_a_language_that_was_chosen_stands(ledger: PostgresLedger) -> None:
    await ledger.prefer(LEAD, "es")
    await ledger.add_message(replace(message("m1"), author=replace(ANN, name="", language=None)), JOINING)
    await ledger.prefer(ANN, "es")
    await ledger.name_person(replace(ANN, language="en"))
    assert (await claimed(ledger)).conversation.person.language == "es"


async def test_every_fact_is_told_its_conversation_and_who_opened_it(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    card = await carded(ledger, outbox)
    ref = MessageRef("telegram", "chat-of-m1", "m1")
    facts: list[Fact] = [
        reaction(card, "key", 20),
        Note(MessageRef("slack", "C-BILLING", "n1"), card, AGENT, "ask for the number", after(21)),
        Edit(ref, "where is my invoice", after(22)),
        press(card, "take", actor=LEAD),
        Deletion(ref, after(23)),
    ]
    theirs = await ledger.add_facts(facts, JOINING)
    assert len({one.conversation for one in theirs if isinstance(one, Stored)}) == 1
    burst = [of("ann", "m8"), of("ben", "b"), of("ann", "m9", "and this", 1)]
    first, other, second = [one for one in await ledger.add_facts(burst, JOINING) if isinstance(one, Stored)]
    assert [one.opened for one in (first, other, second)] == [True, True, False]
    assert first.conversation == second.conversation
    assert None not in {one.conversation for one in (*theirs, first, other) if isinstance(one, Stored)}
    assert len({theirs[0], first, other}) == 3
    assert (await ledger.add_facts(burst[:1], JOINING)) == [Stored(new=False)]
    on_a_note = Reaction(MessageRef("slack", "C-BILLING", "n1"), LEAD, "outbox_tray", True, after(30))
    assert await ledger.add_facts([on_a_note], JOINING) == [theirs[0]]
