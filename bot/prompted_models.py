"""Opens the models that are prompted for a comparison: the base that serves, another one, a hosted endpoint."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.console import said_once
from bot.domain.endpoints import Endpoint
from bot.domain.errors import NotTrained, Refused, UsageError
from bot.domain.prompted import ChatModel, PromptedBase
from bot.model_stack import ModelStack
from bot.settings import Settings
from inference.adapters import VllmAdapters
from inference.answer_cache import SqliteAnswerCache
from inference.base_models import base_folder
from inference.client import VllmPredictor
from inference.hosted import HostedModel, open_endpoint
from inference.http import open_line
from inference.prompt import PromptBuilder
from inference.prompted_base import VllmPromptedBase
from inference.server import EmbeddedServer
from inference.server_command import ServerSettings

_FOLDER = "compare"
"""A folder beside the runs: the answers, and log and address of servers that run for a comparison alone."""
_BARE = "it reads the message alone, so it cannot be prompted"


def open_answers(settings: Settings) -> SqliteAnswerCache:
    """The answers of earlier comparisons. Raises UsageError."""
    return SqliteAnswerCache(settings.model.runs.parent / _FOLDER / "answers.sqlite")


def check_base(base: str) -> None:
    """Raise UsageError for a base that cannot be had. Blocks while it is downloaded."""
    try:
        base_folder(base)
    except UsageError as error:
        raise UsageError(f"--base: {str(error).removeprefix('model.base: ')}") from error


@asynccontextmanager
async def own_base(settings: Settings, models: ModelStack) -> AsyncIterator[PromptedBase]:
    """The settings' base, behind the server that is running. Raises NotTrained for the starter."""
    folder = await asyncio.to_thread(base_folder, settings.model.base)
    prompts = await asyncio.to_thread(PromptBuilder, folder)
    if prompts.bare:
        raise NotTrained(f"{_BARE}; name another base with --base")
    if models.server is not None:
        adapters = VllmAdapters(models.server.line, folder, workspace=settings.workspace)
        predictor = VllmPredictor(prompts, settings.model.base, adapters)
        yield VllmPromptedBase(predictor, prompts, folder)
        return
    if settings.model.server is None:
        raise Refused("no model server runs")
    async with open_line(settings.model.server, key=settings.model.key) as line:
        predictor = VllmPredictor(prompts, settings.model.base, VllmAdapters(line, folder))
        yield VllmPromptedBase(predictor, prompts, folder)


@asynccontextmanager
async def other_base(settings: Settings, base: str) -> AsyncIterator[PromptedBase]:
    """A base behind a server of its own, stopped afterwards. Raises NotTrained, Refused or Unreachable."""
    folder = await asyncio.to_thread(base_folder, base)
    prompts = await asyncio.to_thread(PromptBuilder, folder)
    if prompts.bare:
        raise NotTrained(_BARE)
    directory = settings.model.runs.parent / _FOLDER
    async with EmbeddedServer(ServerSettings(folder, base, directory), said_once()) as server:
        predictor = VllmPredictor(prompts, base, VllmAdapters(server.line, folder))
        yield VllmPromptedBase(predictor, prompts, folder)


@asynccontextmanager
async def hosted(endpoint: Endpoint) -> AsyncIterator[ChatModel]:
    """An endpoint of the settings. Raises Refused where its key cannot be valid."""
    if endpoint.key and not endpoint.secret:
        raise Refused(f"{endpoint.key} is not in the environment")
    if not endpoint.secret.isascii() or not endpoint.secret.isprintable():
        raise Refused(f"{endpoint.key} holds what cannot be a key")
    async with open_endpoint(endpoint) as line:
        yield HostedModel(line, endpoint)
