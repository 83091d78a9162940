"""`switchboard demo` as a visitor runs it: one command, everything real, its own model server included.

SWITCHBOARD_PICTURES=FOLDER stores screenshots there.
"""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from db.server.embedded import serving
from tests.acceptance.processes import Home, Running, free_address, until
from tests.integration.web.chromium import EXECUTABLE, chromium
from tests.worlds.company import Page, page

pytestmark = pytest.mark.vllm

SAID = "I was charged twice for order L-20418, can you give me the money back?"
SIMILAR = "I was charged twice for order L-30777, please give me the money back"
OTHERS = (
    ("customer", "Where is my parcel? It should have been here on Monday", "delivery"),
    ("customer", "The bedroom lamp no longer connects to the wifi", "support"),
    ("employee", "My laptop does not start any more since this morning", "it"),
    ("employee", "The heating in room 3.12 is cold again, we are freezing", "facilities"),
    ("employee", "How many days of holiday do I have left this year?", "people"),
)


async def test_the_demo_tells_the_whole_story_stops_at_ctrl_c_and_remembers(homes: Path) -> None:
    folder, listen = homes / "demo", free_address()
    folder.mkdir()
    home, address = Home(folder), f"http://{listen}"

    first = await _started(home, listen)
    async with page(address) as web:
        await _story(web)
        await _look(address, folder, "demo")
        before = await web.cards(SAID)
        assert (await web.state())["learning"]["adapter"] == "routing-seed"
    done = await first.stops(signal.SIGINT)
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    await home.until_left_alone()

    second = await _started(home, listen)
    async with page(address) as web:
        assert await web.cards(SAID) == before
        await _withdrawn(web)
    # When killed, it ends its model server, too; the database waits for the next process, and ends with that one.
    second.kill()
    await second.process.wait()
    await home.until_left_alone(but="postgres", seconds=60)
    with serving(folder / "var" / "postgres"):
        assert home.rows("SELECT count(*) FROM conversations") == [(len(OTHERS) + 3,)]
    await home.until_left_alone()


@pytest.mark.slow
async def test_learn_now_trains_judges_and_says_why(homes: Path) -> None:
    folder, listen = homes / "lesson", free_address()
    folder.mkdir()
    home, address = Home(folder), f"http://{listen}"
    demo = await _started(home, listen)
    async with page(address) as web:
        assert (await web.web.post("/chat/learn", json={})).json() == {"asked": True}

        async def judged() -> bool:
            return (await web.state())["learning"]["phase"] in {"done", "failed"}

        await until(judged, 3600)
        learning = (await web.state())["learning"]
        assert learning["phase"] == "done"
        assert learning["verdict"]
        assert learning["adapter"] == ("routing-1" if learning["promoted"] else "routing-seed")
    assert (await demo.stops(signal.SIGINT)).code == 0
    await home.until_left_alone()


async def test_a_taken_port_is_said_before_anything_slow(homes: Path) -> None:
    folder = homes / "taken"
    folder.mkdir()
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        listen = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        done = await Home(folder).does("demo", "--no-browser", "--listen", listen)
    assert done.code == 2
    assert f"{listen} is taken by another program" in done.told
    assert not (folder / "var").exists()


async def _started(home: Home, listen: str) -> Running:
    demo = await home.start("demo", "--no-browser", "--listen", listen)
    try:
        await demo.until_says(f"Open http://{listen} and write as a customer")
        await demo.until_ready(f"http://{listen}")
    except BaseException:
        demo.kill()
        raise
    return demo


async def _story(web: Page) -> None:
    """Routed, corrected with one emoji, remembered."""
    for room, text, team in OTHERS:
        shown = "IT" if team == "it" else team
        assert f"This is one for {shown}." in await web.heard(await web.write(text, room), room=room)
    thread = await web.write(SAID)
    assert "This is one for billing." in await web.heard(thread)
    card = await web.card("billing", SAID)
    await web.react("billing", card["id"], "📦", actor="customer")
    await web.react("billing", card["id"], "📦")
    assert "delivery has your request now" in await web.heard(thread, 2)
    assert (await web.card("delivery", SAID))["mark"] == "Corrected"
    assert (await web.card("billing", SAID))["moved"] == "Moved to delivery"
    assert len(await web.said(thread)) == 2
    answer = await web.heard(await web.write(SIMILAR))
    assert "This is one for delivery, as with a similar request before." in answer
    assert (await web.card("delivery", SIMILAR))["mark"] == "Remembered"


async def _withdrawn(web: Page) -> None:
    """The lead removes the emoji in another run than the one in which it was added."""
    card = await web.card("billing", SAID)
    await web.react("billing", card["id"], "📦", added=False)

    async def back() -> bool:
        return [c["mark"] for room, c in await web.cards(SAID) if room == "billing" and not c["moved"]] == ["Put back"]

    await until(back)
    answer = await web.heard(await web.write("I was charged twice for order L-40999, please give me my money back"))
    assert "This is one for billing." in answer


async def _look(address: str, folder: Path, name: str) -> None:
    """If a browser is installed: the page shows everything that was said, and reports no error."""
    if EXECUTABLE is None:
        return
    async with chromium(folder / "browser") as tab:
        await tab.size(1440, 900)
        await tab.open(address)
        await tab.until("document.querySelectorAll('.card').length >= 8")
        await tab.until("document.querySelector('section[aria-label=\"billing\"] .card.moved')")
        await tab.until("document.querySelector('section[aria-label=\"delivery\"] .card .mark.memory')")
        assert tab.complaints == []
        pictures = os.environ.get("SWITCHBOARD_PICTURES")
        if pictures:
            await asyncio.sleep(3)  # wait until new lines have faded in
            await tab.picture(Path(pictures) / f"{name}.png")
        await tab.call("Page.navigate", url="about:blank")
