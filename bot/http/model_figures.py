"""The Prometheus metrics of this process's calls to the model server, and of the voices behind its decisions."""

from collections.abc import Iterator, Sequence

from prometheus_client import Counter, Histogram, Metric
from prometheus_client.registry import Collector

from bot.domain.decisions import Author, NoPrediction, Opinion
from bot.domain.mixture import ADAPTER
from bot.domain.model_calls import CallKind, ModelCall

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 10.0, 30.0)
"""3 s is the wait for people in a chat (`model.deadline_seconds`), 30 s the one for commands and scoring."""

_ALONE = {Author.MODEL: ADAPTER}
"""Author of an opinion that is no mixture -> its voice's name; others have their author's name."""


class ModelFigures(Collector):
    """Counts every call and every text. Kinds without any call are shown, too."""

    def __init__(self) -> None:
        self._seconds = Histogram(
            "switchboard_model_call_seconds", "How long a call took", ["kind"], registry=None, buckets=_SECONDS
        )
        self._errors = Counter("switchboard_model_call_errors", "Calls that failed", ["kind"], registry=None)
        self._tokens = Counter("switchboard_model_tokens", "Tokens of prompts and of answers", ["of"], registry=None)
        self._voices = Counter(
            "switchboard_voices", "Texts of which each voice had something to say", ["task", "voice"], registry=None
        )
        self._texts = Counter(
            "switchboard_voices_asked", "Texts that the voices were asked of", ["task"], registry=None
        )
        for kind in CallKind:
            self._seconds.labels(kind.value)
            self._errors.labels(kind.value)
        for of in ("prompt", "answer"):
            self._tokens.labels(of)

    def saw(self, call: ModelCall) -> None:
        """Count a call that has ended."""
        self._seconds.labels(call.kind.value).observe(call.seconds)
        if call.failed:
            self._errors.labels(call.kind.value).inc()
        self._tokens.labels("prompt").inc(call.sent)
        self._tokens.labels("answer").inc(call.answered)

    def heard(self, task: str, said: Sequence[Sequence[Opinion | NoPrediction]]) -> None:
        """Count what each voice said of each text."""
        self._texts.labels(task).inc(max(map(len, said), default=0))
        for opinions in said:
            for opinion in opinions:
                for voice in _speaking(opinion):
                    self._voices.labels(task, voice).inc()

    def collect(self) -> Iterator[Metric]:
        """The metrics, for Prometheus."""
        for one in (self._seconds, self._errors, self._tokens, self._voices, self._texts):
            yield from one.collect()


def _speaking(opinion: Opinion | NoPrediction) -> list[str]:
    """The voices behind an opinion; several where it is their mixture."""
    if isinstance(opinion, NoPrediction) or not opinion.probabilities:
        return []
    return [part.voice for part in opinion.parts] or [_ALONE.get(opinion.author, opinion.author.value)]
