"""How soon a new team gets its messages: two new teams of about ten, by the number of their examples.

    python -m benchmarks.new_team --data ../shared/data/clinc_domains.jsonl

In process: the memory, the voices and the bundled embedder are the product's own; a message is decided by `Classifier`
and `decide`. In place of the adapter there is a linear classifier that was fitted on the old teams alone, so that it
knows nothing of the new ones and has to put their messages somewhere. The examples come from the settings or a file
(anchors, after which the voices are fitted anew) or as corrections, before and after the next fit.
"""

import argparse
import asyncio
import json
import random
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import cast

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.machine import Figures, machine, show
from bot.console import counting
from bot.domain.decisions import Prediction, decide
from bot.domain.learning import Adapter, fit_temperature, text_key
from bot.domain.memory_vote import NEIGHBOURS, Neighbour, Neighbours
from bot.domain.mixture import Mixture
from bot.domain.model_ports import Embedder, Lesson, Memory, Query, Registry, Vector
from bot.domain.tasks import Label, Task
from bot.flow.classify import BATCH, Classifier
from inference.embedders.minilm import minilm
from inference.voices.fitted import FittedVoices
from inference.voices.voice import Floats

NEW = 2
SIZES = (0, 1, 5, 25, 100)
OUT_OF_SCOPE = "oos"
ANCHORS, CORRECTIONS, NOT_YET_FITTED = "settings or file", "corrections", "corrections before the fit"
Row = tuple[str, str]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="a JSONL file of text, label and split")
    parser.add_argument("--draws", type=int, default=10, help="draws of the new teams")
    parser.add_argument("--known", type=int, default=200, help="examples of each old team")
    parser.add_argument("--asked", type=int, default=50, help="messages of each team that are asked")
    args = parser.parse_args(arguments)
    rows = drawn(args.data, args.known, args.asked)
    show(f"{args.data.stem}, % right", asyncio.run(measured(rows, args.draws)), machine())


@dataclass(frozen=True, slots=True)
class Rows:
    """What is learned from and what is asked, by team."""

    known: Mapping[str, Sequence[str]]
    asked: Mapping[str, Sequence[str]]


def drawn(path: Path, known: int, asked: int) -> Rows:
    """So many of each team, always the same ones."""
    by_team: dict[str, dict[str, list[str]]] = {"train": defaultdict(list), "test": defaultdict(list)}
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["label"] != OUT_OF_SCOPE and row["split"] in by_team:
            by_team[row["split"]][row["label"]].append(row["text"])
    rng = random.Random(0)
    sizes = {"train": known, "test": asked}
    chosen = {
        split: {team: rng.sample(texts, min(sizes[split], len(texts))) for team, texts in sorted(teams.items())}
        for split, teams in by_team.items()
    }
    return Rows(chosen["train"], chosen["test"])


async def measured(rows: Rows, draws: int, embedder: Embedder | None = None) -> dict[str, Figures]:
    """Shares of right answers by way and size: of the new teams' messages, of the old ones', of identical texts."""
    embedder = embedder or minilm()
    texts = sorted({text for of in (rows.known, rows.asked) for team in of.values() for text in team})
    vectors = dict(zip(texts, await embedder.embed(texts), strict=True))
    found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    rng = random.Random(1)
    with counting("drawing", draws) as done:
        for _ in range(draws):
            trial = Trial(rows, vectors, tuple(rng.sample(sorted(rows.known), NEW)))
            for name, shares in (await trial.run()).items():
                found[name].append(shares)
            done(1)
    names = ("new teams", "old teams", "identical texts")
    return {
        way: {name: round(100 * mean(one[at] for one in shares), 1) for at, name in enumerate(names)} | {"n": draws}
        for way, shares in found.items()
    }


