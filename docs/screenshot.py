"""Takes the README's picture: a demo in a browser, with a day's work in its rooms. `python -m docs.screenshot --help`.

Needs Chromium and what the tests need. Without --address it starts a demo of its own in an empty folder.
"""

import argparse
import asyncio
import contextlib
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, TypeVar

import httpx

from tests.integration.web.chromium import EXECUTABLE, chromium

PICTURE = Path(__file__).parent / "chat.png"
SIZE = (1440, 900)
_PATIENCE = 240.0
_A_MOMENT = 3.0
"""Seconds in which what was just done has reached everybody."""
T = TypeVar("T")

CHARGED = "I was charged twice for order L-20418, can you give me the money back?"
SIMILAR = "I was charged twice for order L-30777, please give me the money back"
LAMP = "The bedroom lamp no longer connects to the wifi"
HEATING = "The heating in room 3.12 is cold again, we are freezing"
OTHERS = (
    ("customer", "Where is my parcel? It should have been here on Monday"),
    ("employee", "How many days of holiday do I have left this year?"),
    ("employee", "My laptop does not start any more since this morning"),
)


class Card(TypedDict):
    id: str
    excerpt: str
    moved: str | None
    under: list[object]


class Room(TypedDict):
    room: str
    cards: list[Card]


@dataclass(frozen=True, slots=True)
class Chat:
    """What people do in the demo, by the same requests as the page makes."""

    web: httpx.AsyncClient

    async def write(self, room: str, text: str, thread: str | None = None) -> str:
        id = secrets.token_hex(8)
        await self._do("messages", {"room": room, "id": id, "text": text, **({"thread": thread} if thread else {})})
        return id

    async def card(self, text: str) -> dict[str, str]:
        """Where the standing card about this text is, once it is there."""
        return await _until(lambda: self._card(text))

    async def react(self, text: str, emoji: str) -> None:
        body = {"ref": await self.card(text), "actor": "lead", "emoji": emoji, "added": True}
        await self._do("reactions", body)

    async def note(self, under: str, text: str, send: bool) -> None:
        body = {"under": await self.card(under), "id": secrets.token_hex(8), "text": text, "send": send}
        await self._do("notes", body)

    async def _card(self, text: str) -> dict[str, str] | None:
        rooms: list[Room] = (await self.web.get("/chat/state")).raise_for_status().json()["teams"]
        found = [(room, card) for room in rooms for card in room["cards"] if card.get("excerpt") == text]
        standing = [{"room": room["room"], "id": card["id"]} for room, card in found if not card["moved"]]
        return standing[0] if standing else None

    async def _do(self, what: str, body: object) -> None:
        (await self.web.post(f"/chat/{what}", json=body)).raise_for_status()


async def _until(ask: Callable[[], Awaitable[T | None]]) -> T:
    async with asyncio.timeout(_PATIENCE):
        while (found := await ask()) is None:  # noqa: ASYNC110 - the demo tells browsers only
            await asyncio.sleep(0.2)
    return found


async def work(chat: Chat) -> None:
    """A day's work: routed, taken, answered, corrected, remembered."""
    for room, text in OTHERS:
        await chat.write(room, text)
        await chat.card(text)
    await chat.write("employee", HEATING)
    await chat.note(HEATING, "Somebody is on the way up to you.", send=True)
    lamp = await chat.write("customer", LAMP)
    await chat.react(LAMP, "👀")
    await chat.note(LAMP, "The third one of that batch this week", send=False)
    await chat.note(LAMP, "Please hold its button for ten seconds. Does it blink?", send=True)
    await asyncio.sleep(_A_MOMENT)
    await chat.write("customer", "Yes, it blinks blue", lamp)
    await chat.write("customer", CHARGED)
    await chat.react(CHARGED, "📦")
    await asyncio.sleep(_A_MOMENT)
    await chat.write("customer", SIMILAR)
    await chat.card(SIMILAR)
    await asyncio.sleep(_A_MOMENT)


@asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[str]:
    """A demo of its own, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    command = ("-m", "bot.cli", "demo", "--no-browser", "--listen", listen)
    process = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=folder)
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            await _until(lambda: _answers(client, f"http://{listen}/readyz", process))
        yield f"http://{listen}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        await process.wait()


async def _answers(client: httpx.AsyncClient, address: str, process: asyncio.subprocess.Process) -> bool | None:
    if process.returncode is not None:
        raise RuntimeError("the demo ended by itself; what it said above tells why")
    with contextlib.suppress(httpx.TransportError):
        return (await client.get(address)).status_code == 200 or None
    return None


async def take(address: str, file: Path, folder: Path, dark: bool) -> None:
    """Do the work there, then look at it in a browser."""
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as client:
        await work(Chat(client))
    async with chromium(folder / "browser") as tab:
        await tab.size(*SIZE, dark)
        await tab.open(address)
        await asyncio.sleep(4)  # let arrivals fade
        await tab.picture(file)
        await tab.call("Page.navigate", url="about:blank")


async def main() -> int:
    parser = argparse.ArgumentParser(description="Take the README's picture of the local chat.")
    parser.add_argument("--address", help="of a demo that runs, http://127.0.0.1:8080; without it one is started")
    parser.add_argument("--out", type=Path, default=PICTURE, help="the file to write (%(default)s)")
    parser.add_argument("--dark", action="store_true", help="as a browser in dark mode shows it")
    chosen = parser.parse_args()
    if EXECUTABLE is None:
        print("There is no Chromium here; Debian's package is chromium.", file=sys.stderr)  # noqa: T201
        return 2
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if chosen.address:
            await take(chosen.address, chosen.out, folder, chosen.dark)
        else:
            async with demo(folder) as address:
                await take(address, chosen.out, folder, chosen.dark)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
