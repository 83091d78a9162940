"""Adapters in the running server: checked, loaded, listed, unloaded, and loaded again after a restart."""

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx
from safetensors import SafetensorError, safe_open

from bot.domain import model_ports
from bot.domain.errors import Refused, Unreachable
from bot.domain.learning import Adapter
from bot.domain.model_calls import CallKind, SawCall, unseen
from bot.domain.tracing import Attributes, Kind, span
from inference.adapter_delivery import AdapterDelivery, ByPath
from inference.base_models import linear_shapes
from inference.calls import watched
from inference.finite import first_not_finite
from inference.http import MALFORMED, Health, accepted, health, named, send
from inference.run_folder import sha256_of

MAX_RANK = 16
"""The largest rank of a LoRA that the server takes; it reserves memory for it."""
MAX_LOADED = 8
"""How many adapters the server keeps loaded: each task's champion, a candidate, and some for rollbacks. Those that were
asked or loaded last stay."""
_WEIGHTS = "adapter_model.safetensors"
_UNLOAD = "/v1/unload_lora_adapter"

log = logging.getLogger(__name__)


class VllmAdapters:
    """The adapters of one vLLM server."""

    def __init__(
        self,
        line: httpx.AsyncClient,
        base: Path,
        delivery: AdapterDelivery | None = None,
        workspace: str = "",
        saw: SawCall = unseen,
    ) -> None:
        """`base` is the folder of the model that the server serves; `delivery` None: the server sees our folders.

        `saw` is called with every call.

        Workspaces that share a server see only their own adapters, even if two have the same name.
        """
        self._line = line
        self._before = f"{workspace}/" if workspace else ""
        self._base = base
        self._delivery = delivery or ByPath()
        self._saw = saw
        self._wanted: dict[str, Adapter] = {}

    @property
    def who(self) -> str:
        """The server's name for people to read."""
        return named(self._line)

    @property
    def address(self) -> str:
        """The server's address, for figures and logs."""
        return self._line.base_url.netloc.decode()

    async def alive(self) -> bool:
        """Whether the server answers now."""
        return await health(self._line) is Health.ALIVE

    async def answering(self) -> Mapping[str, bool]:
        """The server's address -> whether it answers now."""
        return {self.address: await self.alive()}

    async def complete(self, adapter: Adapter | None, body: Mapping[str, object], kind: CallKind) -> httpx.Response:
        """The server's answer to a question. An adapter that it has forgotten (it restarted) is loaded again on the
        way.

        Raises Unreachable, Refused.
        """
        response = await self._asked(body, kind)
        if response.status_code == 404 and adapter is not None:
            await self.load(adapter)
            response = await self._asked(body, kind)
        if adapter is not None and adapter.name in self._wanted:
            self._wanted[adapter.name] = self._wanted.pop(adapter.name)  # the last of them was used last
        return accepted(response, f"a question to {body['model']!r}")

    async def _asked(self, body: Mapping[str, object], kind: CallKind) -> httpx.Response:
        url, model = self._line.base_url, str(body["model"])
        about: Attributes = {"server.address": url.host, "server.port": url.port or 0, "gen_ai.request.model": model}
        with span("text_completion", kind=Kind.CLIENT, attributes=about) as own, watched(self._saw, kind) as call:
            response = await send(self._line, "POST", "/v1/completions", body)
            call.answer(response)
            own.note({"gen_ai.usage.input_tokens": call.sent, "gen_ai.usage.output_tokens": call.answered})
            return response

    def served(self, name: str) -> str:
        """The server's name for the adapter of that name."""
        return f"{self._before}{name}"

    async def load(self, adapter: Adapter) -> None:
        """See `model_ports.AdapterHost`. Raises Unreachable when the server is down.

        With more than `MAX_LOADED` those that were not asked for longest are unloaded; a question loads them again.
        """
        await self.examine(adapter)
        if adapter.name not in await self.loaded():
            await self._load(adapter)
        for name in self.want(adapter):
            with suppress(Unreachable):  # a server that is down comes back without it
                await self.unload(name)

    def want(self, adapter: Adapter) -> list[str]:
        """Keep the adapter loaded across restarts; the names of those that are wanted no longer, since there are more
        than `MAX_LOADED`."""
        self._wanted.pop(adapter.name, None)
        self._wanted[adapter.name] = adapter
        outdated = list(self._wanted)[:-MAX_LOADED]
        for name in outdated:
            del self._wanted[name]
        return outdated

    async def examine(self, adapter: Adapter) -> None:
        """Check its files without the server. Raises Refused, naming the adapter, if they are missing or do not fit.

        Files that the server fetches from another process are checked by that process.
        """
        if self._delivery.may_be_elsewhere(adapter):
            return
        try:
            await asyncio.to_thread(inspect, adapter.path, self._base)
            await asyncio.to_thread(verify, adapter)
        except Refused as error:
            raise Refused(f"{adapter.name} cannot be loaded: {error}") from error

    async def digest(self, folder: Path) -> str:
        """See `model_ports.AdapterHost`."""
        try:
            return await asyncio.to_thread(digest_of, folder)
        except OSError as error:
            raise Refused(f"adapter in {folder}: {error.strerror or error}") from error

    def unwant(self, name: str) -> None:
        """Do not load it again after a restart."""
        self._wanted.pop(name, None)

    async def unload(self, name: str) -> None:
        """See `model_ports.AdapterHost`."""
        self.unwant(name)
        if name in await self.loaded():
            with watched(self._saw, CallKind.UNLOAD) as call:
                call.answer(await send(self._line, "POST", _UNLOAD, {"lora_name": self.served(name)}))

    async def loaded(self) -> frozenset[str]:
        """Names of the adapters that the server has loaded now."""
        with watched(self._saw, CallKind.LIST):
            response = accepted(await send(self._line, "GET", "/v1/models"), "the list of models")
        try:
            names = [str(card["id"]) for card in response.json()["data"] if card.get("parent")]
        except MALFORMED as error:
            raise Unreachable("model server: answered nonsense: no list of models") from error
        if not self._before:
            return frozenset(name for name in names if "/" not in name)
        return frozenset(name.removeprefix(self._before) for name in names if name.startswith(self._before))

    async def restore(self) -> None:
        """Load again all adapters that should be there. One that can no longer be loaded is logged and left out."""
        for adapter in list(self._wanted.values()):
            try:
                await self.load(adapter)
            except Refused:
                log.exception("adapter not restored", extra={"adapter": adapter.name})

    async def _load(self, adapter: Adapter) -> None:
        try:
            with watched(self._saw, CallKind.LOAD) as call:
                response = await self._delivery.load(self._line, adapter, self.served(adapter.name))
                call.answer(response)
        except Unreachable as error:
            # vLLM answers 500 both when it is dying and when it cannot use the adapter.
            if await health(self._line) is Health.ALIVE:
                raise Refused(f"adapter {adapter.name}: the server cannot use what is in {adapter.path}") from error
            raise
        if adapter.name not in await self.loaded():
            accepted(response, f"adapter {adapter.name} in {adapter.path}")