@dataclass(frozen=True, slots=True)
class Trial:
    """One draw of new teams."""

    rows: Rows
    vectors: Mapping[str, Vector]
    new: tuple[str, ...]

    async def run(self) -> dict[str, tuple[float, float, float]]:
        """Way and size -> the shares of right answers."""
        shares: dict[str, tuple[float, float, float]] = {}
        old = [(t, team) for team, texts in self.rows.known.items() if team not in self.new for t in texts]
        classifier, fit = self.classifier(old)
        await fit(old)
        for size in SIZES:
            fresh = [(t, team) for team in self.new for t in self.rows.known[team][:size]]
            memory = cast(ExactMemory, classifier.memory)
            if size:
                memory.know(old, fresh)
                shares[f"{size} {NOT_YET_FITTED}"] = await self._shares(classifier, fresh)
            await fit(old + fresh)
            if size:
                shares[f"{size} {CORRECTIONS}"] = await self._shares(classifier, fresh)
            memory.know(old + fresh, [])
            shares[f"{size} {ANCHORS}"] = await self._shares(classifier, fresh)
            await fit(old)
        return shares

    def classifier(self, old: Sequence[Row]) -> tuple[Classifier, Callable[[Sequence[Row]], "asyncio.Future[None]"]]:
        """Everything that classifies, with an adapter that knows only the old teams, and what fits the voices."""
        voices = FittedVoices(Path(tempfile.mkdtemp(prefix="switchboard-new-team-")), "bundled")
        memory = ExactMemory(self.vectors)
        classifier = Classifier(
            StandIn(old, self.vectors),
            Known(self.vectors),
            cast(Memory, memory),
            cast(Registry, None),
            "starter",
            fitted=voices,
        )

        def fit(rows: Sequence[Row]) -> "asyncio.Future[None]":
            lessons = [Lesson(text_key(t), t, team, self.vectors[t]) for t, team in rows]
            return asyncio.ensure_future(voices.fit("routing", str(len(rows)), lessons))

        return classifier, fit

    async def _shares(self, classifier: Classifier, fresh: Sequence[Row]) -> tuple[float, float, float]:
        asked = [(t, team) for team, texts in self.rows.asked.items() for t in texts]
        new = [row for row in asked if row[1] in self.new]
        others = [row for row in asked if row[1] not in self.new]
        return (
            await self._right(classifier, new),
            await self._right(classifier, others),
            await self._right(classifier, fresh) if fresh else 1.0,
        )

    async def _right(self, classifier: Classifier, rows: Sequence[Row]) -> float:
        labels = tuple(Label(team, team) for team in sorted(self.rows.known))
        task = Task("routing", "Which team?", labels, labels[0].name)
        query = Query(task, {}, cast(StandIn, classifier.predictor).adapter)
        right = 0
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            known = await classifier.consider(query, [text for text, _ in batch])
            decisions = [decide(task, one.opinions, may_ask=True) for one in known]
            right += sum(made.label == team for made, (_, team) in zip(decisions, batch, strict=True))
        return right / len(rows)


@dataclass(frozen=True, slots=True)
class Known:
    """An embedder with vectors that were computed before."""

    vectors: Mapping[str, Vector]
    name: str = "bundled"

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """See `model_ports.Embedder`."""
        return [self.vectors[text] for text in texts]


class StandIn:
    """An adapter that was trained on the old teams, and answers every question with one of them."""

    def __init__(self, old: Sequence[Row], vectors: Mapping[str, Vector]) -> None:
        self._vectors = vectors
        learned, apart = [row for n, row in enumerate(old) if n % 10], old[::10]
        features = np.asarray([vectors[text] for text, _ in learned])
        self._model = LogisticRegression(C=10, max_iter=200).fit(features, [team for _, team in learned])
        scores = list(zip(self._say([text for text, _ in apart]), [team for _, team in apart], strict=True))
        codes = dict.fromkeys(self._model.classes_, "A")
        made = datetime(2026, 1, 1, tzinfo=UTC)
        temperature = fit_temperature(scores)
        self.adapter = Adapter("routing-1", "routing", Path(), "starter", codes, temperature, made, Mixture())

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        """See `model_ports.Predictor`. New teams get an untrained label's probability: next to nothing."""
        new = dict.fromkeys(query.task.names, 1e-06)
        return [Prediction({**new, **said}, "routing-1") for said in self._say(texts)]

    def reads(self, text: str) -> bool:
        """See `model_ports.Predictor`."""
        return True

    def crosses(self) -> bool:
        """See `model_ports.Predictor`."""
        return False

    def alphabet(self) -> Sequence[str]:
        """See `model_ports.Predictor`."""
        return ("A",)

    def _say(self, texts: Sequence[str]) -> list[dict[str, float]]:
        likely = self._model.predict_proba(np.asarray([self._vectors[text] for text in texts]))
        return [dict(zip(map(str, self._model.classes_), map(float, row), strict=True)) for row in likely]


@dataclass(slots=True)
class ExactMemory:
    """Corrections and anchors by nearness, in one matrix product; see `model_ports.Memory`."""

    vectors: Mapping[str, Vector]
    _rows: dict[bool, tuple[Sequence[Row], Floats]] = field(default_factory=dict)

    def know(self, anchors: Sequence[Row], corrections: Sequence[Row]) -> None:
        """Hold these examples and no others."""
        for corrected, rows in ((True, corrections), (False, anchors)):
            matrix = np.asarray([self.vectors[text] for text, _ in rows], dtype=np.float32)
            self._rows[corrected] = rows, matrix

    async def nearest_many(
        self,
        task: Task,
        vectors: Sequence[Vector],
        texts: Sequence[str],
        leave_out_itself: bool = False,
        askers: Sequence[str] = (),
    ) -> list[Neighbours]:
        """See `model_ports.Memory`."""
        asked = np.asarray(vectors, dtype=np.float32)
        corrections, anchors = (self._nearest(asked, texts, corrected) for corrected in (True, False))
        return [Neighbours(*found) for found in zip(corrections, anchors, strict=True)]

    def _nearest(self, asked: Floats, texts: Sequence[str], corrected: bool) -> list[tuple[Neighbour, ...]]:
        rows, matrix = self._rows[corrected]
        if not rows:
            return [()] * len(texts)
        near = asked @ matrix.T
        best = np.argsort(-near, axis=1)[:, :NEIGHBOURS]
        return [
            tuple(
                Neighbour(int(at), rows[at][1], float(near[n, at]), text_key(rows[at][0]) == text_key(texts[n]))
                for at in best[n]
            )
            for n in range(len(texts))
        ]


if __name__ == "__main__":
    main()
