"""What a training took, and what its adapter has decided since."""

import pytest

from bot.domain.learning import Judged
from bot.domain.training_cost import TrainedAdapter
from db.engine import Database
from db.ledger import PostgresLedger
from db.registry import PostgresRegistry
from db.training_costs import PostgresTrainingCosts
from tests.integration.db.scenes import after, routed
from tests.integration.db.test_registry import PROMOTED, REFUSED, adapter


@pytest.fixture
def registry(database: Database) -> PostgresRegistry:
    return PostgresRegistry(database)


async def test_a_cycle_from_its_drawing_up_to_its_verdict_and_the_decisions_since(
    database: Database, registry: PostgresRegistry, ledger: PostgresLedger
) -> None:
    costs = PostgresTrainingCosts(database)
    await routed(ledger, start=-1_000)  # before it served
    await registry.request_cycle("routing", "cli", "k", after(0))
    async with registry.claim_cycle(after(10)) as cycle:
        assert cycle is not None
        await registry.conclude_cycle(cycle, Judged(adapter("routing-1"), None, PROMOTED), [], after(610))
    await routed(ledger, "where is it", "m2", 1_000)
    await routed(ledger, "and where now", "m3", 2_000)
    assert await costs.trained("routing", "routing-1") == TrainedAdapter("routing-1", 600.0, after(610), 2)


async def test_what_never_served_or_came_with_the_program_was_not_paid_for_here(
    database: Database, registry: PostgresRegistry
) -> None:
    costs = PostgresTrainingCosts(database)
    await registry.request_cycle("routing", "cli", "k", after(0))
    async with registry.claim_cycle(after(1)) as cycle:
        assert cycle is not None
        await registry.conclude_cycle(cycle, Judged(adapter("routing-1"), None, REFUSED), [], after(2))
    await registry.add_adapter(adapter("starter"))
    await registry.promote("routing", "starter", "starter", "", after(3), base="starter")
    assert await costs.trained("routing", "routing-1") is None
    assert await costs.trained("routing", "starter") is None
