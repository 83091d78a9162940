"""A canary begins with a verdict, ends once, and also ends when somebody moves the pointer."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.domain.automatic_rollback import Corrections
from bot.domain.canary import LEAST, Canary, End, Record
from bot.domain.learning import Judged, Outcome, Verdict
from bot.domain.report_posts import LearningReport
from bot.domain.unlearning import Withdrawn
from bot.flow.canary import CanaryWatch
from db.canaries import PostgresCanaries
from db.engine import Database, open_database
from db.outbox import PostgresOutbox
from db.registry import PostgresRegistry
from db.retention import PostgresRetention
from db.server.backup_facts import serving_adapters
from db.unlearning import PostgresUnlearning
from tests.integration.db.scenes import START
from tests.integration.db.test_automatic_rollback import DAY, Desk
from tests.integration.db.test_registry import adapter
from tests.samples import TASK

BEGAN = START + 10 * DAY
LATER = BEGAN + LEAST + timedelta(days=2)


class Trials:
    def __init__(self, database: Database) -> None:
        self.desk = Desk(database)
        self.canaries = PostgresCanaries(database, self.desk.registry)

    async def begin(self, number: int = 2, share: float = 0.1) -> None:
        made, registry = adapter(f"routing-{number}"), self.desk.registry
        champion = await registry.champion("routing", "starter")
        await registry.request_cycle("routing", "schedule", made.name, BEGAN)
        async with registry.claim_cycle(BEGAN) as cycle:
            assert cycle is not None
            judged = Judged(made, champion, Verdict(True, ("better",)), share)
            await registry.conclude_cycle(cycle, judged, [], BEGAN)

    async def running(self) -> Canary | None:
        return await self.canaries.canary("routing", "starter")

    async def on_trial(self) -> bool:
        """Whether a canary is on trial, as the registry says with the champion, so that no separate query is needed."""
        champion = await self.desk.registry.champion("routing", "starter")
        return champion is not None and champion.on_trial

    async def serves(self) -> str | None:
        found = await self.desk.registry.champion("routing", "starter")
        return None if found is None else found.name

    def watch(self, canaries: PostgresCanaries | None = None) -> CanaryWatch:
        return CanaryWatch([TASK], "starter", canaries or self.canaries, lambda: LATER)


@pytest.fixture
async def trials(database: Database) -> Trials:
    built = Trials(database)
    await built.desk.promoted(1)
    return built


async def test_what_the_gate_let_through_serves_a_share_beside_the_champion(trials: Trials) -> None:
    await trials.begin()
    canary = await trials.running()
    assert canary is not None
    assert (canary.adapter.name, canary.champion, canary.share, canary.started) == (
        "routing-2",
        "routing-1",
        0.1,
        BEGAN,
    )
    assert (await trials.serves(), await trials.on_trial()) == ("routing-1", True)
    assert await trials.canaries.canary("routing", "another base") is None
    newest = (await trials.desk.registry.history("routing", 1))[0]
    assert (newest.what, newest.adapter, newest.why) == (
        Outcome.CANARY,
        "routing-2",
        "serves 10% of the requests first",
    )


async def test_the_first_adapter_and_a_share_of_nothing_serve_at_once(database: Database) -> None:
    trials = Trials(database)
    await trials.begin(1)
    assert (await trials.running(), await trials.serves(), await trials.on_trial()) == (None, "routing-1", False)
    await trials.begin(2, share=0.0)
    assert (await trials.running(), await trials.serves()) == (None, "routing-2")


async def test_one_that_is_corrected_too_often_is_withdrawn_once_by_any_number_of_processes(
    trials: Trials, database_url: str
) -> None:
    await trials.begin()
    await trials.desk.corrected((await trials.desk.decided("routing-1", 400, 11))[:40])
    await trials.desk.corrected((await trials.desk.decided("routing-2", 80, 11))[:40])
    canary = await trials.running()
    assert canary is not None
    assert await trials.canaries.record(canary, LATER) == Record(Corrections(80, 40), Corrections(400, 40))
    async with open_database(database_url) as second:
        other = PostgresCanaries(second, PostgresRegistry(second))
        await asyncio.gather(*(trials.watch(one).step() for one in (None, other, None, other)))
    assert (await trials.running(), await trials.serves()) == (None, "routing-1")
    said = await PostgresOutbox(trials.desk.database).claim_due(["web"], LATER, 10)
    assert [type(item.post.content) for item in said] == [LearningReport for _ in TASK.label("triage").deliver_to]
    newest = (await trials.desk.registry.history("routing", 1))[0]
    assert (newest.what, newest.by) == (Outcome.WITHDRAWN, "canary")
    assert newest.why == ("as a canary of 10% leads corrected 40 of its 80 decisions, and 40 of 400 of routing-1")


async def test_one_that_is_no_worse_serves_everybody_in_the_end_as_the_gate_had_it(trials: Trials) -> None:
    await trials.begin()
    await trials.desk.corrected((await trials.desk.decided("routing-1", 900, 11))[:90])
    await trials.watch().step()
    assert await trials.running() is not None, "too little is known of it"
    await trials.desk.corrected((await trials.desk.decided("routing-2", 300, 11))[:27])
    await trials.watch().step()
    assert (await trials.running(), await trials.serves()) == (None, "routing-2")
    newest = (await trials.desk.registry.history("routing", 1))[0]
    assert (newest.what, newest.by) == (Outcome.SERVES, "gate")
    assert await trials.desk.registry.serving("routing", "starter", LATER) is not None, "it may still go back by itself"


async def test_leads_hear_in_their_rooms_how_the_canary_of_a_further_question_ended(trials: Trials) -> None:
    await trials.begin()
    await trials.desk.corrected((await trials.desk.decided("routing-1", 400, 11))[:40])
    await trials.desk.corrected((await trials.desk.decided("routing-2", 80, 11))[:40])
    # The adapter's task is a question: none of its labels has a room
    question = replace(TASK, labels=tuple(replace(one, deliver_to={}) for one in TASK.labels))
    leads = replace(TASK, name="teams")
    await CanaryWatch([leads, question], "starter", trials.canaries, lambda: LATER).step()
    said = await PostgresOutbox(trials.desk.database).claim_due(["web", "slack", "telegram"], LATER, 10)
    assert [item.post.place for item in said] == list(leads.label(leads.fallback).deliver_to.values())
    assert [getattr(item.post.content, "task", "") for item in said] == ["routing" for _ in said]


async def test_a_pointer_that_moves_and_another_candidate_end_it(trials: Trials) -> None:
    await trials.begin()
    stale = await trials.running()
    assert stale is not None
    await trials.begin(3)
    running = await trials.running()
    assert running is not None
    assert running.adapter.name == "routing-3"
    await trials.desk.registry.promote("routing", "routing-2", "slack:lead", "by hand", LATER, base="starter")
    assert (await trials.running(), await trials.on_trial()) == (None, False)
    await trials.watch().step()
    assert await trials.serves() == "routing-2"


async def test_one_whose_time_is_over_serves_no_share_any_more(trials: Trials) -> None:
    await trials.begin()
    unlearning, day = PostgresUnlearning(trials.desk.database), BEGAN + 2 * DAY
    async with trials.desk.database.transaction() as session:
        forgotten = text("UPDATE adapters SET retires_at = :day WHERE name = 'routing-2'")
        await session.execute(forgotten, {"day": day})
    assert await unlearning.due("routing", "starter", day - timedelta(seconds=1)) == ()
    assert await trials.running() is not None, "until its day it may serve"
    gone = await unlearning.due("routing", "starter", day)
    assert gone == (Withdrawn("routing-2", "routing-1"),), "the champion stays"
    assert await unlearning.withdraw("routing", "starter", gone, [], day)
    assert (await trials.running(), await trials.serves(), await trials.on_trial()) == (None, "routing-1", False)
    newest = (await trials.desk.registry.history("routing", 1))[0]
    assert (newest.what, newest.at) == (Outcome.WITHDRAWN, day)
    assert newest.why == "routing-2 had learned from texts of somebody who was forgotten"
    await trials.watch().step()
    assert await trials.serves() == "routing-1"


async def test_its_files_are_kept_and_backed_up_as_long_as_it_is_on_trial(trials: Trials, database_url: str) -> None:
    await trials.begin()
    await trials.desk.registry.add_adapter(replace(adapter("routing-3"), made=BEGAN + DAY))
    kept, long_after = PostgresRetention(trials.desk.database), BEGAN + 100 * DAY
    assert await kept.never_served(long_after) == []
    assert [path for path, _ in await saved(database_url)] == [str(adapter(f"routing-{n}").path) for n in (1, 2)]
    running = await trials.running()
    assert running is not None
    await trials.canaries.end(running, End.WITHDRAWN, "corrected too often", [], LATER)
    assert await kept.never_served(long_after) == ["routing-2"]
    assert [path for path, _ in await saved(database_url)] == [str(adapter("routing-1").path)]


async def saved(database_url: str) -> list[tuple[str, str | None]]:
    """The adapters that a backup of now holds."""
    return await asyncio.to_thread(serving_adapters, database_url)
