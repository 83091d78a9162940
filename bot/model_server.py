"""A model server that somebody else runs: the flags it must be started with, and whether it has them."""

import asyncio
import shlex
from collections.abc import AsyncIterator, Sequence

from bot.domain.tasks import Task
from bot.platforms import Finding
from bot.settings import Model
from inference.base_models import base_folder, positions
from inference.http import open_line
from inference.prompt import PromptBuilder
from inference.server_command import serving_flags, switches
from inference.server_proof import proofs

_LABELS = 8
"""How many tokens the check offers the server as if they were labels, or as many as the largest task has."""


async def of_the_server(model: Model, tasks: Sequence[Task]) -> AsyncIterator[Finding]:
    """Check everything that the settings' model server must be; nothing where we start our own."""
    if model.server is None:
        return
    folder = await asyncio.to_thread(base_folder, model.base)
    prompts = await asyncio.to_thread(PromptBuilder, folder)
    labels = max([_LABELS, *(len(task.labels) for task in tasks)])
    ids = [prompts.code_id(code) for code in prompts.alphabet()[:labels]]
    for address in model.servers:
        async with open_line(address, key=model.key) as line:
            async for proof in proofs(line, model.base, positions(folder), ids):
                what = proof.what if len(model.servers) == 1 else f"{address}: {proof.what}"
                yield Finding(what, proof.works, proof.remedy)


def server_flags(model: Model) -> str:
    """The shell command that starts a server for us; the base as the settings name it."""
    folder = base_folder(model.base)
    flags = ["vllm", "serve", str(folder), *serving_flags(folder, model.base)]
    return " ".join([*(f"{name}={value}" for name, value in switches().items()), shlex.join(flags)])
