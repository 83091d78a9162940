"""A model server elsewhere fetches the files that are here: over real HTTP, with the code that runs in vLLM."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from bot.adapter_delivery import sums
from bot.domain.errors import Refused
from bot.http.adapter_files import AdapterFiles, FindAdapter, Sums
from bot.http.app import site
from bot.http.server import listening_socket, serve_http
from inference.adapter_resolver import FILES, AdapterSource, register

TOKEN = "shown-by-the-model-server"


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "routing-1" / "adapter"
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}", "utf-8")
    (folder / "adapter_model.safetensors").write_bytes(bytes(range(256)) * 40_000)  # ten megabytes
    (folder.parent / "examples.jsonl").write_text("what people wrote", "utf-8")
    return folder


@asynccontextmanager
async def bot(folder: Path | None, of: Sums = sums, refuses: str = "") -> AsyncIterator[str]:
    """The address of a bot that has one adapter."""

    async def find(name: str) -> Path | None:
        if refuses:
            raise Refused(refuses)
        return folder if name == "routing-1" else None

    with listening_socket("127.0.0.1", 0) as listening:
        routes = AdapterFiles(find, of, TOKEN).routes
        serving = asyncio.create_task(serve_http(site(routes), listening))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


async def fetched(addresses: list[str], kept: Path, name: str = "routing-1", token: str = TOKEN) -> Path | None:
    return await asyncio.to_thread(AdapterSource(addresses, token, kept).fetch, name)


async def test_it_arrives_whole_and_alone(adapter: Path, tmp_path: Path) -> None:
    async with bot(adapter) as address:
        folder = await fetched([address], tmp_path / "kept")
    assert folder is not None
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        name: (adapter / name).read_bytes() for name in FILES
    }
    assert list((tmp_path / "kept").iterdir()) == [folder]


async def test_what_is_there_already_is_not_fetched_again_and_what_was_damaged_is(
    adapter: Path, tmp_path: Path
) -> None:
    async with bot(adapter) as address:
        first = await fetched([address], tmp_path / "kept")
        assert first is not None
        written = (first / FILES[1]).stat().st_mtime_ns
        assert await fetched([address], tmp_path / "kept") == first
        assert (first / FILES[1]).stat().st_mtime_ns == written
        (first / FILES[1]).write_bytes(b"damaged")
        assert await fetched([address], tmp_path / "kept") == first
        assert (first / FILES[1]).read_bytes() == (adapter / FILES[1]).read_bytes()


async def test_the_bot_that_has_it_is_found_among_others(adapter: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        dead = f"http://127.0.0.1:{taken.getsockname()[1]}"
    async with bot(None) as without, bot(adapter) as has_it:
        assert await fetched([dead, without, has_it], tmp_path / "kept") is not None


@pytest.mark.parametrize("name", ["routing-2", "../routing-1", "..", "", "routing-1/adapter", "a b"])
async def test_what_nobody_has_is_not_found(adapter: Path, tmp_path: Path, name: str) -> None:
    async with bot(adapter) as address:
        assert await fetched([address], tmp_path / "kept", name) is None


async def test_another_token_gets_nothing(adapter: Path, tmp_path: Path) -> None:
    async with bot(adapter) as address:
        assert await fetched([address], tmp_path / "kept", token="guessed") is None
        async with httpx.AsyncClient(base_url=address, trust_env=False) as web:
            answers = [await web.get(f"/adapters/routing-1{file}") for file in ("", *(f"/{name}" for name in FILES))]
    assert [answer.status_code for answer in answers] == [401] * 3


async def test_nothing_but_the_adapter_can_be_had(adapter: Path) -> None:
    async with bot(adapter) as address, httpx.AsyncClient(base_url=address, trust_env=False) as web:
        web.headers["Authorization"] = f"Bearer {TOKEN}"
        for path in ("examples.jsonl", "..%2Fexamples.jsonl", "done.json", "%2E%2E/examples.jsonl"):
            answer = await web.get(f"/adapters/routing-1/{path}")
            assert answer.status_code == 404
            assert "what people wrote" not in answer.text


async def test_files_that_changed_on_their_way_are_not_used(adapter: Path, tmp_path: Path) -> None:
    def of_before(folder: Path) -> Mapping[str, str]:
        return {**sums(folder), FILES[1]: "0" * 64}

    async with bot(adapter, of_before) as address:
        assert await fetched([address], tmp_path / "kept") is None
    assert not list((tmp_path / "kept").iterdir())


async def test_files_that_were_changed_since_they_were_judged_are_not_handed_out(tmp_path: Path, adapter: Path) -> None:
    async with bot(adapter, refuses="the files were changed") as address:
        assert await fetched([address], tmp_path / "kept") is None


def test_without_a_token_there_is_no_such_page(adapter: Path) -> None:
    async def find(_: str) -> Path | None:
        return adapter

    finder: FindAdapter = find
    assert AdapterFiles(finder, sums, "").routes == []


@pytest.mark.parametrize("how", ["variable", "file", "credential"])
async def test_vllm_is_told_where_it_lies(
    how: str, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With vLLM's own classes, as a starting server has them."""
    registry = pytest.importorskip("vllm.lora.resolver").LoRAResolverRegistry
    async with bot(adapter) as address:
        monkeypatch.setenv("SWITCHBOARD_ADAPTERS_URL", f"http://127.0.0.1:9 {address}")
        (tmp_path / "SWITCHBOARD_ADAPTER_TOKEN").write_text(f"{TOKEN}\n", "utf-8")
        name, value = {
            "variable": ("SWITCHBOARD_ADAPTER_TOKEN", TOKEN),
            "file": ("SWITCHBOARD_ADAPTER_TOKEN_FILE", str(tmp_path / "SWITCHBOARD_ADAPTER_TOKEN")),
            "credential": ("CREDENTIALS_DIRECTORY", str(tmp_path)),
        }[how]
        monkeypatch.setenv(name, value)
        monkeypatch.setenv("SWITCHBOARD_ADAPTERS_KEPT", str(tmp_path / "kept"))
        monkeypatch.setattr(registry, "resolvers", {})
        register()
        register()  # vLLM may, too
        resolver = registry.get_resolver("Switchboard")
        request = await resolver.resolve_lora("/opt/starter", "routing-1")
        assert await resolver.resolve_lora("/opt/starter", "routing-2") is None
    assert (request.lora_name, Path(request.lora_path).parent) == ("routing-1", tmp_path / "kept")
    assert sums(Path(request.lora_path)) == sums(adapter)


def test_without_an_address_vllm_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = pytest.importorskip("vllm.lora.resolver").LoRAResolverRegistry
    monkeypatch.setattr(registry, "resolvers", {})
    monkeypatch.delenv("SWITCHBOARD_ADAPTERS_URL", raising=False)
    register()
    assert registry.resolvers == {}
