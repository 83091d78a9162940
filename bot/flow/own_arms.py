"""Asks what serves about the messages of a comparison, nothing twice: interrupted, it goes on where it stopped."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.domain.learning import Example, text_key
from bot.domain.model_ports import Query
from bot.domain.own_answers import OwnAnswer, OwnAnswers, of_decision
from bot.flow.classify import Classifier
from bot.flow.score import Answered, Scorer, batches


@dataclass(frozen=True, slots=True)
class OwnArms:
    """The mixture, with and without the adapter. Every batch is kept as soon as it is answered."""

    scorer: Scorer
    query: Query
    kept: OwnAnswers
    known: str
    """A digest of the memory; every correction changes it."""

    async def ask(
        self, judging: Sequence[Example], done: Callable[[int], None]
    ) -> tuple[list[OwnAnswer], list[OwnAnswer]]:
        """The answers of both, in the order of the messages.

        Raises Unreachable while a voice is silent; what was answered by then is kept.
        """
        state = _state(self.scorer.classifier, self.query, self.known)
        whole, answered = await self._asked(self.scorer, f"{state} whole", judging, done)
        without, _ = await self._asked(self.scorer.without_model(answered), f"{state} without", judging, done)
        return whole, without

    async def _asked(
        self, scorer: Scorer, arm: str, judging: Sequence[Example], done: Callable[[int], None]
    ) -> tuple[list[OwnAnswer], list[Answered]]:
        """The answer to each message, and those that had to be asked for now."""
        keys = [_digest(arm, text_key(example.text)) for example in judging]
        found = {key: known for key in keys if (known := self.kept.known(key)) is not None}
        done(len(found))
        asked: list[Answered] = []
        for batch in batches([example for example, key in zip(judging, keys, strict=True) if key not in found]):
            answered = await scorer.answers(self.query, batch, done)
            asked += answered
            for one in answered:
                key = _digest(arm, text_key(one.example.text))
                found[key] = of_decision(one.decision)
                self.kept.keep(key, found[key])
        return [found[key] for key in keys], asked


def _state(classifier: Classifier, query: Query, known: str) -> str:
    """A digest of everything that has a say in an answer: when any of it changes, all is asked anew."""
    task, adapter = query.task, query.adapter
    labels = [(label.name, label.means, label.unasked_right) for label in task.labels]
    asked = task.question, labels, task.fallback, task.ask_below, task.unasked_right, sorted(query.codes.items())
    served = adapter and (adapter.name, adapter.digest, adapter.temperature, adapter.mixture, sorted(adapter.merged))
    fitted = classifier.fitted and classifier.fitted.fitted_on(task.name)
    return _digest(task.name, repr((asked, served, classifier.base, classifier.embedder.name, fitted)), known)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
