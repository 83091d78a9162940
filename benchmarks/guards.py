"""What wrong corrections cost with and without the neighbour guard, and whether corrected mistakes come back.

    python -m benchmarks.guards --data ../shared/data/clinc_domains.jsonl

In process, as in `benchmarks.new_team`: memory, voices, guard and bundled embedder are the product's own; the adapter
is a linear classifier that knows only the old teams. Two teams are new; a hundred corrections teach them, of which a
fifth are wrong: at random, or by malice, an old team's message pushed to a new one. Then mistakes on new messages are
corrected, and texts near them (similarity over 0.8, same team) are asked: before, with the corrections in the memory,
and after the voices were fitted on them and the memory retired those that the voices get right alone.
"""

import argparse
import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import cast

import numpy as np

from benchmarks.machine import Figures, machine, show
from benchmarks.new_team import ExactMemory, Row, Rows, StandIn, Trial, drawn
from bot.console import counting
from bot.domain.decisions import decide
from bot.domain.embedders import known_of
from bot.domain.guards import NEAREST, Near, contradicted
from bot.domain.memory_vote import Neighbour, Neighbours
from bot.domain.model_ports import Embedder, Memory, Query, Vector
from bot.domain.tasks import Label, Task
from bot.flow.classify import BATCH, Classifier
from inference.embedders.minilm import minilm

_CORRECTIONS, _WRONG, _NEW, _ALIKE = 100, 0.20, 2, 0.80
_SCALE = known_of("bundled").scale


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="a JSONL file of text, label and split")
    parser.add_argument("--draws", type=int, default=5, help="draws of the new teams")
    parser.add_argument("--known", type=int, default=200, help="examples of each old team")
    parser.add_argument("--asked", type=int, default=50, help="messages of each team that are asked")
    args = parser.parse_args(arguments)
    rows = drawn(args.data, args.known, args.asked)
    show(f"{args.data.stem}, %", asyncio.run(measured(rows, args.draws)), machine())


async def measured(rows: Rows, draws: int, embedder: Embedder | None = None) -> dict[str, Figures]:
    """Shares by scene, the mean over all draws."""
    embedder = embedder or minilm()
    texts = sorted({text for of in (rows.known, rows.asked) for team in of.values() for text in team})
    vectors = dict(zip(texts, await embedder.embed(texts), strict=True))
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    rng = random.Random(1)
    with counting("drawing", draws) as done:
        for _ in range(draws):
            scene = Scene(Trial(rows, vectors, tuple(rng.sample(sorted(rows.known), _NEW))), rng)
            for name, shares in (await scene.run()).items():
                found[name].append(shares)
            done(1)
    return {
        name: {key: round(100 * mean(one[key] for one in of), 1) for key in of[0]} | {"n": draws}
        for name, of in found.items()
    }


