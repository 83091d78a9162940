"""A client that is silent, sends slowly, or opens a thousand connections does not delay others."""

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.http.app import site as site_of
from bot.http.connections import HEADER_BYTES, MOST, BoundedConnection
from bot.http.server import listening_socket, serve_http

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


@asynccontextmanager
async def site(most: int = MOST, seconds: float = 15.0) -> AsyncIterator[int]:
    """The port of a site that echoes what it is sent."""

    class Connection(BoundedConnection):
        pass

    Connection.most, Connection.seconds = most, seconds
    with listening_socket("127.0.0.1", 0) as socket:
        port: int = socket.getsockname()[1]
        application = site_of([Route("/", _echo, methods=["GET", "POST"])])
        serving = asyncio.create_task(serve_http(application, socket, Connection))
        try:
            yield port
        finally:
            serving.cancel()
            await asyncio.wait({serving})


async def opened(port: int, stack: AsyncExitStack, begin: bytes = b"") -> Stream:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    stack.callback(writer.close)
    writer.write(begin)
    return reader, writer


async def answered(port: int) -> int:
    async with httpx.AsyncClient(timeout=20) as client:
        return (await client.post(f"http://127.0.0.1:{port}/", content="hello")).status_code


HALF = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Le"
HALF_A_BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhello"


@pytest.mark.parametrize("begin", [b"", HALF, HALF_A_BODY])
async def test_a_request_that_never_becomes_whole_is_hung_up_on(begin: bytes) -> None:
    async with site(seconds=0.2) as port, AsyncExitStack() as stack:
        reader, _ = await opened(port, stack, begin)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            async with asyncio.timeout(10):
                await reader.readexactly(10_000)
        assert await answered(port) == 200


async def test_a_second_request_on_a_connection_must_become_whole_as_well() -> None:
    async with site(seconds=0.3) as port, AsyncExitStack() as stack:
        reader, writer = await opened(port, stack, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.write(HALF)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            async with asyncio.timeout(4):  # before the limit for idle connections has passed
                await reader.readexactly(10_000)


async def test_an_answer_may_take_longer_than_a_request() -> None:
    async def slow(_: Request) -> Response:
        await asyncio.sleep(0.6)
        return PlainTextResponse("here")

    class Connection(BoundedConnection):
        seconds = 0.2

    with listening_socket("127.0.0.1", 0) as socket:
        serving = asyncio.create_task(serve_http(Starlette(routes=[Route("/", slow)]), socket, Connection))
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{socket.getsockname()[1]}/")).text == "here"
        serving.cancel()
        await asyncio.wait({serving})


async def test_whoever_waits_longest_gives_way_and_those_with_requests_are_answered() -> None:
    async with site(most=20) as port, AsyncExitStack() as stack:
        readers = [(await opened(port, stack, HALF))[0] for _ in range(60)]
        assert await answered(port) == 200
        async with asyncio.timeout(10):
            for reader in readers[:41]:  # the oldest, and of the others one that was answered
                with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                    await reader.readexactly(1)
        assert not any(reader.at_eof() or reader.exception() for reader in readers[41:])


async def test_more_half_open_requests_than_files_leave_the_process_its_files() -> None:
    with at_most_files(files() + 2 * 700 + 200):
        async with site(most=100) as port, AsyncExitStack() as stack:
            for _ in range(7):
                await asyncio.gather(*(opened(port, stack, HALF) for _ in range(100)))
            assert await answered(port) == 200
            taken = files() - 700
            assert taken < 100 + 700, "of both ends of 700 connections only a hundred of ours are kept"


def files() -> int:
    """The files that this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@contextmanager
def at_most_files(number: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(number, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_headers_without_an_end_are_refused() -> None:
    async with site() as port, AsyncExitStack() as stack:
        reader, writer = await opened(port, stack, b"GET / HTTP/1.1\r\n")
        writer.write(b"X-Long: " + b"x" * 100_000)
        async with asyncio.timeout(10):
            assert (await reader.read(100)).startswith(b"HTTP/1.1 400")


def _request(before_the_body: int, target: bytes = b"/", many: int = 1) -> bytes:
    """A request with so many bytes before its body, in so many headers."""
    begin = b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n"
    room = before_the_body - len(begin) - len(b"\r\n")
    each = [room // many] * (many - 1) + [room - room // many * (many - 1)]
    lines = [b"X: " + b"x" * (size - len(b"X: \r\n")) + b"\r\n" for size in each]
    return begin + b"".join(lines) + b"\r\n"


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (_request(HEADER_BYTES - 100), b"HTTP/1.1 2"),
        (_request(HEADER_BYTES + 100), b"HTTP/1.1 4"),
        (_request(70_000), b"HTTP/1.1 4"),
        (_request(100_000, many=90), b"HTTP/1.1 4"),
        (_request(70_000, target=b"/?" + b"q" * 69_000), b"HTTP/1.1 4"),
    ],
    ids=["what fits", "a little more", "one large header", "many headers", "a long address"],
)
async def test_no_header_block_larger_than_the_limit_is_let_in_though_one_read_brings_it_whole(
    sent: bytes, answer: bytes
) -> None:
    first = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"  # what follows waits in memory, and is read at once
    async with site() as port, AsyncExitStack() as stack:
        reader, _ = await opened(port, stack, first + sent)
        async with asyncio.timeout(10):
            await reader.readuntil(b"\r\n\r\n")
            assert (await reader.readexactly(len(answer))) == answer
