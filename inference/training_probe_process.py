"""Tries a training for a second, in a separate process as the training will be: see `inference.training_probe`.

How accurate its estimates were: docs/figures.md, "What a training will take".
"""

import asyncio
import json
import random
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Sequence

from bot.domain.errors import SwitchboardError, TrainingFailed
from bot.domain.model_ports import TrainingProbe, TrainingRun
from bot.domain.training_estimate import Pace
from inference.base_models import base_folder
from inference.prompt import PromptBuilder
from inference.recipe import CHECKPOINTS, PRETRAINED, STARTER
from inference.training_rows import SEED, prompted
from inference.worker_process import environment

PROBE = ("nice", "-n", "10", sys.executable, "-m", "inference.training_probe")
SAMPLE = 256
"""How many messages' lengths stand for all: eight batches."""
_DEADLINE = 120.0


class ProbeProcess:
    """See `model_ports.TrainingProbe`. Only token ids leave this process, and nothing is written."""

    def __init__(self, probe: Sequence[str] = PROBE) -> None:
        self._probe = tuple(probe)

    async def pace(self, run: TrainingRun, learned: Sequence[int]) -> Pace:
        """See `model_ports.TrainingProbe`."""
        asked, bare = await asyncio.to_thread(_asked, run)
        started = time.time()
        try:
            async with asyncio.timeout(_DEADLINE):
                found = json.loads(await self._tried(asked))
            recipe = STARTER if bare else PRETRAINED
            return Pace(
                device=str(found["device"]),
                begin_seconds=float(found["began_at"]) - started,
                step_seconds=float(found["step_seconds"]),
                ask_seconds=float(found["ask_seconds"]),
                memory_bytes=int(found["memory_bytes"]),
                steps=[recipe.steps(examples) for examples in learned],
                checkpoints=CHECKPOINTS,
            )
        except TimeoutError as error:
            raise TrainingFailed(f"the probe said nothing within {_DEADLINE:.0f} s") from error
        except OSError as error:
            raise TrainingFailed(f"the probe cannot be started: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise TrainingFailed(f"the probe said what nobody understands ({type(error).__name__})") from error

    async def _tried(self, asked: bytes) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *self._probe, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment()
        )
        try:
            said, complaint = await process.communicate(asked)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            lines = complaint.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
            raise TrainingFailed(f"the probe ended with {process.returncode}: {lines[-1]}")
        return said.strip().splitlines()[-1] if said.strip() else b""


def _asked(run: TrainingRun) -> tuple[bytes, bool]:
    """The probe's input, and whether the base is bare. Raises TrainingFailed."""
    try:
        base = base_folder(str(run.base))
    except SwitchboardError as error:
        raise TrainingFailed(str(error)) from error
    prompts = PromptBuilder(base)
    sample = random.Random(SEED).sample(list(run.examples), min(SAMPLE, len(run.examples)))  # noqa: S311
    rows = [(row.ids, row.label) for row in prompted(run, prompts, sample)]
    return json.dumps({"base": str(base), "bare": prompts.bare, "rows": rows}).encode(), prompts.bare


_: type[TrainingProbe] = ProbeProcess
