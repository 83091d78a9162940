"""How a champion's decisions were judged, and the rollback: once, however many processes there are."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.domain.automatic_rollback import Corrections
from bot.domain.learning import Judged, Outcome, Verdict
from bot.domain.posts import Post
from bot.domain.report_posts import LearningReport, Withdrawal
from bot.domain.team_changes import Kind, TeamChange
from bot.flow.rollback import AutomaticRollback
from db.engine import Database, open_database
from db.outbox import PostgresOutbox
from db.registry import PostgresRegistry
from db.team_changes import PostgresTeamChanges
from tests.integration.db.scenes import START, after
from tests.integration.db.test_registry import adapter
from tests.samples import TASK

DAY = timedelta(days=1)
FIRST, SECOND = START, START + 30 * DAY
"""When the two adapters were promoted."""
LATER = SECOND + 20 * DAY
_CONVERSATIONS = """
    INSERT INTO conversations (platform, chat, person_id, person_name, state, started_at, last_at, heard_at, version,
        asked, asked_for_words, resting, task, label)
    SELECT 'slack', 'C', 'p' || n, '', 'routed', :at, :at, :at, 1, false, false, false, 'routing', 'billing'
    FROM generate_series(1, :count) n RETURNING id
"""
_DECISIONS = """
    INSERT INTO decisions (conversation_id, task, label, by, reason, probabilities, adapter, evidence, candidates, at)
    SELECT id, 'routing', 'billing', :by, 'confident', '{}', :adapter, '{}', CAST(:candidates AS text[]), :at
    FROM unnest(CAST(:ids AS bigint[])) id
"""
_CORRECTIONS = """
    INSERT INTO corrections (conversation_id, task, before, label, lead, at, confirms, disputed, withdrawn_at)
    SELECT id, 'routing', 'billing', :label, 'slack:lead', :at, :confirms, false, :withdrawn
    FROM unnest(CAST(:ids AS bigint[])) id
"""


class Desk:
    """Decisions of adapters, and what leads said about them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.registry = PostgresRegistry(database)

    async def decided(
        self, by_adapter: str | None, count: int, days: float, by: str = "model", candidates: str = "{}"
    ) -> list[int]:
        """So many conversations that were decided so many days after the start; their ids."""
        at = START + days * DAY
        async with self.database.transaction() as session:
            ids = list(await session.scalars(text(_CONVERSATIONS), {"at": at, "count": count}))
            values = {"by": by, "adapter": by_adapter, "candidates": candidates, "at": at, "ids": ids}
            await session.execute(text(_DECISIONS), values)
        return ids

    async def corrected(self, ids: list[int], label: str = "access", withdrawn: bool = False) -> None:
        at = LATER if withdrawn else None
        values = {"label": label, "at": SECOND, "confirms": label == "billing", "withdrawn": at, "ids": ids}
        async with self.database.transaction() as session:
            await session.execute(text(_CORRECTIONS), values)

    async def promoted(self, number: int, by_gate: bool = True) -> None:
        made, now = adapter(f"routing-{number}"), FIRST if number == 1 else SECOND
        if not by_gate:
            await self.registry.add_adapter(made)
            await self.registry.promote("routing", made.name, "command", "by hand", now, base="starter")
            return
        champion = await self.registry.champion("routing", "starter")
        await self.registry.request_cycle("routing", "schedule", made.name, now)
        async with self.registry.claim_cycle(now) as cycle:
            assert cycle is not None
            verdict = Verdict(True, ("better",), {"n": 400.0, "p_value": 0.001})
            await self.registry.conclude_cycle(cycle, Judged(made, champion, verdict), [], now)


@pytest.fixture
async def desk(database: Database) -> Desk:
    built = Desk(database)
    await built.promoted(1)
    await built.promoted(2)
    return built