@dataclass(frozen=True, slots=True)
class Scene:
    """One draw of new teams."""

    trial: Trial
    rng: random.Random

    async def run(self) -> dict[str, dict[str, float]]:
        """Scene -> its shares."""
        known, new = self.trial.rows.known, self.trial.new
        old = [(text, team) for team, texts in known.items() if team not in new for text in texts]
        classifier, fit = self.trial.classifier(old)
        await fit(old)
        shares = {}
        for kind in ("none", "random", "malicious"):
            said = self._corrections(old, kind)
            held = self._held(old, said)
            kept = [row for (row, _), why in zip(said, held, strict=True) if not why]
            right = [why for (_, true), why in zip(said, held, strict=True) if true]
            wrong = [why for (_, true), why in zip(said, held, strict=True) if not true]
            for guard, taught in (("no guard", [row for row, _ in said]), ("neighbour guard", kept)):
                cast(ExactMemory, classifier.memory).know(old, taught)
                asked = {
                    "new teams": await self._asked(classifier, True),
                    "old teams": await self._asked(classifier, False),
                }
                alarms = {"right ones held": mean(right), "wrong ones held": mean(wrong) if wrong else 0.0}
                unguarded = dict.fromkeys(alarms, 0.0)
                shares[f"wrong: {kind}, {guard}"] = asked | (unguarded if guard == "no guard" else alarms)
        return shares | await self._come_back(classifier, old)

    def _corrections(self, old: Sequence[Row], kind: str) -> list[tuple[Row, bool]]:
        """((text, label), whether it is right), in random order."""
        known, new = self.trial.rows.known, self.trial.new
        true = [(text, team) for team in new for text in known[team][: _CORRECTIONS // _NEW]]
        said = [(row, True) for row in true]
        for at in self.rng.sample(range(len(true)), round(len(true) * _WRONG)) if kind != "none" else ():
            others = [team for team in known if team != true[at][1]]
            row = (true[at][0], self.rng.choice(others)) if kind == "random" else (self.rng.choice(old)[0], true[at][1])
            said[at] = row, False
        self.rng.shuffle(said)
        return said

    def _held(self, old: Sequence[Row], said: Sequence[tuple[Row, bool]]) -> list[bool]:
        """Whether the guard holds each one back, given what stood before it; each is by another lead."""
        vectors, standing, held = self.trial.vectors, list(old), list[bool]()
        matrix = np.asarray([vectors[text] for text, _ in (*old, *(row for row, _ in said))], np.float32)
        for (text, label), _ in said:
            near = matrix[: len(standing)] @ np.asarray(vectors[text], np.float32)
            best = np.argsort(-near)[:NEAREST]
            held.append(contradicted(label, [Near(standing[at][1], float(near[at])) for at in best], _SCALE))
            standing.append((text, label))
        return held

    async def _asked(self, classifier: Classifier, new: bool) -> float:
        asked = self.trial.rows.asked.items()
        rows = [(text, team) for team, texts in asked if (team in self.trial.new) is new for text in texts]
        return mean(await self._right(classifier, rows))

    async def _come_back(self, classifier: Classifier, old: Sequence[Row]) -> dict[str, dict[str, float]]:
        """What becomes of corrected mistakes and of messages similar to them."""
        memory = cast(ExactMemory, classifier.memory)
        memory.know(old, [])
        asked = [(t, team) for team in self.trial.new for t in self.trial.rows.known[team]]
        half = len(asked) // 2
        self.rng.shuffle(asked)
        right = await self._right(classifier, asked[:half])
        mistakes = [row for row, good in zip(asked[:half], right, strict=True) if not good]
        alike = [row for row in asked[half:] if self._like(row, mistakes)]
        shares = {"corrected, before": await self._shares(classifier, mistakes, alike)}
        memory.know(old, mistakes)
        shares["corrected, remembered"] = await self._shares(classifier, mistakes, alike)
        learned, fit = self.trial.classifier(old)
        await fit([*old, *mistakes])
        cast(ExactMemory, learned.memory).know(old, mistakes)
        shares["corrected, learned"] = await self._shares(learned, mistakes, alike)
        cast(ExactMemory, learned.memory).know(old, [])
        alone = await self._right(learned, mistakes)
        kept = [row for row, good in zip(mistakes, alone, strict=True) if not good]
        retired = [row for row, good in zip(mistakes, alone, strict=True) if good]
        by_heart = ByHeart(ExactMemory(self.trial.vectors), dict(retired))
        by_heart.memory.know([*old, *retired], kept)
        after = replace(learned, memory=cast(Memory, by_heart))
        share = len(retired) / max(1, len(mistakes))
        shares["corrected, learned and let go of"] = await self._shares(after, mistakes, alike) | {"let go of": share}
        return {name: {"let go of": 0.0} | of for name, of in shares.items()}

    def _like(self, row: Row, others: Sequence[Row]) -> bool:
        same = [self.trial.vectors[text] for text, team in others if team == row[1]]
        return bool(same) and float(np.max(np.asarray(same) @ np.asarray(self.trial.vectors[row[0]]))) > _ALIKE

    async def _shares(self, classifier: Classifier, mistakes: Sequence[Row], alike: Sequence[Row]) -> dict[str, float]:
        return {
            "the very text": mean(await self._right(classifier, mistakes)),
            "near ones": mean(await self._right(classifier, alike)) if alike else 0.0,
            "old teams": await self._asked(classifier, False),
        }

    async def _right(self, classifier: Classifier, rows: Sequence[Row]) -> list[bool]:
        labels = tuple(Label(team, team) for team in sorted(self.trial.rows.known))
        task = Task("routing", "Which team?", labels, labels[0].name)
        query = Query(task, {}, cast(StandIn, classifier.predictor).adapter)
        right: list[bool] = []
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            known = await classifier.consider(query, [text for text, _ in batch])
            decisions = [decide(task, one.opinions, may_ask=True) for one in known]
            right += [made.label == team for made, (_, team) in zip(decisions, batch, strict=True)]
        return right


@dataclass(frozen=True, slots=True)
class ByHeart:
    """A memory that votes with its examples, and knows retired ones for the very text alone."""

    memory: ExactMemory
    known: Mapping[str, str]

    async def nearest_many(
        self,
        task: Task,
        vectors: Sequence[Vector],
        texts: Sequence[str],
        leave_out_itself: bool = False,
        askers: Sequence[str] = (),
    ) -> list[Neighbours]:
        """See `model_ports.Memory`."""
        found = await self.memory.nearest_many(task, vectors, texts, leave_out_itself)
        return [
            replace(one, corrections=(Neighbour(-1, self.known[text], 1.0, True), *one.corrections))
            if text in self.known
            else one
            for text, one in zip(texts, found, strict=True)
        ]


if __name__ == "__main__":
    main()
