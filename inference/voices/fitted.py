"""Every task's fitted voices in use: loaded from disk, run in threads, fitted anew in a process of their own."""

import asyncio
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from pathlib import Path

import numpy as np

from bot.domain.asking import Record
from bot.domain.errors import TrainingFailed
from bot.domain.mixture import LEAST, USUAL
from bot.domain.model_ports import ExampleVoices, Lesson, Said, Vector
from inference.voices import VOICES
from inference.voices.files import Unusable, Voices, load
from inference.voices.fit import write_lessons
from inference.voices.voice import FittedVoice, Floats, Lessons, Questions, Voice
from inference.voices.weights import fit_weights
from inference.voices.work_folder import remove_left, work_folder
from inference.worker_process import environment

log = logging.getLogger(__name__)

FITTER = ("nice", "-n", "10", sys.executable, "-m", "inference.voices.fit", "--with-parent")
_LAST_WORDS = 300


class FittedVoices:
    """Every voice of `inference.voices`, one folder for each task. Voices that cannot be read stay silent until
    refitted."""

    def __init__(
        self, folder: Path, embedder: str, fitter: Sequence[str] = FITTER, kinds: Sequence[Voice] = VOICES
    ) -> None:
        self._folder = folder
        self._embedder = embedder
        self._fitter = tuple(fitter)
        self._kinds = tuple(kinds)
        self._tasks: dict[str, Voices | None] = {}

    async def remove_left(self) -> None:
        """Remove the folders that killed fits have left behind."""
        await asyncio.to_thread(remove_left, self._folder)

    @property
    def usual(self) -> Mapping[str, float]:
        """See `model_ports.ExampleVoices`."""
        return {kind.name: kind.usual for kind in self._kinds}

    def fitted_on(self, task: str) -> str | None:
        """See `model_ports.ExampleVoices`."""
        voices = self._of(task)
        return None if voices is None else voices.fitted_on

    def without_adapter(self, task: str) -> Mapping[str, float]:
        """See `model_ports.ExampleVoices`."""
        voices = self._of(task)
        return {} if voices is None else voices.without_adapter

    def proved(self, task: str) -> Record | None:
        """See `model_ports.ExampleVoices`."""
        voices = self._of(task)
        return None if voices is None else voices.proved

    def counts(self, task: str) -> Mapping[str, int]:
        """See `model_ports.ExampleVoices`."""
        voices = self._of(task)
        return {} if voices is None else voices.counts

    def taught(self, task: str) -> Mapping[str, float]:
        """See `model_ports.ExampleVoices`."""
        voices = self._of(task)
        return {} if voices is None else voices.languages

    async def fit(self, task: str, digest: str, lessons: Sequence[Lesson]) -> None:
        """See `model_ports.ExampleVoices`. Cancelling it ends the process."""
        async with _in_threads(work_folder(self._folder, task)) as beside:
            try:
                await asyncio.to_thread(write_lessons, beside, _as_lessons(digest, self._embedder, lessons))
                await self._run(beside)
                self._tasks[task] = await asyncio.to_thread(self._take, beside, task)
            except Unusable as error:
                raise TrainingFailed(f"the voices of {task} could not be fitted: {error}") from error

    async def say(
        self, task: str, texts: Sequence[str], vectors: Sequence[Vector | None], asked: Collection[str]
    ) -> list[Said]:
        """See `model_ports.ExampleVoices`."""
        voices = self._of(task)
        if voices is None or not texts:
            return [{} for _ in texts]
        comparable = vectors if voices.embedder == self._embedder else [None] * len(texts)
        speaking = {name: voice for name, voice in voices.fitted.items() if name in asked}
        questions = Questions(texts, _rows(comparable))
        # In parallel: matrix products release the interpreter to the voice that reads words
        heard = await asyncio.gather(*(asyncio.to_thread(_said, voice, questions) for voice in speaking.values()))
        return [
            {name: row for name, rows in zip(speaking, heard, strict=True) if (row := rows[n]) is not None}
            for n in range(len(texts))
        ]

    def unseen(self, task: str, keys: Collection[str]) -> Mapping[str, Said]:
        """See `model_ports.ExampleVoices`."""
        voices = self._of(task)
        if voices is None:
            return {}
        names, places = voices.unseen.labels, {key: place for place, key in enumerate(voices.unseen.keys)}
        return {
            key: {voice: _row(names, np.exp(rows[places[key]])) for voice, rows in voices.unseen.said.items()}
            for key in keys
            if key in places
        }

    def fit_weights(self, said: Sequence[Said], truth: Sequence[str]) -> Mapping[str, float]:
        """See `model_ports.ExampleVoices`."""
        names = sorted(set(truth).union(*(row for voices in said for row in voices.values())))
        voices = sorted(set[str]().union(*said)) if said else []
        rows = {voice: np.log(_table([one.get(voice, {}) for one in said], names)) for voice in voices}
        return fit_weights(rows, [names.index(label) for label in truth], {**USUAL, **self.usual})

    def _of(self, task: str) -> Voices | None:
        if task not in self._tasks:
            try:
                self._tasks[task] = load(self._folder / task, self._kinds)
            except Unusable as error:
                log.warning("voices silent until they are fitted", extra={"task": task, "problem": str(error)})
                self._tasks[task] = None
        return self._tasks[task]

    def _take(self, beside: Path, task: str) -> Voices:
        voices = load(beside, self._kinds)
        place = self._folder / task
        place.mkdir(parents=True, exist_ok=True)
        for name in ("voices.npz", "voices.json"):  # in this order: the names' file holds the arrays' digest
            (beside / name).replace(place / name)
        return voices

    async def _run(self, folder: Path) -> None:
        process = await asyncio.create_subprocess_exec(
            # Stdin stays open as long as we live, and closes even on kill -9: the fit ends when it closes
            *self._fitter,
            str(folder),
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=PIPE,
            env=environment(),
        )
        assert process.stderr is not None  # noqa: S101  asked for with PIPE
        try:
            said = await process.stderr.read()
            await process.wait()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()  # else a stop would leave it behind, dead but not collected
        if process.returncode != 0:
            kind = said.decode("utf-8", "replace").strip().rpartition("\n")[2].partition(":")[0]  # never its message
            raise TrainingFailed(f"fitting the voices ended with {process.returncode} ({kind[:_LAST_WORDS]})")


