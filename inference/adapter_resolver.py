"""Inside a vLLM server that shares no folder with the bot: adapters are fetched by name, over HTTP, with a token.

vLLM calls `register` in every process it starts (entry point `vllm.general_plugins`), and the resolver whenever a model
is requested that it does not know, if VLLM_ALLOW_RUNTIME_LORA_UPDATING is set. Only vLLM and Python are needed here, so
that `pip install --no-deps switchboard` is enough beside it. The environment:

SWITCHBOARD_ADAPTERS_URL    addresses of bots, with spaces between them: the first that has the adapter is used
SWITCHBOARD_ADAPTER_TOKEN   what they want to be shown; or SWITCHBOARD_ADAPTER_TOKEN_FILE, or systemd's credential
SWITCHBOARD_ADAPTERS_KEPT   a folder that fetched adapters are kept in; by default a new one in the temporary folder
"""

import asyncio
import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vllm.lora.request import LoRARequest

FILES = ("adapter_config.json", "adapter_model.safetensors")
"""The files of a LoRA; nothing else is fetched."""
ADAPTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
"""Names that cannot hide a path."""
_SHOWN = "SWITCHBOARD_ADAPTER_TOKEN"
_PATIENCE = 30.0
"""Seconds after which a silent bot counts as absent."""
_AT_ONCE = 1 << 20

log = logging.getLogger(__name__)


class NotFetched(Exception):
    """The bot at this address has no such adapter, or no complete one."""


def register() -> None:
    """Register the resolver with this vLLM; does nothing if the environment names no bot. May be called again."""
    addresses = os.environ.get("SWITCHBOARD_ADAPTERS_URL", "").split()
    if not addresses:
        return
    from vllm.lora.resolver import LoRAResolver, LoRAResolverRegistry

    kept = os.environ.get("SWITCHBOARD_ADAPTERS_KEPT") or tempfile.mkdtemp(prefix="switchboard-adapters-")
    source = AdapterSource(addresses, _token(os.environ), Path(kept))

    class Resolver(LoRAResolver):
        """The resolver that vLLM asks."""

        async def resolve_lora(self, base_model_name: str, lora_name: str) -> "LoRARequest | None":
            return await resolved(source, lora_name)

    LoRAResolverRegistry.register_resolver("Switchboard", Resolver())


async def resolved(source: "AdapterSource", name: str) -> "LoRARequest | None":
    """What vLLM is to load for this name; None: no bot has it."""
    from vllm.lora.request import LoRARequest

    folder = await asyncio.to_thread(source.fetch, name)
    # vLLM replaces this number with one of its own for each adapter
    return None if folder is None else LoRARequest(lora_name=name, lora_int_id=1, lora_path=str(folder))


def _token(environment: Mapping[str, str]) -> str:
    """The variable's value, or what is in its file or in a credential of systemd's, as the bot reads it."""
    if value := environment.get(_SHOWN, "").strip():
        return value
    credential = Path(environment.get("CREDENTIALS_DIRECTORY", "/nonexistent"), _SHOWN)
    named = environment.get(f"{_SHOWN}_FILE") or (credential if credential.is_file() else None)
    return Path(named).read_text("utf-8").strip() if named else ""


@dataclass(frozen=True, slots=True)
class AdapterSource:
    """The bots that have adapters."""

    addresses: Sequence[str]
    token: str = field(repr=False)
    kept: Path

    def fetch(self, name: str) -> Path | None:
        """The adapter's folder on this machine, its files checked against the bot's digests; None: no bot has it
        now."""
        if not ADAPTER_NAME.fullmatch(name):
            return None
        for address in self.addresses:
            try:
                return self._from(address.rstrip("/"), name)
            except NotFetched as error:
                log.warning("Switchboard's adapter not fetched: %s", error)
        return None

    def _from(self, address: str, name: str) -> Path:
        where = f"{address}/adapters/{urllib.parse.quote(name)}"
        sums = _sums(self._read(where), name)
        folder = self.kept / f"{name}-{hashlib.sha256(repr(sorted(sums.items())).encode()).hexdigest()[:16]}"
        if all((folder / file).is_file() and _sha256(folder / file) == sums[file] for file in FILES):
            return folder
        try:
            self.kept.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=self.kept))
            try:
                for file in FILES:
                    self._download(f"{where}/{file}", part / file, sums[file])
                shutil.rmtree(folder, ignore_errors=True)
                part.rename(folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        except OSError as error:
            raise NotFetched(f"{name} cannot be kept in {self.kept}: {error.strerror or error}") from error
        return folder

    def _read(self, url: str) -> bytes:
        with self._open(url) as answer:
            content: bytes = answer.read(_AT_ONCE)
        return content

    def _download(self, url: str, file: Path, wanted: str) -> None:
        with self._open(url) as answer, file.open("wb") as written:
            shutil.copyfileobj(answer, written, _AT_ONCE)
        if _sha256(file) != wanted:
            raise NotFetched(f"{url} came broken")

    def _open(self, url: str) -> "urllib.request._UrlopenRet":
        shown = {"Authorization": f"Bearer {self.token}"}
        try:
            return _OPENER.open(urllib.request.Request(url, headers=shown), timeout=_PATIENCE)  # noqa: S310
        except urllib.error.HTTPError as error:
            raise NotFetched(f"{url} answered {error.code}") from error
        except (OSError, ValueError) as error:
            raise NotFetched(f"{url}: {error}") from error


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token is only for the address that was named."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())
"""Ignores proxies of the environment: none is ever meant between the bot and its own model."""


def _sums(said: bytes, name: str) -> dict[str, str]:
    """The sha256 of each file."""
    try:
        files = json.loads(said)["files"]
        return {file: str(files[file]) for file in FILES}
    except (ValueError, KeyError, TypeError) as error:
        raise NotFetched(f"{name}: what the bot says of it is no list of files") from error


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
