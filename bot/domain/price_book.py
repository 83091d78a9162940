"""Dated prices: of an hour of a machine, of 1,000 answers of another system, and of a message to the wrong team."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from bot.domain.errors import UsageError
from bot.domain.token_prices import TokenPrice

STALE_AFTER = 180
"""Age in days after which a price is reported as stale."""
_NUMBERS = ("own_cpu_per_hour", "own_gpu_per_hour", "minutes_per_misroute")
_KNOWN = ("dated", "currency", *_NUMBERS, "sources", "predictions", "tokens")


@dataclass(frozen=True, slots=True)
class PredictionPrice:
    """The price of another system's answers."""

    per_1000: float
    source: str = ""
    dated: date | None = None
    """None: that of the book."""


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Prices of one day in one currency. What is missing in it has an unknown cost, not none."""

    dated: date
    currency: str
    own_cpu_per_hour: float | None = None
    own_gpu_per_hour: float | None = None
    minutes_per_misroute: float | None = None
    """Minutes of somebody's work for a message that went to the wrong team."""
    sources: Mapping[str, str] = field(default_factory=dict)
    predictions: Mapping[str, PredictionPrice] = field(default_factory=dict)
    tokens: Mapping[str, TokenPrice] = field(default_factory=dict)
    """Prices of hosted models, by the endpoint's name in the settings or by the model's."""

    def per_1000(self, milliseconds: float, gpu: bool) -> float | None:
        """The cost of 1,000 decisions that take so long each, one after another; None: there is no price."""
        hourly = self.own_gpu_per_hour if gpu else self.own_cpu_per_hour
        return None if hourly is None else milliseconds * 1000 / 3_600_000 * hourly

    def stale(self, today: date) -> list[str]:
        """The prices that are too old to rely on, one sentence each."""
        dates = {"the price book": self.dated}
        dates |= {f"the price of {name}": one.dated for name, one in self.predictions.items() if one.dated}
        dates |= {f"the price of {name}": one.dated for name, one in self.tokens.items() if one.dated}
        return [
            f"{what} is of {dated}, {(today - dated).days} days old: prices older than {STALE_AFTER} days are stale"
            for what, dated in dates.items()
            if (today - dated).days > STALE_AFTER
        ]


def read_prices(text: str) -> PriceBook:
    """Read a price book in the form of `bot/prices.toml`. Raises UsageError, naming what to change."""
    try:
        read: Mapping[str, object] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"not TOML ({error})") from error
    unknown = sorted(set(read) - set(_KNOWN))
    if unknown:
        known = f"{', '.join(_NUMBERS)}, [predictions.NAME] and [tokens.NAME]"
        raise UsageError(f"{unknown[0]} is no price; prices are {known}")
    currency = read.get("currency")
    if not isinstance(currency, str) or not currency.strip():
        raise UsageError('no currency; write one, like currency = "USD"')
    dated = _dated(read.get("dated"), "dated")
    if dated is None:
        raise UsageError("no date; write the day of the prices, like dated = 2026-06-17")
    cpu, gpu, minutes = (_number(read[name], name) if name in read else None for name in _NUMBERS)
    sources = {name: str(said) for name, said in _table(read.get("sources"), "sources").items()}
    others = {name: _price(name, row) for name, row in _table(read.get("predictions"), "predictions").items()}
    tokens = {name: _token_price(name, row) for name, row in _table(read.get("tokens"), "tokens").items()}
    return PriceBook(dated, currency.strip(), cpu, gpu, minutes, sources, others, tokens)


def _price(name: str, row: object) -> PredictionPrice:
    where = f"predictions.{name}"
    read = _table(row, where)
    if "per_1000" not in read:
        raise UsageError(f"{where}: no per_1000; write what 1,000 decisions cost, like per_1000 = 1.90")
    per_1000 = _number(read["per_1000"], f"{where}.per_1000")
    return PredictionPrice(per_1000, str(read.get("source", "")), _dated(read.get("dated"), f"{where}.dated"))


def _token_price(name: str, row: object) -> TokenPrice:
    where = f"tokens.{name}"
    read = _table(row, where)
    for key in ("input", "output"):
        if key not in read:
            raise UsageError(f"{where}: no {key}; write what a million tokens cost, like {key} = 2.50")
    sent, received = (_number(read[key], f"{where}.{key}") for key in ("input", "output"))
    return TokenPrice(sent, received, str(read.get("source", "")), _dated(read.get("dated"), f"{where}.dated"))


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise UsageError(f"{name} is {value!r}; write a number that is not negative")
    return float(value)


def _dated(value: object, name: str) -> date | None:
    if value is not None and type(value) is not date:
        raise UsageError(f"{name} is {value!r}; write a day without quotation marks, like {name} = 2026-06-17")
    return value


def _table(value: object, name: str) -> Mapping[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageError(f"{name} is no table; write [{name}] above its lines")
    return value
