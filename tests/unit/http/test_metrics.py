"""What Prometheus reads: figures, and never what anybody wrote."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from bot.domain.conversations import State
from bot.domain.correction_life import Stage
from bot.domain.errors import Unreachable
from bot.domain.failures import STEPS, Failure, ItemKey
from bot.domain.messages import MessageRef, Person
from bot.domain.queries import Account, Request, Week
from bot.http.app import WebApp
from bot.http.metrics import Metrics
from tests.fakes_failed_items import FakeFailedItems

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
BUSY = {
    "undecided": 2.0,
    "unsaid": 1.0,
    "given_up": 3.0,
    "oldest_undecided_seconds": 40.0,
    "oldest_unsaid_seconds": 5.0,
}
SOURCE = MessageRef("web", "customer", "1")


@dataclass
class Figures:
    """Insight with the figures that a test gives it."""

    of_week: Week = field(default_factory=lambda: Week(decided=20, corrected=1, asked=4))
    down: bool = False
    slow: asyncio.Event | None = None
    counted: int = 0

    async def backlog(self, now: datetime) -> Mapping[str, float]:
        if self.down:
            raise Unreachable("the database does not answer")
        if self.slow is not None:
            await self.slow.wait()
        return BUSY

    async def decisions(self) -> Mapping[tuple[str, str, str, str, str], int]:
        self.counted += 1
        return {
            ("slack", "routing", "billing", "model", "en"): 12,
            ("slack", "routing", "billing", "model", "pt"): 7,
            ("slack", "routing", "billing", "lead", "pt"): 2,
        }

    async def corrections(self) -> Mapping[tuple[str, Stage], int]:
        return {("routing", Stage.REMEMBERED): 3, ("routing", Stage.LEARNED): 2}

    async def rules_applied(self) -> Mapping[str, int]:
        return {"invoices": 4}

    async def requests_of(self, person: Person, limit: int) -> list[Request]:
        return [Request(1, None, State.NEW, "I was charged twice", SOURCE, None, NOW, "Ben")]

    async def requests(
        self, states: Sequence[State], label: str | None, before: int | None, limit: int
    ) -> list[Request]:
        return []

    async def doubtful(self, limit: int) -> list[Request]:
        return await self.requests_of(Person("web", "customer", "Cleo"), limit)

    async def account(self, ref: MessageRef) -> Account | None:
        return None

    async def week(self, now: datetime) -> Week:
        return self.of_week


async def told(metrics: Metrics) -> dict[str, float]:
    """Every sample: its name and labels in their order, and its value."""
    await metrics.refresh()
    text = generate_latest(metrics.registry).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {" ".join([s.name, *(value for _, value in sorted(s.labels.items()))]): s.value for s in samples}


async def test_counts_and_ages_are_told() -> None:
    failures = FakeFailedItems()
    await failures.failed(Failure(ItemKey("press", "7", 3), "KeyError", final=True), NOW)
    figures = await told(Metrics(Figures(), lambda: NOW, failures, lambda: "open"))
    assert figures == {
        **{f"switchboard_failed_items {step}": 0 for step in STEPS},
        "switchboard_failed_items press": 1,
        "switchboard_database_up": 1,
        "switchboard_model_circuit closed": 0,
        "switchboard_model_circuit half_open": 0,
        "switchboard_model_circuit open": 1,
        "switchboard_waiting undecided": 2,
        "switchboard_waiting unsaid": 1,
        "switchboard_oldest_waiting_seconds undecided": 40,
        "switchboard_oldest_waiting_seconds unsaid": 5,
        "switchboard_posts_given_up": 3,
        "switchboard_decisions model billing slack routing": 19,
        "switchboard_decisions lead billing slack routing": 2,
        "switchboard_corrections billing slack routing": 2,
        "switchboard_decisions_by_language model en routing": 12,
        "switchboard_decisions_by_language model pt routing": 7,
        "switchboard_decisions_by_language lead pt routing": 2,
        **{f"switchboard_corrections_by_stage {stage} routing": 0 for stage in Stage},
        "switchboard_corrections_by_stage remembered routing": 3,
        "switchboard_corrections_by_stage learned routing": 2,
        "switchboard_rule_decisions invoices": 4,
        "switchboard_week decided": 20,
        "switchboard_week corrected": 1,
        "switchboard_week asked": 4,
        "switchboard_week_accuracy": 0.95,
    }


async def test_a_week_without_decisions_has_no_accuracy() -> None:
    figures = await told(Metrics(Figures(Week(0, 0, 0)), lambda: NOW, FakeFailedItems()))
    assert figures["switchboard_week_accuracy"] == pytest.approx(float("nan"), nan_ok=True)


async def test_a_database_that_is_down_shows_as_down() -> None:
    queries = Figures()
    metrics = Metrics(queries, lambda: NOW, FakeFailedItems())
    await told(metrics)
    queries.down = True
    assert (await told(metrics))["switchboard_database_up"] == 0


async def test_a_database_that_is_slow_is_not_down_and_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    queries = Figures(slow=asyncio.Event())
    metrics = Metrics(queries, lambda: NOW, FakeFailedItems())
    monkeypatch.setattr("bot.http.metrics._PATIENCE", 0.01)
    for _ in range(3):
        assert (await told(metrics))["switchboard_database_up"] == 1
    assert queries.slow is not None
    queries.slow.set()
    monkeypatch.setattr("bot.http.metrics._PATIENCE", 5.0)
    assert (await told(metrics))["switchboard_waiting undecided"] == 2
    assert queries.counted == 1


async def test_what_changes_slowly_is_not_counted_for_every_scrape() -> None:
    queries = Figures()
    metrics = Metrics(queries, lambda: NOW, FakeFailedItems())
    for _ in range(5):
        await told(metrics)
    assert queries.counted == 1


@pytest.mark.parametrize(("parts", "status"), [({"database": True, "slack": True}, 200), ({"model": False}, 503)])
def test_readiness_names_every_part(parts: dict[str, bool], status: int) -> None:
    async def readiness() -> Mapping[str, bool]:
        return parts

    site = TestClient(WebApp(readiness, Metrics(Figures(), lambda: NOW, FakeFailedItems())).application([]))
    answer = site.get("/readyz")
    assert (answer.status_code, answer.json()) == (status, parts)
    assert site.get("/healthz").text == "ok\n"


def test_no_word_of_anybody_is_told() -> None:
    async def readiness() -> Mapping[str, bool]:
        return {}

    text = (
        TestClient(WebApp(readiness, Metrics(Figures(), lambda: NOW, FakeFailedItems())).application([]))
        .get("/metrics")
        .text
    )
    assert "switchboard_decisions" in text
    assert not [word for word in ("charged", "Cleo", "Ben", "customer") if word in text]


async def test_what_has_changed_is_an_alarm_by_task_and_measure() -> None:
    seen: dict[tuple[str, str], bool] = {}
    metrics = Metrics(Figures(), lambda: NOW, FakeFailedItems(), drift=lambda: seen)
    await metrics.refresh()
    assert metrics.registry.get_sample_value("switchboard_drift", {"task": "routing", "measure": "teams"}) is None
    seen |= {("routing", "teams"): True, ("routing", "words"): False}
    await metrics.refresh()
    drift = {
        m: metrics.registry.get_sample_value("switchboard_drift", {"task": "routing", "measure": m})
        for m in ("teams", "words")
    }
    assert drift == {"teams": 1.0, "words": 0.0}


async def test_silent_signals_are_counted_apart_from_corrections() -> None:
    metrics = Metrics(Figures(), lambda: NOW, FakeFailedItems(), silent=lambda: {("routing", "correction"): 3})
    await metrics.refresh()
    labels = {"task": "routing", "kind": "correction"}
    assert metrics.registry.get_sample_value("switchboard_silent_signals", labels) == 3.0
