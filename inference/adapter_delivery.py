"""How adapters reach a model server: by a path that it sees, or fetched by it from the bot over HTTP."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

import httpx

from bot.domain.errors import Refused
from bot.domain.learning import Adapter
from bot.domain.model_ports import FETCH, SAME
from inference.http import accepted, send


class AdapterDelivery(Protocol):
    """One way."""

    async def load(self, line: httpx.AsyncClient, adapter: Adapter, served: str) -> httpx.Response:
        """Have the server load it as `served`, and its answer. Raises Refused where it never can, and Unreachable."""

    def may_be_elsewhere(self, adapter: Adapter) -> bool:
        """Whether its files need not be on this machine: another process has them for the server."""


@dataclass(frozen=True, slots=True)
class ByPath:
    """The server sees the folder of runs, under the same name as we do or another."""

    here: Path = Path()
    there: PurePosixPath | None = None
    """None: what we call a folder is what it calls it."""

    async def load(self, line: httpx.AsyncClient, adapter: Adapter, served: str) -> httpx.Response:
        """See `AdapterDelivery`."""
        body = {"lora_name": served, "lora_path": self._seen(adapter.path.resolve())}
        return await send(line, "POST", "/v1/load_lora_adapter", body)

    def may_be_elsewhere(self, adapter: Adapter) -> bool:
        """See `AdapterDelivery`."""
        return False

    def _seen(self, path: Path) -> str:
        if self.there is None:
            return str(path)
        if not path.is_relative_to(self.here.resolve()):
            raise Refused(
                f"adapter in {path}: it is not below {self.here}, which is all that the model server sees; copy it "
                'there, or write server_adapters = "fetch"'
            )
        return str(self.there / path.relative_to(self.here.resolve()).as_posix())


class Fetched:
    """The server finds adapters by name, with `inference.adapter_resolver`, whenever one is first asked."""

    async def load(self, line: httpx.AsyncClient, adapter: Adapter, served: str) -> httpx.Response:
        """See `AdapterDelivery`. Asking for one token of it has it fetched."""
        body = {"model": served, "prompt": ".", "max_tokens": 1}
        response = await send(line, "POST", "/v1/completions", body)
        match response.status_code:
            case 404:
                raise Refused(
                    f"adapter {adapter.name}: the model server does not find it; see that its environment has "
                    "SWITCHBOARD_ADAPTERS_URL, that Switchboard is installed there, and what its log says"
                )
            case 400:
                raise Refused(f"adapter {adapter.name}: the model server fetched it and cannot use it")
        return accepted(response, f"adapter {adapter.name}")

    def may_be_elsewhere(self, adapter: Adapter) -> bool:
        """See `AdapterDelivery`."""
        return not adapter.path.exists()


def delivery(setting: str, runs: Path) -> AdapterDelivery:
    """What `model.server_adapters` means."""
    if setting == FETCH:
        return Fetched()
    return ByPath() if setting == SAME else ByPath(runs, PurePosixPath(setting))
