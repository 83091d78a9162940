"""What every local server has: an address, a record of the calls it got, and planned faults."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import ClientSession, ClientTimeout, web

from tests.servers.wire import Json

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that reached the server, without its token; `at` is monotonic seconds."""

    method: str
    args: Json
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How one call is to fail: refused (with an error or a status), late, or done but unanswered."""

    error: str | None = None
    status: int | None = None
    retry_after: int | None = None
    delay: float = 0.0
    lose_response: bool = False

    @property
    def refuses(self) -> bool:
        return self.error is not None or self.status is not None or self.retry_after is not None


class LocalServer:
    """A server on 127.0.0.1 while an `async with` lasts; port 0 is any free one."""

    def __init__(self, port: int = 0) -> None:
        self.calls: list[Call] = []
        self.url = ""
        self.clock_ahead = timedelta(0)
        """By how much its clock is ahead, in the header `Date`."""
        self._port = port
        self._faults: dict[str, list[Fault]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.http = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=30)))
            site = self.web_app()
            site.on_response_prepare.append(self._dated)
            runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.2)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", self._port).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.closing()
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()
        failures = [end for end in ended if isinstance(end, Exception)]
        if failures and error is None:
            raise ExceptionGroup("the server failed in the background", failures)

    async def _dated(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = format_datetime(datetime.now(UTC) + self.clock_ahead, usegmt=True)

    def web_app(self) -> web.Application:
        """The routes of this platform."""
        raise NotImplementedError

    async def closing(self) -> None:
        """Release everything that waits for the server; called before it stops."""

    def refusal(self, fault: Fault) -> web.Response:
        """The fault in this platform's format."""
        raise NotImplementedError

    def fail(
        self,
        method: str,
        *,
        error: str | None = None,
        status: int | None = None,
        retry_after: int | None = None,
        delay: float = 0.0,
        lose_response: bool = False,
        times: int = 1,
    ) -> None:
        """Let the next `times` calls of a method fail; plans for the same method are used in order."""
        fault = Fault(error=error, status=status, retry_after=retry_after, delay=delay, lose_response=lose_response)
        self._faults.setdefault(method, []).extend([fault] * times)

    def heal(self) -> None:
        """Forget all planned faults."""
        self._faults.clear()

    def calls_to(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    async def until(self, predicate: Callable[[], T], timeout: float = 5.0) -> T:
        """Wait for the predicate to be truthy and return its value; TimeoutError after so many seconds."""
        deadline = time.monotonic() + timeout
        while not (found := predicate()):
            if time.monotonic() > deadline:
                latest = ", ".join(call.method for call in self.calls[-8:])
                raise TimeoutError(f"still not so after {timeout} s; the latest calls: {latest or 'none'}")
            await asyncio.sleep(0.01)
        return found

    async def answered(
        self, request: web.Request, call: Call, act: Callable[[], Awaitable[web.Response]]
    ) -> web.Response:
        """Record the call and answer it, or fail as planned."""
        self.calls.append(call)
        planned = self._faults.get(call.method)
        fault = planned.pop(0) if planned else Fault()
        await asyncio.sleep(fault.delay)
        if fault.refuses:
            return self.refusal(fault)
        response = await act()
        if fault.lose_response and request.transport is not None:
            request.transport.abort()
        return response

    def in_background(self, work: Coroutine[None, None, None], name: str) -> None:
        """Run work while the server lives; its failure is raised when the server closes."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        # A failed task is kept, so that closing can raise its error.
        if task.cancelled() or task.exception() is None:
            self._tasks.discard(task)
