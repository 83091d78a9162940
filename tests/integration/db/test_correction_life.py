"""A correction goes from the memory into a training set and an adapter, leaves the memory, returns at a rollback."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.domain.conversations import CardState
from bot.domain.correction_life import Stage
from bot.domain.guards import Held
from bot.domain.learning import Adapter, Judged, Verdict
from bot.domain.memory_vote import Neighbours, memory_opinion
from bot.domain.messages import MessageRef
from db.corrections import PostgresCorrections
from db.engine import Database
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outbox import PostgresOutbox
from db.queries import PostgresQueries
from db.registry import PostgresRegistry
from db.tables import ExampleRow
from tests.integration.db.scenes import TASK, after, pending, reaction, routed, say_all
from tests.integration.db.test_reactions import CORRECTED, lead_label

TEXT = "where is my refund"
NEARLY = (0.995, 0.0998749, 0.0)


@pytest.fixture
def corrections(database: Database) -> PostgresCorrections:
    return PostgresCorrections(database)


@pytest.fixture
def registry(database: Database) -> PostgresRegistry:
    return PostgresRegistry(database)


async def corrected(ledger: PostgresLedger, outbox: PostgresOutbox) -> MessageRef:
    """A lead moves it from billing to access; the receipt of its first card."""
    await routed(ledger, TEXT)
    ref = (await say_all(outbox))["Card"]
    await ledger.add_reaction(reaction(ref, "key", 10))
    found = await pending(ledger, 11)
    await ledger.conclude_reactions(found, CORRECTED, CardState(lead_label()), [], after(12))
    return ref


async def learns(registry: PostgresRegistry, name: str, at: float, promoted: bool = True) -> None:
    """A cycle that made its training set at that time, and its adapter, which serves if it was promoted."""
    await registry.request_cycle("routing", "test", name, after(at))
    champion = await registry.champion("routing", "starter")
    candidate = Adapter(name, "routing", Path("/r"), "starter", dict.fromkeys(TASK.names, "A"), 1.0, after(at + 5))
    async with registry.claim_cycle(after(at)) as cycle:
        assert cycle is not None
        await registry.update_cycle(cycle, cycle.phase, 0.5, name)
        judged = Judged(candidate, champion, Verdict(promoted, ()))
        await registry.conclude_cycle(cycle, judged, [], after(at + 6))


async def stages(database: Database) -> Mapping[tuple[str, Stage], int]:
    return await PostgresQueries(database).corrections()


async def near(database: Database, text: str, held: bool) -> Neighbours:
    memory = PostgresMemory(database, "tiny")
    if held:
        await memory.load(TASK)
    return await memory.nearest(TASK, NEARLY, text)


async def test_a_correction_goes_through_its_life(
    corrections: PostgresCorrections,
    registry: PostgresRegistry,
    ledger: PostgresLedger,
    outbox: PostgresOutbox,
    database: Database,
) -> None:
    ref = await corrected(ledger, outbox)
    assert await stages(database) == {("routing", Stage.REMEMBERED): 1}
    await learns(registry, "routing-1", 100, promoted=False)
    assert await stages(database) == {("routing", Stage.IN_TRAINING): 1}
    assert await corrections.learned("routing", "routing-1") == [], "it does not serve"
    await learns(registry, "routing-2", 200)
    assert await stages(database) == {("routing", Stage.LEARNED): 1}
    ((id, example),) = await corrections.learned("routing", "routing-2")
    assert (example.text, example.label) == (TEXT, "access")
    assert await corrections.let_go("routing", "routing-2", [id], [id]) == 1
    (one,) = await corrections.lives("routing", 10)
    assert (one.stage, one.adapter, one.lead, one.text) == (Stage.RETIRED, "routing-2", "slack:lead", TEXT)
    account = await PostgresQueries(database).account(ref)
    assert account is not None
    assert account.correction is not None
    assert (account.correction.stage, account.correction.adapter) == (Stage.RETIRED, "routing-2")
    await ledger.add_reaction(reaction(ref, "key", 300, added=False))
    await ledger.conclude_reactions(await pending(ledger, 301), None, CardState(), [], after(302))
    assert await stages(database) == {("routing", Stage.WITHDRAWN): 1}


@pytest.mark.parametrize("held", [False, True], ids=["table", "held"])
async def test_what_was_let_go_of_is_known_by_heart_and_votes_no_more(
    corrections: PostgresCorrections,
    registry: PostgresRegistry,
    ledger: PostgresLedger,
    outbox: PostgresOutbox,
    database: Database,
    held: bool,
) -> None:
    await corrected(ledger, outbox)
    await learns(registry, "routing-1", 100)
    ((id, _),) = await corrections.learned("routing", "routing-1")
    assert [n.example for n in (await near(database, "something like it", held)).corrections] == [id]
    await corrections.let_go("routing", "routing-1", [id], [id])
    alike = await near(database, "something like it", held)
    assert (alike.corrections, [(n.label, n.example) for n in alike.anchors]) == ((), [("access", id)])
    itself = memory_opinion(await near(database, TEXT.upper() + "!", held))
    assert (itself.probabilities, itself.weight) == ({"access": 1.0}, float("inf")), "a mistake never comes back"


@pytest.mark.parametrize("held", [False, True], ids=["table", "held"])
async def test_a_rollback_takes_it_up_again(
    corrections: PostgresCorrections,
    registry: PostgresRegistry,
    ledger: PostgresLedger,
    outbox: PostgresOutbox,
    database: Database,
    held: bool,
) -> None:
    await learns(registry, "routing-1", -100)
    await corrected(ledger, outbox)
    await learns(registry, "routing-2", 100)
    ((id, _),) = await corrections.learned("routing", "routing-2")
    await corrections.let_go("routing", "routing-2", [id], [id])
    memory = PostgresMemory(database, "tiny")
    if held:
        await memory.load(TASK)
    assert (await memory.nearest(TASK, NEARLY, "something like it")).corrections == ()
    await registry.rollback("routing", "lead", after(300), base="starter")
    found = await memory.nearest(TASK, NEARLY, "something like it")
    assert ([n.example for n in found.corrections], found.anchors) == ([id], ())
    assert await stages(database) == {("routing", Stage.IN_TRAINING): 1}


async def test_what_is_wrong_alone_is_taken_up_again_and_nobody_lets_go_for_another(
    corrections: PostgresCorrections,
    registry: PostgresRegistry,
    ledger: PostgresLedger,
    outbox: PostgresOutbox,
    database: Database,
) -> None:
    await corrected(ledger, outbox)
    await learns(registry, "routing-1", 100)
    ((id, _),) = await corrections.learned("routing", "routing-1")
    assert await corrections.let_go("routing", "routing-1", [id], [id]) == 1
    assert await corrections.let_go("routing", "routing-1", [id], []) == 0
    assert await stages(database) == {("routing", Stage.LEARNED): 1}
    await learns(registry, "routing-2", 200)
    assert await corrections.let_go("routing", "routing-1", [id], [id]) == 0, "another serves by now"
    assert await stages(database) == {("routing", Stage.LEARNED): 1}


async def test_what_waits_for_a_second_lead_teaches_once_it_is_accepted(
    corrections: PostgresCorrections, ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await corrected(ledger, outbox)
    async with database.transaction() as session:
        await session.execute(update(ExampleRow).values(held=Held.TOO_MANY, quarantined=True))
    (one,) = await corrections.lives("routing", 10)
    assert one.stage is Stage.QUARANTINED
    assert await PostgresExamples(database).examples("routing") == []
    assert await corrections.accept(one.example, "ann", after(50))
    assert [e.label for e in await PostgresExamples(database).examples("routing")] == ["access"]
    assert not await corrections.accept(one.example, "ann", after(51)), "it waits no longer"
    async with database.transaction() as session:
        await session.execute(update(ExampleRow).values(held=Held.DISPUTED, quarantined=True))
    assert not await corrections.accept(one.example, "ann", after(52)), "its leads have to settle that"


async def test_the_memorys_digest_is_another_after_every_change_and_else_the_same(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    """A comparison that was interrupted continues only while the digest is the same."""
    memory = PostgresMemory(database, "minilm")
    before = await memory.digest()
    await corrected(ledger, outbox)
    learned = await memory.digest()
    assert learned == await memory.digest() != before
    async with database.transaction() as session:
        await session.execute(update(ExampleRow).values(retired_by="routing-1"))
    assert await memory.digest() != learned
