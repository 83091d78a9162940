"""Draws the small pictures for reports to leads: bars with names and numbers, no words of any language.

The only file that uses Pillow, whose own font has the letters of English; others are drawn without their accents.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from bot.domain.posts import Content
from bot.domain.report_posts import ComparisonReport, Digest
from bot.domain.worth import money

_SIZE, _ROW, _EDGE, _NAMES, _BARS, _VALUES = 22, 42, 20, 300, 420, 240
_PAPER, _INK, _GREY, _BLUE, _ORANGE = "#ffffff", "#1d2430", "#e4e8ee", "#2f6fb0", "#c4572e"
_LONGEST, _MOST_TEAMS = 26, 20


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of the picture."""

    name: str
    share: float
    """The length of the bar, 0..1."""
    said: str
    """The text behind the bar."""
    stands_out: bool = False
    low: float | None = None
    high: float | None = None
    """An interval's ends, drawn as a line over the bar; None: there is none."""


def picture(content: Content) -> bytes:
    """The picture of that report, a PNG. Raises TypeError for content without one."""
    match content:
        case ComparisonReport():
            return bars(tuple(_arms(content)))
        case Digest():
            return bars(tuple(_teams(content)))
        case _:
            raise TypeError(f"{type(content).__name__} has no picture")


def _teams(content: Digest) -> Iterator[Bar]:
    """The week's requests by team; the team with the most has a full bar."""
    most = max((count for _, count in content.teams), default=1)
    for team, count in content.teams[:_MOST_TEAMS]:
        yield Bar(team, count / most, str(count))


def _arms(content: ComparisonReport) -> Iterator[Bar]:
    """How often each arm is right, with the interval of its difference from what serves."""
    served = next((arm.accuracy for arm in content.arms if arm.low is None), 0.0)
    for arm in content.arms:
        low = None if arm.low is None else served + arm.low
        high = None if arm.high is None else served + arm.high
        price = "" if arm.per_1000 is None else f"  {money(arm.per_1000, content.currency)}"
        yield Bar(arm.name, arm.accuracy, f"{arm.accuracy:.1%}{price}", arm.low is None, low, high)


@lru_cache(maxsize=16)
def bars(rows: tuple[Bar, ...]) -> bytes:
    """A PNG of these rows. The same rows give the same picture."""
    wide, high = 2 * _EDGE + _NAMES + _BARS + _VALUES, 2 * _EDGE + _ROW * len(rows)
    picture = Image.new("RGB", (wide, high), _PAPER)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(_SIZE)
    for place, row in enumerate(rows):
        _row(draw, font, row, _EDGE + place * _ROW)
    out = BytesIO()
    picture.quantize(32).save(out, "PNG", optimize=True)
    return out.getvalue()


def _row(draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, row: Bar, top: float) -> None:
    left, middle, low, high = _EDGE + _NAMES, top + _ROW / 2, top + 8, top + _ROW - 8
    draw.text((left - 12, middle), drawable(row.name), fill=_INK, font=font, anchor="rm")
    draw.rectangle((left, low, left + _BARS, high), fill=_GREY)
    draw.rectangle((left, low, left + _BARS * _within(row.share), high), fill=_ORANGE if row.stands_out else _BLUE)
    if row.low is not None and row.high is not None:
        ends = left + _BARS * _within(row.low), left + _BARS * _within(row.high)
        draw.line((ends[0], middle, ends[1], middle), fill=_INK, width=3)
        for end in ends:
            draw.line((end, middle - 7, end, middle + 7), fill=_INK, width=3)
    draw.text((left + _BARS + 12, middle), drawable(row.said), fill=_INK, font=font, anchor="lm")


def _within(share: float) -> float:
    return min(max(share, 0.0), 1.0)


def drawable(words: str) -> str:
    """The words without accents, shortened; "?" for a letter that the font lacks."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", words) if not unicodedata.combining(sign))
    known = plain.translate({0x2013: "-", 0x2212: "-", 0xA0: " "}).encode("latin-1", "replace").decode("latin-1")
    kept = "".join(sign if sign.isascii() or sign in "±°" else "?" for sign in known)
    return kept if len(kept) <= _LONGEST else f"{kept[: _LONGEST - 3]}..."
