"""A comparison's page on paper: many arms, many labels and long sentences fit, as a real browser prints them."""

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from bot.commands.compare import PRICES, price_book
from bot.commands.comparison import Comparison
from bot.commands.comparison_report import write_page
from bot.domain.comparison import MAJORITY, SERVED, WITHOUT, Arm, figures
from bot.domain.learning import Score, Source
from bot.domain.worth import ruling
from tests.integration.web.chromium import EXECUTABLE, chromium

pytestmark = pytest.mark.skipif(EXECUTABLE is None, reason="no Chromium here")

LABELS = [f"team_with_a_name_{n}" for n in range(40)]
ARMS = [MAJORITY, "words", "vectors", "neighbours", "adapter", SERVED, WITHOUT] + [
    f"mixture, unsure to models/Llama-3.2-1B-Instruct {n} retrieved" for n in range(12)
]
STOPPED = "stopped at $2.00 (its answers had cost $2.40 by then: more than max_tokens allows) after 310 of 500"
_WIDE, _TALL = 1032, 703
"""CSS pixels of a landscape sheet of A4, without its margins."""


def compared() -> Comparison:
    arms = [Arm(name, _scores(place), per_1000=12.5, milliseconds=[1234.5]) for place, name in enumerate(ARMS)]
    arms[-1] = Arm(arms[-1].name, arms[-1].scores, tokens=(10_000.0, 10_000.0), stopped=STOPPED)
    served = next(arm for arm in arms if arm.name == SERVED)
    rows = [figures(arm, served, 10.0, LABELS[0]) for arm in arms]
    ruled = ruling({row.arm: row for row in rows}, 400, set(LABELS))
    failed = [("models/another", "model server: no connection (ConnectError), and a sentence more of what to do now")]
    book = price_book(PRICES)
    return Comparison("desk", "desk-1", 400, 3, 2, rows, "Worth it.", ruled, ["a note"] * 9, book, failed)


def _scores(step: int) -> Sequence[Score]:
    truths = [LABELS[n % 40] for n in range(400)]
    said = [truth if n % (step + 2) else LABELS[0] for n, truth in enumerate(truths)]
    return [
        Score(f"{n}", Source.IMPORT, truth, answer, {answer: 0.9}, "en")
        for n, (truth, answer) in enumerate(zip(truths, said, strict=True))
    ]


async def test_nothing_is_cut_off_on_paper(tmp_path: Path) -> None:
    write_page(tmp_path / "worth.html", compared())
    async with chromium(tmp_path / "profile") as tab:
        await tab.call("Page.enable")
        await tab.call("Page.navigate", url=(tmp_path / "worth.html").as_uri())
        await tab.until("document.readyState === 'complete' && document.querySelector('table')")
        await tab.size(_WIDE, _TALL)
        await tab.call("Emulation.setEmulatedMedia", media="print")
        widest = await tab.value(
            "Math.max(...[...document.querySelectorAll('table, svg, p, li')].map(e => e.getBoundingClientRect().right))"
        )
        assert isinstance(widest, int | float) and 0 < widest <= _WIDE
        named = await tab.value("[...document.querySelectorAll('svg g > text:first-of-type')].map(e => e.textContent)")
        lines = await tab.value(
            "Math.max(...[...document.querySelectorAll('td:not(:first-child):not(:last-child)')].map(e => {"
            "const all = document.createRange(); all.selectNodeContents(e); return all.getClientRects().length }))"
        )
        said = await tab.value("document.querySelector('tr:nth-child(19) td:last-child').innerText")
        printed = await tab.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        paper = base64.b64decode(cast(str, printed["data"]))
    assert said == STOPPED and lines == 1, "no figure is broken over two lines"
    assert isinstance(named, list) and len(set(named)) == len(ARMS) - 1, "long names are told apart in the drawing, too"
    sides = {(round(float(w)), round(float(h))) for w, h in re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper)}
    assert sides == {(842, 595)}, "A4 on its side, in points"
