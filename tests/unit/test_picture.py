"""The picture of a report: a bar for each arm, whatever its name, and the same bytes for the same figures."""

from io import BytesIO

import pytest
from PIL import Image

from bot.domain.delivery import attached
from bot.domain.posts import Answer
from bot.domain.report_posts import PICTURE, Digest
from bot.picture import Bar, bars, drawable, picture
from tests.samples import COMPARED

BLUE, ORANGE = (47, 111, 176), (196, 87, 46)


def coloured(png: bytes, colour: tuple[int, int, int]) -> list[int]:
    """The number of pixels of about that colour in each row of bars."""
    with Image.open(BytesIO(png)) as image:
        plain = image.convert("RGB")
    rows = range(20 + 10, plain.height - 20, 42)
    return [sum(_near(plain.getpixel((x, y)), colour) for x in range(plain.width)) for y in rows]


def _near(found: object, colour: tuple[int, int, int]) -> bool:
    return isinstance(found, tuple) and all(abs(one - other) < 12 for one, other in zip(found, colour, strict=True))


def test_bars_are_as_long_as_their_shares_and_what_serves_stands_out() -> None:
    drawn = bars((Bar("none", 0.0, ""), Bar("half", 0.5, ""), Bar("all", 1.0, ""), Bar("serves", 0.25, "", True)))
    _, half, whole, _ = coloured(drawn, BLUE)
    assert half == pytest.approx(whole / 2, abs=2)
    assert coloured(drawn, ORANGE)[:3] == [0, 0, 0]
    assert coloured(drawn, ORANGE)[3] == pytest.approx(whole / 4, abs=2)


def test_a_report_has_a_bar_an_arm_and_the_same_picture_again() -> None:
    with Image.open(BytesIO(picture(COMPARED))) as image:
        assert (image.format, image.height) == ("PNG", 40 + 42 * len(COMPARED.arms))
    assert picture(COMPARED) == picture(COMPARED)
    assert coloured(picture(COMPARED), ORANGE)[2] > 0


def test_a_digest_has_a_bar_a_team_the_fullest_for_the_most() -> None:
    week = Digest("routing", (3,), 3, 0, 0, (), (), (), (), 0, (("Billing", 8), ("IT", 2)))
    most, few = coloured(picture(week), BLUE)
    assert few == pytest.approx(most / 4, abs=2)
    assert attached(week) == (PICTURE,)
    assert attached(Digest("routing", (0,), 0, 0, 0, (), (), (), (), 0)) == (), "a quiet week has nothing to draw"


def test_what_has_no_picture_is_refused() -> None:
    with pytest.raises(TypeError, match="Answer has no picture"):
        picture(Answer("billing", None))


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Expedição", "Expedicao"), ("±1.2", "±1.2"), ("日本", "??"), ("a" * 40, "a" * 23 + "..."), ("a–b", "a-b")],
)
def test_names_are_written_with_the_letters_that_there_are(name: str, shown: str) -> None:
    assert drawable(name) == shown