@asynccontextmanager
async def _in_threads(folder: AbstractContextManager[Path]) -> AsyncIterator[Path]:
    """The context, entered and left in threads, so that the event loop does not wait."""
    made = await asyncio.to_thread(folder.__enter__)
    try:
        yield made
    finally:
        await asyncio.to_thread(folder.__exit__, None, None, None)


def _as_lessons(digest: str, embedder: str, lessons: Sequence[Lesson]) -> Lessons:
    return Lessons(
        digest,
        embedder,
        tuple(lesson.key for lesson in lessons),
        tuple(lesson.text for lesson in lessons),
        tuple(lesson.label for lesson in lessons),
        _rows([lesson.vector for lesson in lessons]),
        frozenset(lesson.key for lesson in lessons if lesson.firm),
    )


def _rows(vectors: Sequence[Vector | None]) -> Floats:
    """One row for each vector, of NaN where there is none."""
    width = next((len(vector) for vector in vectors if vector is not None), 0)
    rows = np.full((len(vectors), width), np.nan, dtype=np.float32)
    for row, vector in enumerate(vectors):
        if vector is not None:
            rows[row] = vector
    return rows


def _said(voice: FittedVoice, questions: Questions) -> list[Mapping[str, float] | None]:
    """One voice's answer for each text; None where it has none."""
    rows = np.exp(voice.log_probabilities(questions))
    return [None if np.isnan(likely).any() else _row(voice.labels, likely) for likely in rows]


def _table(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> Floats:
    """Rows × names; a voice without an answer gives every name the same share."""
    alike = dict.fromkeys(names, 1 / len(names))
    return np.asarray([[max((row or alike).get(n, 0.0), LEAST) for n in names] for row in rows], dtype=np.float32)


def _row(labels: Sequence[str], likely: Floats) -> dict[str, float]:
    return dict(zip(labels, likely.tolist(), strict=True))


_: type[ExampleVoices] = FittedVoices
