import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.domain.errors import Unreachable
from inference.http import Health, health, open_line, send

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@asynccontextmanager
async def hangs_up_after(answers: int) -> AsyncIterator[str]:
    """A server that closes the connection on the request after so many answered ones, on every connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(answers):
            if not await reader.readuntil(b"\r\n\r\n"):
                break
            writer.write(ANSWER)
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_server_that_hung_up_on_an_idle_connection_is_asked_again() -> None:
    async with hangs_up_after(1) as url, open_line(url) as line:
        for _ in range(5):
            assert (await send(line, "GET", "/v1/models")).is_success


async def test_hung_up_connection_is_no_sign_of_death() -> None:
    async with hangs_up_after(1) as url, open_line(url) as line:
        assert [await health(line) for _ in range(5)] == [Health.ALIVE] * 5


async def test_server_that_hangs_up_on_everything_is_down() -> None:
    async with hangs_up_after(0) as url, open_line(url) as line:
        assert await health(line) is Health.GONE
        with pytest.raises(Unreachable, match="no connection"):
            await send(line, "GET", "/v1/models")


async def test_nobody_there_is_gone() -> None:
    async with open_line("http://127.0.0.1:9") as line:
        assert await health(line) is Health.GONE
