"""Forgetting somebody affects the adapters that learned from them: a last day, another cycle, and no rollback."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.domain import compose
from bot.domain.errors import Refused, UsageError
from bot.domain.learning import Adapter, Cycle, Example, Judged, Phase, Side, Source, Verdict
from bot.domain.messages import Person
from bot.domain.posts import Post
from bot.domain.report_posts import LearningReport
from bot.domain.unlearning import Withdrawn
from bot.flow.forget import Unlearner
from db.engine import Database, open_database
from db.erasure import PostgresErasure
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.registry import PostgresRegistry
from db.unlearning import PostgresUnlearning
from inference.run_folder import RunFolders
from tests.integration.db.scenes import ANN, after
from tests.integration.db.test_erasure import _a_story
from tests.samples import TASK

WEEK = timedelta(days=7)
FORGOTTEN = after(100)


def adapter(name: str, seconds: float) -> Adapter:
    return Adapter(name, "routing", Path("/runs") / name, "starter", {"billing": "A"}, 1.0, after(seconds))


@pytest.fixture
def registry(database: Database) -> PostgresRegistry:
    return PostgresRegistry(database)


@pytest.fixture
def erasure(database: Database) -> PostgresErasure:
    return PostgresErasure(database, WEEK)


@pytest.fixture
def unlearning(database: Database) -> PostgresUnlearning:
    return PostgresUnlearning(database)


@pytest.fixture
async def story(ledger: PostgresLedger, outbox: PostgresOutbox, registry: PostgresRegistry) -> None:
    """Ann's words are taught at 12; two adapters were made before that, and the serving one learned from her."""
    for name, seconds in (("routing-1", 1), ("routing-2", 2), ("routing-3", 50)):
        await registry.add_adapter(adapter(name, seconds))
        await registry.promote("routing", name, "gate", "", after(seconds), base="starter")
    await _a_story(ledger, outbox)


async def serves(registry: PostgresRegistry) -> str | None:
    found = await registry.champion("routing", "starter")
    return None if found is None else found.name


async def withdrawn(unlearning: PostgresUnlearning) -> tuple[Withdrawn, ...]:
    """What stops serving on the last day."""
    gone = await unlearning.due("routing", "starter", FORGOTTEN + WEEK)
    assert await unlearning.withdraw("routing", "starter", gone, [], FORGOTTEN + WEEK)
    return gone


@pytest.mark.usefixtures("story")
async def test_it_serves_until_its_last_day_and_then_the_newest_that_never_knew_them(
    registry: PostgresRegistry, erasure: PostgresErasure, unlearning: PostgresUnlearning
) -> None:
    erased = await erasure.erase(ANN, FORGOTTEN)
    assert (erased.adapters, erased.serve_until) == (("routing-3",), FORGOTTEN + WEEK)
    assert [one.retires for one in await registry.adapters("routing")] == [None, None, FORGOTTEN + WEEK]
    assert await unlearning.due("routing", "starter", FORGOTTEN + WEEK - timedelta(seconds=1)) == ()
    assert await serves(registry) == "routing-3"
    assert await withdrawn(unlearning) == (Withdrawn("routing-3", "routing-2"),)
    assert await serves(registry) == "routing-2"
    assert await unlearning.due("routing", "starter", FORGOTTEN + WEEK) == ()


@pytest.mark.usefixtures("story")
async def test_nobody_brings_it_back(
    registry: PostgresRegistry, erasure: PostgresErasure, unlearning: PostgresUnlearning
) -> None:
    await erasure.erase(ANN, FORGOTTEN)
    await withdrawn(unlearning)
    late = FORGOTTEN + WEEK
    with pytest.raises(UsageError, match="routing-3 had learned from texts of somebody who was forgotten"):
        await registry.promote("routing", "routing-3", "lead", "", late, base="starter")
    with pytest.raises(UsageError, match="no adapter of routing served before this one"):
        await registry.rollback("routing", "lead", late, base="starter")


@pytest.mark.usefixtures("story")
async def test_two_processes_tell_leads_once_what_serves_instead(
    database_url: str, database: Database, outbox: PostgresOutbox, erasure: PostgresErasure, tmp_path: Path
) -> None:
    await erasure.erase(ANN, FORGOTTEN)
    async with open_database(database_url) as second:
        unlearners = [
            Unlearner([TASK], "starter", PostgresUnlearning(one), RunFolders(tmp_path), lambda: FORGOTTEN + WEEK)
            for one in (database, second)
        ]
        await asyncio.gather(*(unlearner.step() for unlearner in unlearners for _ in range(2)))
    told = LearningReport("routing", "routing-2", False, (), unlearned="routing-3")
    owed = [item.post for item in await outbox.claim_due(["web"], FORGOTTEN + WEEK, 100)]
    assert [post for post in owed if isinstance(post.content, LearningReport)] == [
        Post(place, told) for place in TASK.leads_rooms
    ]


@pytest.mark.usefixtures("story")
async def test_nothing_is_withdrawn_or_told_where_something_else_was_promoted_meanwhile(
    registry: PostgresRegistry, erasure: PostgresErasure, unlearning: PostgresUnlearning, outbox: PostgresOutbox
) -> None:
    await erasure.erase(ANN, FORGOTTEN)
    last = FORGOTTEN + WEEK
    gone = await unlearning.due("routing", "starter", last)
    await registry.promote("routing", "routing-1", "lead", "", last, base="starter")
    posts = compose.unlearned(TASK, gone[0])
    assert not await unlearning.withdraw("routing", "starter", gone, posts, last)
    assert await serves(registry) == "routing-1"
    owed = await outbox.claim_due(["web"], last, 100)
    assert not [item for item in owed if isinstance(item.post.content, LearningReport)]


