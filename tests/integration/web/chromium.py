"""A real Chromium, controlled over the DevTools protocol: no driver package, no browser download."""

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import httpx
from websockets.asyncio.client import ClientConnection, connect

EXECUTABLE = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars --lang=en-US "
    "--remote-debugging-port=0 "
    # a mouse, as on a desktop: headless has none
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4"
).split()
_KEYS = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35, " ": 32}
_SHIFT = 8

Answer = dict[str, object]


@dataclass
class Tab:
    """One page. `complaints` collects console errors, exceptions and policy violations."""

    _socket: ClientConnection
    complaints: list[str] = field(default_factory=list)
    _asked: int = 0
    _waiting: dict[int, asyncio.Future[Answer]] = field(default_factory=dict)

    async def call(self, method: str, **parameters: object) -> Answer:
        """One DevTools command and its result."""
        self._asked += 1
        number = self._asked
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        async with asyncio.timeout(30):
            return await self._waiting[number]

    async def hear(self) -> None:
        """Distribute answers and collect complaints until the page is closed."""
        async for text in self._socket:
            heard = json.loads(text)
            if "id" in heard:
                self._waiting.pop(heard["id"]).set_result(heard.get("result") or {"error": heard.get("error")})
            elif heard["method"] == "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(heard["params"]["exceptionDetails"]))
            elif heard["method"] == "Log.entryAdded" and heard["params"]["entry"]["level"] == "error":
                self.complaints.append(json.dumps(heard["params"]["entry"]))
            elif heard["method"] == "Runtime.consoleAPICalled" and heard["params"]["type"] == "error":
                self.complaints.append(json.dumps(heard["params"]["args"]))

    async def open(self, address: str) -> None:
        for domain in ("Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=address)
        await self.until("document.body && document.body.dataset.ready === 'yes'")

    async def size(self, width: int, height: int, dark: bool = False) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def value(self, expression: str) -> object:
        """The value of a JavaScript expression on the page."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return cast(Answer, answer["result"]).get("value")

    async def until(self, expression: str, seconds: float = 10) -> None:
        """Wait until the expression is true. Raises AssertionError with the page's text if it never is."""
        try:
            async with asyncio.timeout(seconds):
                while not await self.value(f"Boolean({expression})"):  # noqa: ASYNC110 - the page cannot notify us
                    await asyncio.sleep(0.03)
        except TimeoutError as error:
            text = await self.value("document.body.innerText")
            raise AssertionError(f"never true: {expression}\ncomplaints: {self.complaints}\n{text}") from error

    async def type(self, text: str) -> None:
        """Type into the focused element."""
        await self.call("Input.insertText", text=text)

    async def press(self, key: str, shift: bool = False) -> None:
        """One key, down and up, as a keyboard sends it."""
        code = _KEYS[key]
        event: dict[str, object] = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": code}
        event["modifiers"] = _SHIFT if shift else 0
        text = {"Enter": "\r", " ": " "}.get(key)
        await self.call("Input.dispatchKeyEvent", type="keyDown", **event, **({"text": text} if text else {}))
        await self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    async def picture(self, path: Path) -> None:
        answer = await self.call("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(cast(str, answer["data"])))


@asynccontextmanager
async def chromium(profile: Path) -> AsyncIterator[Tab]:
    """A tab in its own browser, which ends with the context."""
    assert EXECUTABLE is not None
    process = await asyncio.create_subprocess_exec(
        EXECUTABLE,
        *_FLAGS,
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with connect(await _address(profile), max_size=None, proxy=None) as socket:
            tab = Tab(socket)
            hearing = asyncio.create_task(tab.hear(), name="chromium")
            yield tab
            hearing.cancel()
            await asyncio.wait([hearing])
    finally:
        process.terminate()
        await process.wait()


async def _address(profile: Path) -> str:
    """The first tab's socket; the browser writes the port that it chose into its profile."""
    note = profile / "DevToolsActivePort"
    async with asyncio.timeout(60):
        while not note.exists() or len(note.read_text().splitlines()) < 2:  # noqa: ASYNC110 - a file cannot notify us
            await asyncio.sleep(0.05)
    async with httpx.AsyncClient(trust_env=False) as client:
        tabs = (await client.get(f"http://127.0.0.1:{note.read_text().splitlines()[0]}/json/list")).json()
    return str(next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"))
