"""How adapters reach a model server: by a path that it sees, or fetched by the server from the bot over HTTP."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

import httpx

from bot.domain.errors import Refused
from bot.domain.learning import Adapter
from bot.domain.model_ports import FETCH, SAME
from inference.http import accepted, send


class AdapterDelivery(Protocol):
    """A way for a server to get adapters."""

    async def load(self, line: httpx.AsyncClient, adapter: Adapter, served: str) -> httpx.Response:
        """Have the server load it as `served`; return its answer. Raises Refused if it never can, and Unreachable."""

    def may_be_elsewhere(self, adapter: Adapter) -> bool:
        """Whether its files need not be on this machine, because another process provides them to the server."""


@dataclass(frozen=True, slots=True)
class ByPath:
    """The server sees the folder of runs, under the same path as we do or another."""

    here: Path = Path()
    there: PurePosixPath | None = None
    """The server's path of the folder; None: the same as ours."""

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
    """The server fetches adapters by name, with `inference.adapter_resolver`, whenever one is first asked."""

    async def load(self, line: httpx.AsyncClient, adapter: Adapter, served: str) -> httpx.Response:
        """See `AdapterDelivery`. Asking the adapter for one token makes the server fetch it."""
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
    """The delivery that `model.server_adapters` names."""
    if setting == FETCH:
        return Fetched()
    return ByPath() if setting == SAME else ByPath(runs, PurePosixPath(setting))
