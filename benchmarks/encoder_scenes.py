"""Votes of the nearest, and corrections that teach new teams in one language: scenes for `benchmarks.encoders`."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.machine import Figures
from bot.domain.decisions import Author, Opinion, decide
from bot.domain.embedders import TWO_PARTS, Vectors, known_of
from bot.domain.memory_vote import NEIGHBOURS, Neighbour, Neighbours, memory_opinion
from bot.domain.tasks import Label, Task
from inference.voices.vectors import fit_vectors

OUT_OF_SCOPE = "oos"
_DRAWS, _TEAMS, _NEW, _TAUGHT, _CANDIDATES = 10, 10, 2, 25, 24
Rows: TypeAlias = Sequence[tuple[str, str]]
Nearest: TypeAlias = tuple[npt.NDArray[np.intp], Vectors]
"""Places and similarities, one row for each question."""


def read(path: Path, split: str | None = None) -> list[tuple[str, str]]:
    """(text, label) of the texts in scope; of one split, if the file has splits."""
    rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
    return [
        (row["text"], row["label"])
        for row in rows
        if row["label"] != OUT_OF_SCOPE and (split is None or row.get("split", split) == split)
    ]


def own_width(embedder: str) -> int:
    """The width of the first part of its vectors; 0: they have one part."""
    return known_of(embedder).likeness.own


def nearest(embedder: str, known: Vectors, wanted: Vectors) -> Nearest:
    """The five nearest to each, nearest first, as the memory finds them."""
    forms = known_of(embedder).likeness.forms(wanted)
    full = np.linalg.norm(known, axis=1) > TWO_PARTS
    similar = np.where(full, forms.both @ known.T, forms.last @ known.T)
    places = np.argsort(-similar, axis=1)[:, :NEIGHBOURS]
    return places, np.take_along_axis(similar, places, axis=1)


def nearest_votes(embedder: str, known: Vectors, labels: Sequence[str], wanted: Vectors) -> list[str]:
    """The label with the most weight among the five nearest."""
    said: list[str] = []
    sharpness = known_of(embedder).scale.sharpness
    for start in range(0, len(wanted), 500):
        for places, similar in zip(*nearest(embedder, known, wanted[start : start + 500]), strict=True):
            votes: dict[str, float] = {}
            for place, weight in zip(places, np.exp((similar - similar[0]) / sharpness), strict=True):
                votes[labels[place]] = votes.get(labels[place], 0.0) + float(weight)
            said.append(max(votes, key=lambda label: votes[label]))
    return said


@dataclass(frozen=True, slots=True)
class Corrections:
    """Ten intents that all languages have; eight are learned in English, two are taught by 25 corrections.

    Decided as the product does without its adapter and the words voice: by the linear voice beside the memory.
    """

    embedder: str
    learned: Mapping[str, Rows]
    asked: Mapping[str, Rows]
    vectors: Mapping[tuple[str, str], Vectors]
    """By language and side."""

    def figures(self, taught: str) -> Figures:
        """By language: percent of the new teams' messages that are right, and points that the old ones lost."""
        told: dict[str, list[tuple[float, float]]] = {language: [] for language in self.asked}
        for draw in range(_DRAWS):
            for language, figures in self._draw(taught, draw).items():
                told[language].append(figures)
        means = {language: np.mean(figures, axis=0) for language, figures in told.items()}
        new = {f"{language} new": round(100 * float(mean[0]), 1) for language, mean in means.items()}
        return new | {f"{language} old lose": round(100 * float(mean[1]), 1) for language, mean in means.items()}

    def _draw(self, taught: str, draw: int) -> dict[str, tuple[float, float]]:
        numbers = np.random.default_rng(draw)
        teams = [str(name) for name in numbers.permutation(self._common())[:_TEAMS]]
        new, old = teams[:_NEW], teams[_NEW:]
        anchors = self._of("en", "train", old)
        chosen = [self._of(taught, "train", [team]) for team in new]
        some = [numbers.permutation(of)[: _TAUGHT // _NEW + (n < _TAUGHT % _NEW)] for n, of in enumerate(chosen)]
        corrected = np.concatenate(some)
        labels = [label for _, label in self.learned["en"]]
        known = self.vectors["en", "train"][anchors]
        model, _ = fit_vectors(known, [labels[place] for place in anchors], own_width(self.embedder))
        task = Task("routing", "", tuple(Label(team, team) for team in teams), teams[0], ask_below=0.0)
        taught_labels = [self.learned[taught][place][1] for place in corrected]
        found: dict[str, tuple[float, float]] = {}
        for language in self.asked:
            places = self._of(language, "test", teams)
            wanted = self.vectors[language, "test"][places]
            truth = [self.asked[language][place][1] for place in places]
            likely = np.exp(model.say(wanted))
            before = [model.labels[row.argmax()] for row in likely]
            near = nearest(self.embedder, self.vectors[taught, "train"][corrected], wanted)
            far = nearest(self.embedder, known, wanted)
            after = [
                self._decided(task, dict(zip(model.labels, row.tolist(), strict=True)), taught_labels, *found_by)
                for row, *found_by in zip(likely, *near, far[1], strict=True)
            ]
            found[language] = _outcome(truth, before, after, new)
        return found

    def _decided(
        self,
        task: Task,
        likely: Mapping[str, float],
        labels: Sequence[str],
        places: npt.NDArray[np.intp],
        similar: Vectors,
        anchored: Vectors,
    ) -> str:
        corrections = [Neighbour(int(p), labels[p], float(s)) for p, s in zip(places, similar, strict=True)]
        anchors = [Neighbour(-1, "", float(s)) for s in anchored]
        memory = memory_opinion(Neighbours(tuple(corrections), tuple(anchors)), known_of(self.embedder).scale)
        return decide(task, [Opinion(Author.MODEL, likely), memory], may_ask=True).label

    def _common(self) -> list[str]:
        """The labels with the most English texts, among those that every language has."""
        everywhere = set.intersection(*({label for _, label in rows} for rows in self.learned.values()))
        enough = {
            label
            for label in everywhere
            if min(sum(of == label for _, of in rows) for rows in self.asked.values()) >= NEIGHBOURS
        }
        counts = Counter(label for _, label in self.learned["en"] if label in enough)
        return [label for label, _ in counts.most_common(_CANDIDATES)]

    def _of(self, language: str, side: str, labels: Sequence[str]) -> npt.NDArray[np.intp]:
        rows = (self.learned if side == "train" else self.asked)[language]
        return np.asarray([place for place, (_, label) in enumerate(rows) if label in labels], np.intp)


def _outcome(
    truth: Sequence[str], before: Sequence[str], after: Sequence[str], new: Sequence[str]
) -> tuple[float, float]:
    """(share of the new teams' messages that are right, share of the old ones' that no longer are)."""
    rows = list(zip(truth, before, after, strict=True))
    of_new = [a == t for t, _, a in rows if t in new]
    of_old = [(b == t) - (a == t) for t, b, a in rows if t not in new]
    return sum(of_new) / len(of_new), sum(of_old) / len(of_old)
