"""Serves `/adapters` to a model server that fetches: the registry's adapters, and one that is being judged."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from starlette.routing import BaseRoute

from bot.domain.model_ports import Registry
from bot.http.adapter_files import AdapterFiles
from bot.settings import Settings
from inference.adapter_resolver import ADAPTER_NAME, FILES
from inference.adapters import verify
from inference.run_folder import adapter_of, sha256_of


def adapter_routes(settings: Settings, registry: Registry) -> list[BaseRoute]:
    """The routes; none unless `model.server_adapters` is "fetch"."""
    return AdapterFiles(partial(_find, settings, registry), sums, settings.model.adapter_token).routes


async def _find(settings: Settings, registry: Registry, name: str) -> Path | None:
    """The folder of that adapter. A candidate that is being judged is not in the registry yet: its run has it."""
    if not ADAPTER_NAME.fullmatch(name):
        return None
    for task in settings.tasks:
        for adapter in await registry.adapters(task.name):
            if adapter.name == name and adapter.path.is_dir():
                await asyncio.to_thread(verify, adapter)
                return adapter.path
    candidate = adapter_of(settings.model.runs / name)
    return candidate if candidate.is_dir() else None


def sums(folder: Path) -> Mapping[str, str]:
    """File -> sha256, for the files of a LoRA. Raises OSError where a file is missing."""
    return {file: sha256_of(folder / file) for file in FILES}
