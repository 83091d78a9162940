"""What Prometheus sees: counts and ages, never a text, a name or a token."""

from collections.abc import Callable
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge

from bot.domain.errors import Unreachable
from bot.domain.ports import Insight


class Metrics:
    """Gauges read from the database when somebody looks."""

    def __init__(self, insight: Insight, now: Callable[[], datetime]) -> None:
        self._insight = insight
        self._now = now
        self.registry = CollectorRegistry()
        self._up = Gauge("switchboard_database_up", "1 when the database answers", registry=self.registry)
        self._backlog = Gauge("switchboard_backlog", "What waits", ["what"], registry=self.registry)
        self._decisions = Gauge(
            "switchboard_decisions", "Decisions ever made", ["task", "label", "by"], registry=self.registry
        )

    async def refresh(self) -> None:
        """Read the figures anew; a database that is down shows as down instead of failing the scrape."""
        try:
            backlog = await self._insight.backlog(self._now())
            decisions = await self._insight.decisions()
        except Unreachable:
            self._up.set(0)
            return
        self._up.set(1)
        for what, value in backlog.items():
            self._backlog.labels(what).set(value)
        for (task, label, author), count in decisions.items():
            self._decisions.labels(task, label, author).set(count)
