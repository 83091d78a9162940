"""The Prometheus metrics: counts and ages, never a text, a name or a token."""

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.registry import Collector

from bot.domain.correction_life import Stage
from bot.domain.decisions import Author
from bot.domain.errors import Unreachable
from bot.domain.failures import STEPS
from bot.domain.ports import FailedItems
from bot.domain.queries import Queries, Week

_PATIENCE = 3.0
"""Seconds that a scrape waits for the database."""
_FRESH = 5.0
"""Seconds for which slowly changing figures are not read again, however many scrapes there are."""
CIRCUIT = ("closed", "half_open", "open")
"""Questions pass; one is trying whether the model is back; none is asked."""


Learned = Callable[[datetime], Awaitable[Mapping[str, tuple[float | None, float]]]]
"""Task -> (age in seconds of the adapter that serves, None where none does; progress of its newest cycle)."""

Answering = Callable[[], Awaitable[Mapping[str, bool]]]
"""Model server -> whether it answers now."""


class Metrics:
    """Gauges read from the database on each scrape."""

    def __init__(
        self,
        queries: Queries,
        now: Callable[[], datetime],
        failures: FailedItems,
        circuit: Callable[[], str] = lambda: "closed",
        drift: Callable[[], Mapping[tuple[str, str], bool]] = dict,
        broken: Callable[[datetime], Awaitable[Mapping[str, int]]] | None = None,
        silent: Callable[[], Mapping[tuple[str, str], int]] = dict,
        more: Sequence[Collector] = (),
        learned: Learned | None = None,
        answering: Answering | None = None,
    ) -> None:
        """`circuit`: whether this process's questions reach the model now: one of CIRCUIT.

        `drift`: (task, measure) -> whether it has changed, by this process's latest look. `broken`: each invariant ->
        how often it is violated.

        `silent`: (task, kind) -> how many silent signals there are, by this process's latest look. `more`: figures of
        this process itself. `learned`: see `Learned`. `answering`: see `Answering`.
        """
        self._insight = queries
        self._now = now
        self._failures = failures
        self._reading: asyncio.Task[None] | None = None
        self._fresh_until = 0.0
        self._circuit = circuit
        self._drift = drift
        self._silent = silent
        self._broken = broken
        self._learned = learned
        self._answering = answering
        self.registry = CollectorRegistry()
        self._declare()
        for collector in more:
            self.registry.register(collector)

    def _declare(self) -> None:
        """Declare every gauge, with its description."""
        self._up = self._gauge("database_up", "1 when the database answers")
        self._model = self._gauge("model_circuit", "1 for the state of the circuit breaker before the model", "state")
        self._drifted = self._gauge("drift", "1 when the week differs from the four before", "task", "measure")
        self._model_up = self._gauge("model_up", "1 when the model server answers", "server")
        self._age = self._gauge("model_age_seconds", "How long ago the adapter that serves was made", "task")
        self._learning = self._gauge("learning_progress", "How far the newest learning cycle is, 0 to 1", "task")
        self._signals = self._gauge("silent_signals", "What people showed without saying it", "task", "kind")
        self._waiting = self._gauge("waiting", "Conversations without a decision; posts not said yet", "what")
        self._oldest = self._gauge("oldest_waiting_seconds", "How long the oldest of them has waited", "what")
        self._given_up = self._gauge("posts_given_up", "Posts that will never be said, ever")
        self._failed = self._gauge("failed_items", "Items set aside after too many failures", "step")
        self._decisions = self._gauge("decisions", "Decisions ever made", "platform", "task", "label", "by")
        self._rules = self._gauge("rule_decisions", "How often a rule of the settings applied, ever", "rule")
        self._corrections = self._gauge("corrections", "Moves by leads ever made", "platform", "task", "label")
        self._languages = self._gauge("decisions_by_language", "Decisions ever made", "task", "language", "by")
        self._stages = self._gauge("corrections_by_stage", "Corrections ever made, by stage of life", "task", "stage")
        self._violations = self._gauge("invariant_violations", "What must never be: 0, or a fault of ours", "invariant")
        self._week = self._gauge("week", "Conversations routed, corrected by leads, asked about, in 7 days", "what")
        self._accuracy = self._gauge("week_accuracy", "Share of the week's routed conversations that no lead moved")

    async def refresh(self) -> None:
        """Read the figures again; a database that is down shows as down instead of failing the scrape.

        A slow one is not down: the figures read last are shown, and a later scrape shows those being read.
        """
        for state in CIRCUIT:
            self._model.labels(state).set(self._circuit() == state)
        for (task, measure), changed in self._drift().items():
            self._drifted.labels(task, measure).set(changed)
        for (task, kind), count in self._silent().items():
            self._signals.labels(task, kind).set(count)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="read figures")
        done, _ = await asyncio.wait({self._reading}, timeout=_PATIENCE)
        if not done:
            self._up.set(1)
            return
        reading, self._reading = self._reading, None
        try:
            await reading
        except Unreachable:
            self._up.set(0)
        else:
            self._up.set(1)

    async def _read(self) -> None:
        now, clock = self._now(), asyncio.get_running_loop().time
        self._show_backlog(await self._insight.backlog(now))
        self._show_failed(await self._failures.counts())
        if clock() < self._fresh_until:
            return
        if self._answering is not None:
            for server, answers in (await self._answering()).items():
                self._model_up.labels(server).set(answers)
        self._show_decisions(await self._insight.decisions())
        self._show_stages(await self._insight.corrections())
        for rule, count in (await self._insight.rules_applied()).items():
            self._rules.labels(rule).set(count)
        self._show_week(await self._insight.week(now))
        if self._broken is not None:
            for invariant, count in (await self._broken(now)).items():
                self._violations.labels(invariant).set(count)
        if self._learned is not None:
            for task, (age, progress) in (await self._learned(now)).items():
                self._age.labels(task).set(math.nan if age is None else age)
                self._learning.labels(task).set(progress)
        self._fresh_until = clock() + _FRESH

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"switchboard_{name}", says, labels, registry=self.registry)

    def _show_backlog(self, backlog: Mapping[str, float]) -> None:
        for what in ("undecided", "unsaid"):
            self._waiting.labels(what).set(backlog[what])
            self._oldest.labels(what).set(backlog[f"oldest_{what}_seconds"])
        self._given_up.set(backlog["given_up"])

    def _show_decisions(self, decisions: Mapping[tuple[str, str, str, str, str], int]) -> None:
        """Show decisions by team, and by language; by both together there would be too many series."""
        by_label: Counter[tuple[str, str, str, str]] = Counter()
        by_language: Counter[tuple[str, str, str]] = Counter()
        for (platform, task, label, author, language), count in decisions.items():
            by_label[platform, task, label, author] += count
            by_language[task, language, author] += count
        for key, count in by_label.items():
            self._decisions.labels(*key).set(count)
            if key[-1] == Author.LEAD:
                self._corrections.labels(*key[:-1]).set(count)
        for of, count in by_language.items():
            self._languages.labels(*of).set(count)

    def _show_stages(self, stages: Mapping[tuple[str, Stage], int]) -> None:
        """Set every stage of a task that has corrections, so that one without any left shows zero."""
        for task in {task for task, _ in stages}:
            for stage in Stage:
                self._stages.labels(task, stage).set(stages.get((task, stage), 0))

    def _show_failed(self, failed: Mapping[str, int]) -> None:
        """Set every step, also those without failures: an alarm on a rise must see the zero before it."""
        for step in STEPS:
            self._failed.labels(step).set(failed.get(step, 0))

    def _show_week(self, week: Week) -> None:
        for what, count in (("decided", week.decided), ("corrected", week.corrected), ("asked", week.asked)):
            self._week.labels(what).set(count)
        self._accuracy.set(1 - week.corrected / week.decided if week.decided else math.nan)