async def test_where_none_is_left_the_other_voices_decide(
    ledger: PostgresLedger,
    outbox: PostgresOutbox,
    registry: PostgresRegistry,
    erasure: PostgresErasure,
    unlearning: PostgresUnlearning,
) -> None:
    await registry.add_adapter(adapter("routing-1", 50))
    await registry.promote("routing", "routing-1", "gate", "", after(50), base="starter")
    await _a_story(ledger, outbox)
    await erasure.erase(ANN, FORGOTTEN)
    assert await withdrawn(unlearning) == (Withdrawn("routing-1", None),)
    assert await serves(registry) is None
    await registry.add_adapter(adapter("routing-2", 200))
    await registry.promote("routing", "routing-2", "gate", "", after(300), base="starter")
    with pytest.raises(UsageError, match="served before this one"):
        await registry.rollback("routing", "lead", after(301), base="starter")


@pytest.mark.usefixtures("story")
async def test_a_cycle_without_them_is_asked_for_once(registry: PostgresRegistry, erasure: PostgresErasure) -> None:
    await erasure.erase(ANN, FORGOTTEN)
    await erasure.erase(ANN, after(200))
    [cycle] = await registry.cycles("routing", 5)
    assert (cycle.phase, cycle.requested_by) == (Phase.REQUESTED, "erasure")


@pytest.mark.usefixtures("story")
async def test_an_earlier_last_day_stays(
    database: Database, registry: PostgresRegistry, erasure: PostgresErasure
) -> None:
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE adapters SET retires_at = :day WHERE name = 'routing-3'"), {"day": after(500)}
        )
    await erasure.erase(ANN, FORGOTTEN)
    assert (await registry.adapters("routing"))[-1].retires == after(500)


async def learning(registry: PostgresRegistry, begins: datetime) -> None:
    assert await registry.request_cycle("routing", "lead", "now", begins)


async def concludes_nothing(registry: PostgresRegistry, cycle: Cycle) -> None:
    """The candidate is refused however good it is, because somebody was forgotten while it trained."""
    judged = Judged(adapter("routing-4", 110), adapter("routing-3", 50), Verdict(True, ("better",)))
    with pytest.raises(Refused, match="somebody was forgotten while it trained"):
        await registry.conclude_cycle(cycle, judged, [], after(120))
    await registry.fail_cycle(cycle, "forgotten", after(121))


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize("claims", [(5, 60), (11,)], ids=["taken up after a death", "being drawn up"])
async def test_words_that_came_after_a_cycle_began_may_be_in_the_set_that_it_draws_up(
    registry: PostgresRegistry, erasure: PostgresErasure, claims: tuple[float, ...]
) -> None:
    """Ann's words come at 12. Who takes a cycle up after a death, or is slow, draws up its set after that."""
    await learning(registry, after(5))
    for died in claims[:-1]:
        async with registry.claim_cycle(after(died)) as cycle:
            assert cycle is not None
    async with registry.claim_cycle(after(claims[-1])) as cycle:
        assert cycle is not None
        await registry.update_cycle(cycle, Phase.TRAINING, 0.5, "routing-4")
        await erasure.erase(ANN, FORGOTTEN)
        await concludes_nothing(registry, cycle)
    newest, *_ = await registry.cycles("routing", 5)
    assert (newest.phase, newest.requested_by) == (Phase.REQUESTED, "erasure"), "another one trains without them"


async def test_a_cycle_that_waits_has_no_set_yet(
    ledger: PostgresLedger, outbox: PostgresOutbox, registry: PostgresRegistry, erasure: PostgresErasure
) -> None:
    await _a_story(ledger, outbox)
    await learning(registry, after(60))
    await erasure.erase(ANN, FORGOTTEN)
    async with registry.claim_cycle(after(110)) as cycle:
        assert cycle is not None
        await registry.update_cycle(cycle, Phase.TRAINING, 0.5, "routing-4")
    assert len(await registry.cycles("routing", 5)) == 1


@pytest.mark.usefixtures("story")
async def test_a_cycle_whose_training_set_held_their_words_concludes_nothing_and_another_follows(
    registry: PostgresRegistry, erasure: PostgresErasure
) -> None:
    await learning(registry, after(60))
    async with registry.claim_cycle(after(60)) as cycle:
        assert cycle is not None
        await registry.update_cycle(cycle, Phase.TRAINING, 0.5, "routing-4")
        await erasure.erase(ANN, FORGOTTEN)
        await concludes_nothing(registry, cycle)
    assert await serves(registry) == "routing-3"
    assert [one.requested_by for one in await registry.cycles("routing", 5)] == ["erasure", "lead"]


@pytest.mark.usefixtures("story")
async def test_who_taught_nothing_disturbs_no_cycle(
    database: Database, registry: PostgresRegistry, erasure: PostgresErasure
) -> None:
    example = Example("a file's own text", "billing", Source.IMPORT, Side.TRAIN, after(0))
    await PostgresExamples(database).add_examples("routing", [example])
    await learning(registry, after(60))
    async with registry.claim_cycle(after(60)) as cycle:
        assert cycle is not None
        await registry.update_cycle(cycle, Phase.SCORING, 0.5, "routing-4")
        await erasure.erase(Person("telegram", "nobody"), FORGOTTEN)
        champion = await registry.champion("routing", "starter")
        judged = Judged(adapter("routing-4", 110), champion, Verdict(True, ("better",)))
        await registry.conclude_cycle(cycle, judged, [], after(120))
    assert await serves(registry) == "routing-4"
    assert len(await registry.cycles("routing", 5)) == 1
