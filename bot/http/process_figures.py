"""The Prometheus metrics of this process alone: the duration and errors of each step's items, each platform's link."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import Counter, Histogram, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bot.domain.failures import STEPS

_SECONDS = (0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 45.0)
"""The last is the deadline of an item."""


class StepFigures(Collector):
    """Counts every attempt at an item. Steps without any are shown, too: an alarm must see the zero."""

    def __init__(self) -> None:
        self._seconds = Histogram(
            "switchboard_step_seconds", "How long an item took", ["step"], registry=None, buckets=_SECONDS
        )
        self._errors = Counter("switchboard_step_errors", "Attempts at items that failed", ["step"], registry=None)
        for step in STEPS:
            self._seconds.labels(step)
            self._errors.labels(step)

    def saw(self, step: str, seconds: float, failed: bool) -> None:
        """Count an attempt that has ended."""
        self._seconds.labels(step).observe(seconds)
        if failed:
            self._errors.labels(step).inc()

    def collect(self) -> Iterator[Metric]:
        """The metrics, for Prometheus."""
        yield from self._seconds.collect()
        yield from self._errors.collect()


class LinkFigures(Collector):
    """Whether each platform is connected, checked on each scrape."""

    def __init__(self, links: Mapping[str, Callable[[], bool]]) -> None:
        self._links = links

    def collect(self) -> Iterator[Metric]:
        """The metrics, for Prometheus."""
        up = GaugeMetricFamily("switchboard_platform_up", "1 when this process hears the platform", labels=["platform"])
        for platform, healthy in self._links.items():
            up.add_metric([platform], float(healthy()))
        yield up
