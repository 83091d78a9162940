"""What Prometheus sees: counts and ages, never a text, a name or a token."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge

from bot.domain.decisions import Author
from bot.domain.errors import Unreachable
from bot.domain.failures import STEPS
from bot.domain.ports import FailedItems
from bot.domain.queries import Queries, Week

CIRCUIT = ("closed", "half_open", "open")
"""Questions go through; one is on its way to find out; none is asked."""


class Metrics:
    """Gauges read from the database when somebody looks."""

    def __init__(
        self,
        queries: Queries,
        now: Callable[[], datetime],
        failures: FailedItems,
        circuit: Callable[[], str] = lambda: "closed",
    ) -> None:
        """`circuit`: whether questions of this process reach the model now: one of CIRCUIT."""
        self._insight = queries
        self._now = now
        self._failures = failures
        self._circuit = circuit
        self.registry = CollectorRegistry()
        self._up = self._gauge("database_up", "1 when the database answers")
        self._model = self._gauge("model_circuit", "1 for the state of the circuit breaker before the model", "state")
        self._waiting = self._gauge("waiting", "Conversations without a decision; posts not said yet", "what")
        self._oldest = self._gauge("oldest_waiting_seconds", "How long the oldest of them has waited", "what")
        self._given_up = self._gauge("posts_given_up", "Posts that will never be said, ever")
        self._failed = self._gauge("failed_items", "Items set aside after too many failures", "step")
        self._decisions = self._gauge("decisions", "Decisions ever made", "platform", "task", "label", "by")
        self._corrections = self._gauge("corrections", "Moves by leads ever made", "platform", "task", "label")
        self._week = self._gauge("week", "Conversations routed, corrected by leads, asked about, in 7 days", "what")
        self._accuracy = self._gauge("week_accuracy", "Share of the week's routed conversations that no lead moved")

    async def refresh(self) -> None:
        """Read the figures anew; a database that is down shows as down instead of failing the scrape."""
        now = self._now()
        for state in CIRCUIT:
            self._model.labels(state).set(self._circuit() == state)
        try:
            backlog = await self._insight.backlog(now)
            decisions = await self._insight.decisions()
            week = await self._insight.week(now)
            failed = await self._failures.counts()
        except Unreachable:
            self._up.set(0)
            return
        self._up.set(1)
        self._show_backlog(backlog)
        self._show_decisions(decisions)
        self._show_week(week)
        self._show_failed(failed)

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"switchboard_{name}", says, labels, registry=self.registry)

    def _show_backlog(self, backlog: Mapping[str, float]) -> None:
        for what in ("undecided", "unsaid"):
            self._waiting.labels(what).set(backlog[what])
            self._oldest.labels(what).set(backlog[f"oldest_{what}_seconds"])
        self._given_up.set(backlog["given_up"])

    def _show_decisions(self, decisions: Mapping[tuple[str, str, str, str], int]) -> None:
        for (platform, task, label, author), count in decisions.items():
            self._decisions.labels(platform, task, label, author).set(count)
            if author == Author.LEAD:
                self._corrections.labels(platform, task, label).set(count)

    def _show_failed(self, failed: Mapping[str, int]) -> None:
        """Every step, those without failures too: an alarm on a rise must see the zero before it."""
        for step in STEPS:
            self._failed.labels(step).set(failed.get(step, 0))

    def _show_week(self, week: Week) -> None:
        for what, count in (("decided", week.decided), ("corrected", week.corrected), ("asked", week.asked)):
            self._week.labels(what).set(count)
        self._accuracy.set(1 - week.corrected / week.decided if week.decided else math.nan)