async def test_only_what_the_adapter_decided_unasked_and_leads_could_correct_counts(desk: Desk) -> None:
    before = await desk.decided("routing-1", 50, 10)
    await desk.corrected(before[:4])
    now = await desk.decided("routing-2", 40, 35)
    await desk.corrected(now[:6])
    await desk.corrected(now[6:10], label="billing")
    await desk.corrected(now[10:12], withdrawn=True)
    await desk.decided("routing-2", 7, 35, by="person")
    await desk.decided("routing-2", 7, 35, candidates="{billing,access}")
    await desk.corrected(await desk.decided(None, 7, 35, by="fallback"))
    await desk.corrected(await desk.decided("routing-2", 7, 25))  # when it served before, or was tested
    serving = await desk.registry.serving("routing", "starter", START + 36.5 * DAY)
    assert serving is not None
    assert (serving.adapter, serving.previous) == ("routing-2", "routing-1")
    assert (serving.now, serving.before) == (Corrections(40, 6), Corrections(50, 4))
    early = await desk.registry.serving("routing", "starter", START + 35.5 * DAY)
    assert early is not None
    assert early.now == Corrections(0, 0), "leads have a day"


async def test_a_team_that_was_renamed_since_is_no_other_team(desk: Desk) -> None:
    ids = await desk.decided("routing-2", 10, 35)
    await desk.corrected(ids[:3])
    async with desk.database.transaction() as session:
        # Moved there and back: the ruling that stands names the team that the adapter had found
        back = "UPDATE corrections SET label = 'billing' WHERE conversation_id = :id"
        await session.execute(text(back), {"id": ids[0]})
    serving = await desk.registry.serving("routing", "starter", LATER)
    assert serving is not None
    assert serving.now == Corrections(10, 2)
    renamed = replace(
        TASK, labels=tuple(replace(one, name="invoices") if one.name == "billing" else one for one in TASK.labels)
    )
    change = TeamChange(Kind.RENAME, "billing", "invoices", "ann")
    await PostgresTeamChanges(desk.database).change(renamed, change, lambda *_: [], LATER, dry_run=False)
    after_it = await desk.registry.serving("routing", "starter", LATER)
    assert after_it is not None
    assert after_it.now == Corrections(10, 2)


async def test_two_lookers_withdraw_once_and_say_so_once(desk: Desk, database_url: str, outbox: PostgresOutbox) -> None:
    await desk.corrected((await desk.decided("routing-1", 500, 10))[:40])
    await desk.corrected((await desk.decided("routing-2", 300, 35))[:75])
    async with open_database(database_url) as second:
        records = [desk.registry, PostgresRegistry(second)]
        lookers = [AutomaticRollback([TASK], "starter", record, lambda: LATER) for record in records]
        await asyncio.gather(*(looker.step() for looker in lookers for _ in range(2)))
    champion = await desk.registry.champion("routing", "starter")
    assert champion is not None
    assert champion.name == "routing-1"
    withdrawal = Withdrawal("routing-2", 300, 75, 500, 40)
    said = LearningReport("routing", "routing-1", False, (), withdrawal)
    assert [item.post for item in await outbox.claim_due(["web", "slack", "telegram"], LATER, 10)] == [
        Post(place, said) for place in TASK.label(TASK.fallback).deliver_to.values()
    ]
    [newest, *older] = await desk.registry.history("routing", 10)
    assert (newest.what, newest.by, newest.adapter, len(older)) == (Outcome.ROLLED_BACK, "rollback", "routing-1", 2)
    assert newest.why.startswith("rolled back from routing-2: leads corrected 75 of its 300 decisions")
    assert await desk.registry.serving("routing", "starter", LATER) is None, "whoever went back stays"


async def test_what_a_lead_chose_by_hand_and_what_nothing_served_before_stays(database: Database) -> None:
    desk = Desk(database)
    assert await desk.registry.serving("routing", "starter", LATER) is None
    await desk.promoted(1)
    assert await desk.registry.serving("routing", "starter", LATER) is None
    await desk.promoted(2, by_gate=False)
    assert await desk.registry.serving("routing", "starter", LATER) is None


async def test_who_was_replaced_meanwhile_is_not_withdrawn(desk: Desk) -> None:
    serving = await desk.registry.serving("routing", "starter", LATER)
    assert serving is not None
    await desk.registry.rollback("routing", "command", after(9), base="starter")
    assert not await desk.registry.withdraw(serving, "rolled back from routing-2", [], LATER)
    assert len(await desk.registry.history("routing", 10)) == 3


async def test_an_adapter_of_another_base_is_nothing_to_go_back_to(desk: Desk) -> None:
    assert await desk.registry.serving("routing", "another base", LATER) is None
