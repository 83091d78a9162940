"""Every task's fitted voices at work: loaded from disk, asked in a thread, fitted anew in a process of their own."""

import asyncio
import logging
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from bot.domain.asking import Record
from bot.domain.errors import TrainingFailed
from bot.domain.mixture import LEAST, VECTORS, WORDS
from bot.domain.model_ports import Lesson, LinearVoices, Said, Vector
from inference.voices.files import Unusable, Voices, load
from inference.voices.fit import Lessons, write_lessons
from inference.voices.linear import Floats
from inference.voices.weights import fit_weights

log = logging.getLogger(__name__)

FITTER = ("nice", "-n", "10", sys.executable, "-m", "inference.voices.fit")
_LAST_WORDS = 300


class FittedVoices:
    """Linear voices, a folder a task. What cannot be read is silent until it is fitted again."""

    def __init__(self, folder: Path, embedder: str, fitter: Sequence[str] = FITTER) -> None:
        self._folder = folder
        self._embedder = embedder
        self._fitter = tuple(fitter)
        self._tasks: dict[str, Voices | None] = {}

    def fitted_on(self, task: str) -> str | None:
        """See `model_ports.LinearVoices`."""
        voices = self._of(task)
        return None if voices is None else voices.fitted_on

    def without_adapter(self, task: str) -> Mapping[str, float]:
        """See `model_ports.LinearVoices`."""
        voices = self._of(task)
        return {} if voices is None else voices.without_adapter

    def proved(self, task: str) -> Record | None:
        """See `model_ports.LinearVoices`."""
        voices = self._of(task)
        return None if voices is None else voices.proved

    async def fit(self, task: str, digest: str, lessons: Sequence[Lesson]) -> None:
        """See `model_ports.LinearVoices`. Cancelling ends the process."""
        beside = self._folder / f"{task}.new"
        await asyncio.to_thread(write_lessons, beside, _as_lessons(digest, self._embedder, lessons))
        try:
            await self._run(beside)
            self._tasks[task] = await asyncio.to_thread(self._take, beside, task)
        except Unusable as error:
            raise TrainingFailed(f"the voices of {task} could not be fitted: {error}") from error
        finally:
            await asyncio.to_thread(shutil.rmtree, beside, True)

    async def say(self, task: str, texts: Sequence[str], vectors: Sequence[Vector | None]) -> list[Said]:
        """See `model_ports.LinearVoices`."""
        voices = self._of(task)
        if voices is None or not texts:
            return [{} for _ in texts]
        return await asyncio.to_thread(_said, voices, texts, vectors if voices.embedder == self._embedder else ())

    def unseen(self, task: str) -> Mapping[str, Said]:
        """See `model_ports.LinearVoices`."""
        voices = self._of(task)
        if voices is None:
            return {}
        names, said = voices.unseen.labels, {voice: np.exp(rows) for voice, rows in voices.unseen.said.items()}
        return {
            key: {voice: _row(names, rows[position]) for voice, rows in said.items()}
            for position, key in enumerate(voices.unseen.keys)
        }

    def fit_weights(self, said: Sequence[Said], truth: Sequence[str]) -> Mapping[str, float]:
        """See `model_ports.LinearVoices`."""
        names = sorted(set(truth).union(*(row for voices in said for row in voices.values())))
        voices = sorted(set[str]().union(*said)) if said else []
        rows = {voice: np.log(_table([one.get(voice, {}) for one in said], names)) for voice in voices}
        return fit_weights(rows, [names.index(label) for label in truth])

    def _of(self, task: str) -> Voices | None:
        if task not in self._tasks:
            try:
                self._tasks[task] = load(self._folder / task)
            except Unusable as error:
                log.warning("voices silent until they are fitted", extra={"task": task, "problem": str(error)})
                self._tasks[task] = None
        return self._tasks[task]

    def _take(self, beside: Path, task: str) -> Voices:
        voices = load(beside)
        place = self._folder / task
        place.mkdir(parents=True, exist_ok=True)
        for name in ("voices.npz", "voices.json"):  # in this order: the names hold the digest of the arrays
            (beside / name).replace(place / name)
        return voices

    async def _run(self, folder: Path) -> None:
        process = await asyncio.create_subprocess_exec(
            *self._fitter, str(folder), stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
        )
        try:
            _, said = await process.communicate()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
        if process.returncode != 0:
            kind = said.decode("utf-8", "replace").strip().rpartition("\n")[2].partition(":")[0]  # never its message
            raise TrainingFailed(f"fitting the voices ended with {process.returncode} ({kind[:_LAST_WORDS]})")


def _as_lessons(digest: str, embedder: str, lessons: Sequence[Lesson]) -> Lessons:
    width = next((len(lesson.vector) for lesson in lessons if lesson.vector is not None), 0)
    vectors = np.full((len(lessons), width), np.nan, dtype=np.float32)
    for row, lesson in enumerate(lessons):
        if lesson.vector is not None:
            vectors[row] = lesson.vector
    return Lessons(
        digest,
        embedder,
        tuple(lesson.key for lesson in lessons),
        tuple(lesson.text for lesson in lessons),
        tuple(lesson.label for lesson in lessons),
        vectors,
    )


def _said(voices: Voices, texts: Sequence[str], vectors: Sequence[Vector | None]) -> list[Said]:
    said: list[dict[str, Mapping[str, float]]] = [{} for _ in texts]
    if voices.words is not None:
        for row, likely in zip(said, np.exp(voices.words.log_probabilities(texts)), strict=True):
            if not np.isnan(likely).any():
                row[WORDS] = _row(voices.words.linear.labels, likely)
    places = [place for place, vector in enumerate(vectors) if vector is not None]
    if voices.vectors is not None and places:
        asked = np.asarray([vectors[place] for place in places], dtype=np.float32)
        for place, likely in zip(places, np.exp(voices.vectors.log_probabilities(asked)), strict=True):
            said[place][VECTORS] = _row(voices.vectors.labels, likely)
    return list(said)


def _table(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> Floats:
    """Rows × names; a voice that said nothing holds all alike."""
    alike = dict.fromkeys(names, 1 / len(names))
    return np.asarray([[max((row or alike).get(n, 0.0), LEAST) for n in names] for row in rows], dtype=np.float32)


def _row(labels: Sequence[str], likely: Floats) -> dict[str, float]:
    return dict(zip(labels, likely.tolist(), strict=True))


_: type[LinearVoices] = FittedVoices
