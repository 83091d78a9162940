"""The settings' prices and hosted models: what may be written, and the messages for mistakes."""

from datetime import date
from pathlib import Path

import pytest

from bot.commands.compare import known_prices
from bot.demo import company
from bot.domain.endpoints import Endpoint
from bot.domain.errors import ConfigError
from bot.domain.few_shot import Choice
from bot.domain.token_prices import TokenPrice
from bot.settings import load

WHOLE = """
url = "https://api.example.com/v1"
model = "gpt-4o-2024-08-06"
key = "EXAMPLE_KEY"
budget = 2.00
price_in = 2.5
price_out = 10
price_source = "their page"
price_dated = 2026-10-31
shots = [0, 3, 20]
examples = ["fixed", "retrieved"]
concurrency = 8
timeout_seconds = 60
max_tokens = 2000
weekly = true
"""


def read(folder: Path, table: str) -> Endpoint:
    file = folder / "switchboard.toml"
    file.write_text(f"{company.SETTINGS.read_text('utf-8')}\n[compare.endpoints.gpt]\n{table}", "utf-8")
    [endpoint] = load(file, {"EXAMPLE_KEY": ' "sk-1"\n'}).endpoints
    return endpoint


def test_everything_that_can_be_said_of_an_endpoint_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE) == Endpoint(
        name="gpt",
        url="https://api.example.com/v1",
        model="gpt-4o-2024-08-06",
        key="EXAMPLE_KEY",
        budget=2.0,
        price=TokenPrice(2.5, 10.0, "their page", date(2026, 10, 31)),
        shots=(0, 3, 20),
        choices=(Choice.FIXED, Choice.RETRIEVED),
        concurrency=8,
        timeout=60.0,
        max_tokens=2000,
        weekly=True,
        secret="sk-1",
    )


def test_a_url_and_a_model_are_enough_and_the_key_is_never_shown(tmp_path: Path) -> None:
    known = read(tmp_path, 'url = "http://127.0.0.1:11434/v1"\nmodel = "llama3.2"\n')
    assert (known.key, known.secret, known.budget, known.price) == ("", "", None, None)
    assert (known.shots, known.choices, known.weekly) == ((0, 8), (Choice.RETRIEVED,), False)
    assert "sk-1" not in repr(read(tmp_path, WHOLE))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('model = "m"', "compare.endpoints.gpt.url: write what stands before /chat/completions"),
        ('url = "https://x/v1"', "compare.endpoints.gpt.model: missing; which one is asked?"),
        (WHOLE + "temperature = 0", "compare.endpoints.gpt.temperature: unknown; keys here are budget, concurrency"),
        (WHOLE.replace("EXAMPLE_KEY", "sk-proj-1"), "compare.endpoints.gpt.key: write the environment variable that"),
        (WHOLE.replace("price_out = 10", ""), "compare.endpoints.gpt.price_out: missing; a price is of a million"),
        (
            WHOLE.replace("2026-10-31", '"2026-10-31"'),
            "compare.endpoints.gpt.price_dated: write a day without quotation",
        ),
        (
            WHOLE.replace("[0, 3, 20]", "[0, 3.5]"),
            "compare.endpoints.gpt.shots: must be a list of numbers from 0 to 100",
        ),
        (WHOLE.replace('"fixed", ', '"best", '), "'best' is no choice; choose from fixed, retrieved"),
        (WHOLE.replace("budget = 2.00", "budget = -1"), "compare.endpoints.gpt.budget: must be a number from 0"),
        (WHOLE.replace("concurrency = 8", "concurrency = 0"), "concurrency: must be a whole number from 1 to 64"),
    ],
)
def test_a_mistake_is_named_with_what_to_write_instead(table: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, table)
    assert any(said in mistake for mistake in error.value.mistakes), error.value.mistakes


def with_prices(folder: Path, line: str) -> Path:
    file = folder / "switchboard.toml"
    file.write_text(f"{company.SETTINGS.read_text('utf-8')}\n[compare]\n{line}\n", "utf-8")
    return file


def test_prices_of_the_settings_are_those_of_every_comparison(tmp_path: Path) -> None:
    folder = tmp_path / "prices"
    folder.mkdir()
    folder.joinpath("ours.toml").write_text('dated = 2026-11-01\ncurrency = "EUR"\nown_cpu_per_hour = 0.5\n', "utf-8")
    settings = load(with_prices(tmp_path, 'prices = "prices/ours.toml"'), {})
    ours = known_prices(settings)
    assert (ours.currency, ours.own_cpu_per_hour) == ("EUR", 0.5)
    other = folder / "other.toml"
    other.write_text('dated = 2026-11-02\ncurrency = "BRL"\n', "utf-8")
    assert known_prices(settings, other).currency == "BRL", "what a command names goes first"
    assert known_prices(load(with_prices(tmp_path, ""), {})).currency == "USD"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (None, "No such file or directory"),
        ('currency = "EUR"', "no date; write the day of the prices"),
        ("own_cpu_per_hour = 3", "no currency; write one"),
        ("dated = yesterday", "not TOML"),
    ],
)
def test_prices_that_cannot_be_read_are_a_mistake_in_the_settings(
    written: str | None, said: str, tmp_path: Path
) -> None:
    if written is not None:
        tmp_path.joinpath("ours.toml").write_text(written, "utf-8")
    with pytest.raises(ConfigError) as wrong:
        load(with_prices(tmp_path, 'prices = "ours.toml"'), {})
    [mistake] = wrong.value.mistakes
    assert mistake.startswith(f"compare.prices: {tmp_path / 'ours.toml'}: {said}")
