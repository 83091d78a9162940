"""A tap is one person's statement: for the identical text it counts for them, and for all once a lead confirms it."""

import pytest

from bot.domain.conversations import CardState
from bot.domain.decisions import Author, Basis, Decision, Reason
from bot.domain.learning import Example, Side, Source
from bot.domain.memory_vote import Neighbour
from bot.domain.posts import Post
from bot.domain.presses import Chosen
from db.engine import Database
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outbox import PostgresOutbox
from db.voice_lessons import PostgresVoiceLessons
from tests.integration.db.scenes import (
    ANN,
    LEAD,
    ROOM,
    TASK,
    VECTOR,
    after,
    asked,
    card,
    pending,
    press,
    pressed,
    reaction,
    say_all,
)
from tests.integration.db.test_reactions import lead_label

TEXT = "where is my refund"
STRANGER = "telegram:ben"
CHOSEN = Decision("routing", "access", Author.PERSON, Reason.CHOSEN, actor=ANN.key)


async def tapped(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    """Ann is asked which team, and chooses access."""
    await asked(ledger)
    question = (await say_all(outbox))["Question"]
    await ledger.add_press(press(question, "1"))
    found = await pressed(ledger, 8)
    await ledger.conclude_press(found, Chosen(CHOSEN), [Post(ROOM, card(found.conversation.id, "access"))], after(9))


async def heard(database: Database, who: str | None, text: str = TEXT, held: bool = False) -> tuple[Neighbour, ...]:
    memory = PostgresMemory(database, "tiny")
    if held:
        await memory.load(TASK)
    (found,) = await memory.nearest_many(TASK, [VECTOR], [text], askers=[who] if who else [])
    return found.corrections


@pytest.mark.parametrize("held", [False, True], ids=["table", "held"])
async def test_a_tap_counts_for_its_own_person_alone(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, held: bool
) -> None:
    await tapped(ledger, outbox)
    (own,) = await heard(database, ANN.key, "Where is my refund?", held)
    assert (own.label, own.same_text, own.basis) == ("access", True, Basis.TAP)
    assert await heard(database, STRANGER, held=held) == ()
    assert await heard(database, None, held=held) == ()
    assert await heard(database, ANN.key, "something like it", held) == (), "it is about the very words"


@pytest.mark.parametrize("held", [False, True], ids=["table", "held"])
async def test_a_tap_that_a_lead_confirmed_counts_for_everybody_until_that_is_taken_back(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, held: bool
) -> None:
    await tapped(ledger, outbox)
    memory = PostgresMemory(database, "tiny")
    if held:
        await memory.load(TASK)
    ref = (await say_all(outbox, 20))["Card"]
    await ledger.add_reaction(reaction(ref, "key", 30))
    ruling = CardState(lead_label("access", 30, confirms=True))
    await ledger.conclude_reactions(await pending(ledger, 31), None, ruling, [], after(31))
    for text in (TEXT, "something like it"):
        (found,) = await memory.nearest_many(TASK, [VECTOR], [text], askers=[STRANGER])
        assert [(one.label, one.basis) for one in found.corrections] == [("access", Basis.TAP)]
    await ledger.add_reaction(reaction(ref, "key", 40, added=False, actor=LEAD))
    await ledger.conclude_reactions(await pending(ledger, 41), None, CardState(), [], after(41))
    (found,) = await memory.nearest_many(TASK, [VECTOR], [TEXT], askers=[STRANGER])
    assert found.corrections == ()


async def test_a_training_learns_from_a_tap_only_while_a_lead_confirms_it(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    examples, lessons = PostgresExamples(database), PostgresVoiceLessons(database)
    await tapped(ledger, outbox)
    assert (await examples.examples("routing"), await lessons.lessons(TASK, "tiny", 10)) == ([], [])
    alone = await lessons.stamp(TASK, "tiny")
    ref = (await say_all(outbox, 20))["Card"]
    await ledger.add_reaction(reaction(ref, "key", 30))
    ruling = CardState(lead_label("access", 30, confirms=True))
    await ledger.conclude_reactions(await pending(ledger, 31), None, ruling, [], after(31))
    taught = await examples.examples("routing")
    assert {(one.text, one.label, one.source) for one in taught} == {
        (TEXT, "access", Source.TAP),
        (TEXT, "access", Source.CONFIRMATION),
    }
    assert [one.label for one in await lessons.lessons(TASK, "tiny", 10)] == ["access"]
    assert await lessons.stamp(TASK, "tiny") != alone, "the voices are fitted anew"
    await ledger.add_reaction(reaction(ref, "key", 40, added=False, actor=LEAD))
    await ledger.conclude_reactions(await pending(ledger, 41), None, CardState(), [], after(41))
    assert (await examples.examples("routing"), await lessons.lessons(TASK, "tiny", 10)) == ([], [])


async def test_what_a_lead_said_of_the_same_words_goes_before_ones_own_tap(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await tapped(ledger, outbox)
    said = Example(TEXT, "billing", Source.CORRECTION, Side.TRAIN, after(0))
    await PostgresExamples(database).add_examples("routing", [said])
    assert [one.label for one in await heard(database, ANN.key)] == ["billing"]
