"""Which candidate is in the shadow, which requests it was not asked about, and what it would have changed."""

import pytest
from sqlalchemy import text

from bot.domain.learning import Judged, Verdict
from bot.domain.shadow import ShadowFigures
from db.engine import Database
from db.shadow import PostgresShadows
from tests.integration.db.scenes import START, after
from tests.integration.db.test_automatic_rollback import DAY, LATER, Desk
from tests.integration.db.test_registry import REFUSED, adapter


async def refused(desk: Desk, number: int, verdict: Verdict = REFUSED) -> None:
    """A candidate that was made and refused ten days after the start."""
    made = adapter(f"routing-{number}", minutes=10 * 24 * 60)
    champion = await desk.registry.champion("routing", "starter")
    await desk.registry.request_cycle("routing", "schedule", made.name, made.made)
    async with desk.registry.claim_cycle(made.made) as cycle:
        assert cycle is not None
        await desk.registry.conclude_cycle(cycle, Judged(made, champion, verdict), [], made.made)


@pytest.fixture
async def desk(database: Database) -> Desk:
    built = Desk(database)
    await built.promoted(1)
    return built


@pytest.fixture
def shadows(desk: Desk) -> PostgresShadows:
    return PostgresShadows(desk.database, desk.registry)


async def test_the_newest_candidate_that_was_refused_is_in_the_shadow(desk: Desk, shadows: PostgresShadows) -> None:
    assert await shadows.shadow("routing", "starter") is None, "the newest serves"
    await refused(desk, 3)
    await refused(desk, 4)
    found = await shadows.shadow("routing", "starter")
    assert found is not None
    assert found.name == "routing-4"
    assert await shadows.shadow("routing", "another base") is None
    await desk.registry.promote("routing", "routing-4", "slack:lead", "by hand", LATER, base="starter")
    assert await shadows.shadow("routing", "starter") is None


async def test_a_candidate_that_learned_from_somebody_forgotten_is_in_the_shadow_no_more(
    desk: Desk, shadows: PostgresShadows
) -> None:
    await refused(desk, 3)
    await refused(desk, 4)
    last_day = text("UPDATE adapters SET retires_at = :day WHERE name = :name")
    async with desk.database.transaction() as session:
        await session.execute(last_day, {"day": LATER, "name": "routing-3"})
    assert await shadows.shadow("routing", "starter") is not None, "an earlier one learned from them"
    async with desk.database.transaction() as session:
        await session.execute(last_day, {"day": LATER + 30 * DAY, "name": "routing-4"})
    assert await shadows.shadow("routing", "starter") is None


async def test_what_came_since_and_was_decided_unasked_is_heard_once_and_counted(
    desk: Desk, shadows: PostgresShadows
) -> None:
    await refused(desk, 3)
    await desk.decided("routing-1", 3, 5)
    heard = await desk.decided("routing-1", 6, 20)
    erased = await desk.decided("routing-1", 1, 20)
    await desk.decided("routing-1", 2, 20, candidates="{billing,access}")
    await desk.decided(None, 2, 20, by="lead")
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE conversations SET text = 'where is it'"))
        await session.execute(text("UPDATE conversations SET text = '' WHERE id = :id"), {"id": erased[0]})
    shadow = await shadows.shadow("routing", "starter")
    assert shadow is not None
    assert {one.conversation for one in await shadows.unheard(shadow, 10)} == set(heard)
    assert len(await shadows.unheard(shadow, 4)) == 4
    labels = dict.fromkeys(heard, "access") | {heard[0]: "billing", heard[1]: "triage"}
    for _ in range(2):
        await shadows.heard(shadow, labels, START + 21 * DAY)
    await shadows.heard(shadow, {}, after(0))
    assert await shadows.unheard(shadow, 10) == []
    await desk.corrected(heard[:3], label="access")
    await desk.corrected(heard[3:4], label="access", withdrawn=True)
    await desk.corrected(heard[4:5], label="billing")
    assert await shadows.shadow_figures("routing") == [ShadowFigures("routing-3", 6, 5, 1)]
    assert await shadows.shadow_figures("sentiment") == []
    async with desk.database.transaction() as session:
        renamed = "INSERT INTO label_changes (task, kind, before, after, by, at, touched) VALUES "
        await session.execute(text(renamed + "('routing', 'rename', 'access', 'logins', 'ann', now(), '{}')"))
        await session.execute(text("UPDATE corrections SET label = 'logins' WHERE label = 'access'"))
    assert await shadows.shadow_figures("routing") == [ShadowFigures("routing-3", 6, 5, 1)], "it follows the new name"
