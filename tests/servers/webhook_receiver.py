"""A receiver of webhooks over real HTTP, which can be down, slow, refuse and redirect."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.http.server import listening_socket, serve_http


@dataclass
class Receiver:
    """Everything that was sent to it, and how it answers."""

    url: str = ""
    status: int = 200
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    """Unset: every request waits."""
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    """Signature and body of each request that it answered with a 2xx."""
    asked: int = 0

    def events(self) -> list[dict[str, object]]:
        return [json.loads(body) for _, body in self.taken]

    def told(self) -> list[object]:
        return [event["event"] for event in self.events()]

    async def hear(self, request: Request) -> Response:
        self.asked += 1
        body = await request.body()
        await self.answers.wait()
        if self.status < 300:
            self.taken.append((request.headers["Switchboard-Signature"], body))
        return Response(status_code=self.status, headers={"Location": f"{self.url}/elsewhere"})


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on its own port, until the end."""
    receiver = Receiver()
    receiver.answers.set()
    paths = [Route(path, receiver.hear, methods=["POST", "GET"]) for path in ("/", "/elsewhere")]
    with listening_socket("127.0.0.1", 0) as socket:
        receiver.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        serving = asyncio.create_task(serve_http(Starlette(routes=paths), socket))
        yield receiver
        receiver.answers.set()
        serving.cancel()
        await asyncio.wait([serving])
