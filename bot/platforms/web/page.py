"""The page: its files, its content, and the events that tell it of changes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from bot.domain.ports import Inbox
from bot.domain.training_progress import LOOKED_AT, at_work
from bot.platforms import PlatformContext
from bot.platforms.web import render
from bot.platforms.web.events import NAME
from bot.platforms.web.inbound import Handler, now
from bot.platforms.web.words import Words

LINES = 600
"""The most lines, of all rooms together, that the page gets."""
_BEAT_SECONDS = 15.0
_HERE = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript"}


class Page:
    """What browsers are shown."""

    def __init__(self, context: PlatformContext, rooms: tuple[str, ...]) -> None:
        self._context = context
        self._rooms = rooms
        self._words = Words(
            context.task, context.languages, context.base, context.vocabulary, tuple(context.hearing_on(NAME))
        )
        self._browsers: set[asyncio.Event] = set()
        self._open = False

    def open(self) -> None:
        """Begin to serve the page's events."""
        self._open = True

    def changed(self) -> None:
        """Tell every open page to load again."""
        for browser in self._browsers:
            browser.set()

    def close(self) -> None:
        """Stop serving events and end those of open pages."""
        self._open = False
        self.changed()

    def files(self) -> list[tuple[str, Handler]]:
        """(path, handler) of the page and its parts."""
        parts = sorted(path for path in _HERE.iterdir() if path.suffix in _TYPES)
        return [
            ("/", _file(_HERE / "page.html", "text/html")),
            *((f"/chat/{path.name}", _file(path, _TYPES[path.suffix])) for path in parts),
        ]

    async def state(self, _request: Request, _inbox: Inbox) -> Response:
        """All that the page shows."""
        context = self._context
        lines = await context.transcript.lines(NAME, self._rooms, LINES)
        champion = await context.registry.champion(context.task.name, context.base)
        cycles = await context.registry.cycles(context.task.name, LOOKED_AT)
        waiting = await context.examples.waiting_corrections(context.task.name)
        learning = render.learning(self._words, champion, at_work(cycles), waiting)
        return JSONResponse(render.state(self._words, lines, learning, now()))

    async def events(self, _request: Request, _inbox: Inbox) -> Response:
        """Server-sent events: `changed` when the page should load again, `beat` so that it knows we are running."""
        return StreamingResponse(self._watch(), media_type="text/event-stream")

    async def _watch(self) -> AsyncIterator[str]:
        changed = asyncio.Event()
        changed.set()
        self._browsers.add(changed)
        try:
            while self._open:
                event = "changed" if changed.is_set() else "beat"
                changed.clear()
                yield f"event: {event}\ndata: 1\n\n"
                await _either(changed, _BEAT_SECONDS)
        finally:
            self._browsers.discard(changed)


async def _either(changed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        return


def _file(path: Path, media_type: str) -> Handler:
    content = path.read_bytes()

    async def send(_request: Request, _inbox: Inbox) -> Response:
        return Response(content, media_type=media_type)

    return send
