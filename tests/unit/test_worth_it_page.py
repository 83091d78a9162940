"""The settings and prices that docs/worth-it.md shows are valid."""

import re
from pathlib import Path

from bot.demo import company
from bot.domain.price_book import read_prices
from bot.settings import load

PAGE = Path(__file__).parents[2] / "docs" / "worth-it.md"
BLOCKS = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_the_endpoint_that_the_page_shows_is_one(tmp_path: Path) -> None:
    [shown] = [block for block in BLOCKS if "[compare.endpoints" in block]
    file = tmp_path / "switchboard.toml"
    file.write_text(f"{company.SETTINGS.read_text('utf-8')}\n{shown}", "utf-8")
    [endpoint] = load(file, {"OPENAI_API_KEY": "sk-1"}).endpoints
    assert (endpoint.name, endpoint.budget, endpoint.secret) == ("gpt-4o", 2.0, "sk-1")
    assert endpoint.price is not None and endpoint.price.cost(1_000_000, 0) == 2.5


def test_the_prices_that_the_page_shows_are_prices() -> None:
    shown = [block for block in BLOCKS if "[compare.endpoints" not in block]
    book = read_prices('dated = 2026-06-17\ncurrency = "USD"\n' + "\n".join(shown))
    assert set(book.tokens) == {"gpt-4o"} and set(book.predictions) == {"rules"}
