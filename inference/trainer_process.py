"""Trains adapters, each in a process of its own: a crash, a leak or exhausted memory there does not harm the bot."""

import asyncio
import json
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from bot.domain.errors import TrainingFailed
from bot.domain.learning import Progress, Side
from bot.domain.model_ports import Trainer, TrainingRun
from bot.domain.serving_agreement import Validation
from inference.run_folder import LOG, adapter_of, finished, write_run
from inference.worker_process import environment

log = logging.getLogger(__name__)

TRAINER = ("nice", "-n", "10", sys.executable, "-m", "inference.train", "--with-parent")
"""Niced, so that people who write are answered first: training uses only idle processors."""
_LAST_LINES = 2
_LONGEST_WORDS = 500


class TrainerProcess:
    """Trains by a command that gets the run folder, reports progress on stdout as JSON lines, and logs on stderr."""

    def __init__(
        self,
        trainer: Sequence[str] = TRAINER,
        mask: bool = False,
        grace: float = 0.0,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """`mask`: keep personal data out of run folders.

        `grace`: seconds that the command has, when it is stopped, to stop what it started elsewhere. `more`:
        environment variables that it gets besides those of every training.
        """
        self._trainer = tuple(trainer)
        self._mask = mask
        self._grace = grace
        self._more = dict(more or {})

    async def train(self, run: TrainingRun, progress: Progress) -> Path:
        """See `model_ports.Trainer`. An interrupted run is continued; a different one is trained anew."""
        _check(run)
        try:
            await asyncio.to_thread(write_run, run, self._mask)
            if await asyncio.to_thread(finished, run.folder) is None:
                await self._train(run, progress)
        except OSError as error:
            raise TrainingFailed(f"the run cannot be kept in {run.folder}: {error.strerror or error}") from error
        return adapter_of(run.folder)

    async def validation(self, folder: Path) -> Validation | None:
        """See `model_ports.Trainer`."""
        done = await asyncio.to_thread(finished, folder)
        if done is None or done.validation_accuracy is None:
            return None
        return Validation(done.validation_accuracy, done.validated_on)

    async def _train(self, run: TrainingRun, progress: Progress) -> None:
        with (run.folder / LOG).open("wb") as said:
            # Stdin stays open as long as we live, and closes even on kill -9: the trainer ends when it closes.
            process = await asyncio.create_subprocess_exec(
                *self._trainer,
                str(run.folder),
                stdin=PIPE,
                stdout=PIPE,
                stderr=said,
                start_new_session=True,
                env={**environment(), **self._more},
            )
        try:
            log.info("training", extra={"run": run.folder.name, "pid": process.pid, "examples": len(run.examples)})
            failed = await _relay(process, progress)
            code = await process.wait()
        finally:
            await _end(process, self._grace)
        done = await asyncio.to_thread(finished, run.folder)
        if code != 0 or done is None:
            raise TrainingFailed(await asyncio.to_thread(_obituary, run, code, failed))
        log.info("trained", extra={"run": run.folder.name, "steps": done.steps, "seconds": done.seconds})


def _check(run: TrainingRun) -> None:
    if not run.examples:
        raise TrainingFailed("there is nothing to learn from")
    if any(example.side is Side.HELD_OUT for example in run.examples):
        raise TrainingFailed("held-out examples are for the judge and must never be learned from")
    unknown = sorted({example.label for example in run.examples} - set(run.codes))
    if unknown:
        raise TrainingFailed(f"no code was given out for {', '.join(unknown)}")


async def _relay(process: Process, progress: Progress) -> str | None:
    """Report every progress line until the process closes its stdout; return why it failed, if it says so.

    Other lines, which libraries print, are ignored.
    """
    assert process.stdout is not None  # noqa: S101  asked for with PIPE
    failed: str | None = None
    async for line in process.stdout:
        try:
            told = json.loads(line)
            if "failed" in told:
                failed = str(told["failed"])
                continue
            share, doing = float(told["progress"]), str(told["doing"])
        except (ValueError, TypeError, KeyError):
            continue
        progress(share, doing)
    return failed


async def _end(process: Process, grace: float) -> None:
    """Kill the process and all it started. Half a run is worth nothing, so without grace there is no warning."""
    with suppress(ProcessLookupError, TimeoutError):
        if grace and process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), grace)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _obituary(run: TrainingRun, code: int, failed: str | None) -> str:
    """Why there is no adapter: the trainer's own sentence, or one that ends with the log's last words.

    Neither repeats anything that people wrote.
    """
    private = {part for example in run.examples for part in example.text.splitlines() if part.strip()}
    if failed and code != 0 and not any(part in failed for part in private):
        return failed[:_LONGEST_WORDS]
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
    if code == -signal.SIGKILL:
        how += " (out of memory?)"
    if code == 0:
        how = "ended without a whole adapter"
    lines = (run.folder / LOG).read_text("utf-8", "replace").strip().splitlines()[-_LAST_LINES:]
    words = " / ".join(line.strip() for line in lines if not any(part in line for part in private))
    return f"the training of {run.folder.name} {how}: {words[-_LONGEST_WORDS:] or 'it said nothing'}"


_: type[Trainer] = TrainerProcess
