"""The README's picture can be taken again from any demo."""

from pathlib import Path

from docs.screenshot import SIMILAR, SIZE, take
from tests.integration.web.conftest import Stage


async def test_the_picture_shows_a_days_work(stage: Stage, tmp_path: Path) -> None:
    stage.bot.unsure = "???"
    file = tmp_path / "chat.png"
    await take(stage.address, file, tmp_path, dark=False)
    picture = file.read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert (int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])) == SIZE
    await stage.has("#teams", SIMILAR)
    await stage.has("#teams .under.note", "The third one of that batch this week")
    await stage.has("#teams .under.sent", "Lead sent to Customer ✓")
    assert await stage.tab.value("document.querySelectorAll('#hint li.done').length") == 4