def inspect(folder: Path, base: Path) -> None:
    """Raise Refused, in one sentence, unless the folder holds a complete LoRA that fits the base model.

    The server itself (vLLM 0.32) accepts a LoRA of other shapes without complaint.
    """
    rank = _config(folder).get("r")
    if not isinstance(rank, int) or not 0 < rank <= MAX_RANK:
        raise Refused(f"adapter in {folder}: its rank is {rank!r}, and the server takes 1 to {MAX_RANK}")
    found = _shapes(folder / _WEIGHTS)
    if not any("lora_A" in name for name in found):
        raise Refused(f"adapter in {folder}: adapter_model.safetensors holds no LoRA")
    fitting = linear_shapes(base)
    for name, shape in found.items():
        match re.search(r"\.(\w+)\.lora_([AB])\.weight$", name):
            case re.Match() as part if part[1] in fitting:
                inputs, outputs = fitting[part[1]]
                if shape != ((rank, inputs) if part[2] == "A" else (outputs, rank)):
                    raise Refused(f"adapter in {folder} was made for another base model: {name} is {shape}")
    broken = first_not_finite(folder / _WEIGHTS)
    if broken is not None:
        raise Refused(f"adapter in {folder}: {broken} holds weights that are no finite numbers; train it anew")


def verify(adapter: Adapter) -> None:
    """Raise Refused if its files are not those that were judged; without a digest any files pass."""
    if adapter.digest is not None and adapter.digest != digest_of(adapter.path):
        raise Refused(
            f"the files in {adapter.path} were changed since it was judged; put back those of a backup, let another "
            "serve (switchboard rollback), or train anew"
        )


def digest_of(folder: Path) -> str:
    """sha256 over the name and the sha256 of every file in the folder, by name. Raises OSError."""
    whole = hashlib.sha256()
    for path in sorted(one for one in folder.iterdir() if one.is_file()):
        whole.update(f"{path.name}\0{sha256_of(path)}\n".encode())
    return whole.hexdigest()


def _shapes(weights: Path) -> dict[str, tuple[int, ...]]:
    try:
        with safe_open(weights, framework="np") as tensors:
            return {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise Refused(f"adapter in {weights.parent}: {weights.name} is missing or half written") from error


def _config(folder: Path) -> dict[str, object]:
    file = folder / "adapter_config.json"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"adapter in {folder}: {file.name} is missing or half written") from error
    if not isinstance(config, dict):
        raise Refused(f"adapter in {folder}: {file.name} is no LoRA's")
    return config


_: type[model_ports.AdapterHost] = VllmAdapters
