"""The page in a real Chromium, on a real server, over a scripted bot.

SWITCHBOARD_PICTURES=FOLDER stores screenshots there.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette

from tests.integration.web.chromium import EXECUTABLE, Tab, chromium
from tests.integration.web.scripted import ScriptedBot

BOX = "document.querySelector('#room-customer textarea')"


@dataclass(frozen=True)
class Stage:
    """The browser, the bot behind the page, and the page's address."""

    tab: Tab
    bot: ScriptedBot
    address: str

    async def write(self, text: str) -> None:
        await self.tab.value(f"{BOX}.focus()")
        await self.tab.type(text)
        await self.tab.press("Enter")

    async def text(self, selector: str) -> str:
        return str(await self.tab.value(f"document.querySelector({selector!r})?.innerText ?? ''"))

    async def has(self, selector: str, text: str) -> None:
        await self.tab.until(f"(document.querySelector({selector!r})?.innerText ?? '').includes({text!r})")

    async def picture(self, name: str) -> None:
        folder = os.environ.get("SWITCHBOARD_PICTURES")
        if folder:
            await asyncio.sleep(3)  # wait until new lines have faded in
            await self.tab.picture(Path(folder) / f"{name}.png")


@asynccontextmanager
async def _serving(bot: ScriptedBot) -> AsyncIterator[str]:
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=list(bot.chat.routes)), port=0, log_level="warning", ws="none")
    )
    listening = asyncio.create_task(bot.chat.listen(bot), name="listen")
    serving = asyncio.create_task(server.serve(), name="serve")
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    listening.cancel()
    await asyncio.wait([listening])
    server.should_exit = True
    await serving


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    if EXECUTABLE is None:
        pytest.skip("no Chromium here; Debian's package is chromium")
    bot = ScriptedBot()
    async with _serving(bot) as address, chromium(tmp_path / "profile") as tab:
        await tab.size(1440, 900)
        await tab.open(address)
        yield Stage(tab, bot, address)
        await tab.call("Page.navigate", url="about:blank")
