"""The settings' `[compare]`: the price book, the hosted models that may be asked, and their budgets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot.domain.endpoints import Endpoint
from bot.domain.errors import ConfigError, UsageError
from bot.domain.few_shot import MOST_SHOTS, Choice
from bot.domain.price_book import PriceBook, read_prices
from bot.domain.token_prices import TokenPrice
from bot.settings.values import Table, Values, listed

_KEYS = "url model key budget price_in price_out price_source price_dated shots examples weekly"
_LIMITS = "concurrency timeout_seconds max_tokens"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CHOICES = {choice.value: choice for choice in Choice}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Reads `[compare]`."""

    values: Values
    environment: Mapping[str, str]

    def read(self, table: Table) -> tuple[Endpoint, ...]:
        self.values.unknown(table, {"endpoints", "prices"}, "compare.")
        rows = self.values.table(table, "endpoints", "compare.")
        where = "compare.endpoints."
        return tuple(self._endpoint(name, self.values.table(rows, name, where), f"{where}{name}.") for name in rows)

    def prices(self, table: Table, home: Path) -> PriceBook | None:
        """The price book that the settings name; None: the included one."""
        written = self.values.text(table, "prices", "", "compare.")
        if not written:
            return None
        try:
            return read_prices((home / written).read_text("utf-8-sig"))
        except (OSError, UnicodeDecodeError, UsageError) as error:
            said = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
            self.values.mistake(f"compare.prices: {home / written}: {said}")
            return None

    def _endpoint(self, name: str, table: Table, where: str) -> Endpoint:
        values = self.values
        values.unknown(table, {*_KEYS.split(), *_LIMITS.split()}, where)
        usual = Endpoint(name, "", "", "", None)
        key = self._key(table, where)
        return Endpoint(
            name=name,
            url=self._url(table, where),
            model=values.text(table, "model", "", where) or values.missing(f"{where}model", "which one is asked?"),
            key=key,
            secret=self._secret(key, where.rstrip(".")),
            budget=values.number(table, "budget", 0.0, where) if "budget" in table else None,
            price=self._price(table, where),
            shots=self._shots(table, usual.shots, where),
            choices=self._choices(table, where),
            concurrency=self._whole(table, "concurrency", usual.concurrency, where, 64),
            timeout=max(0.1, values.number(table, "timeout_seconds", usual.timeout, where)),
            max_tokens=self._whole(table, "max_tokens", usual.max_tokens, where, 100_000),
            weekly=values.yes_or_no(table, "weekly", False, where),
        )

    def _url(self, table: Table, where: str) -> str:
        url = self.values.text(table, "url", "", where)
        if not url.startswith(("http://", "https://")):
            self.values.mistake(f'{where}url: write what stands before /chat/completions, like "https://…/v1"')
        return url

    def _key(self, table: Table, where: str) -> str:
        """The variable's name, never the key itself: settings are copied, shown and committed."""
        name = self.values.text(table, "key", "", where)
        if name and not _VARIABLE.fullmatch(name):
            self.values.mistake(f'{where}key: write the environment variable that holds it, "OPENAI_API_KEY"')
            return ""
        return name

    def _secret(self, key: str, part: str) -> str:
        """A secret from the environment, without the quotes and line ends that files of variables leave in it."""
        try:
            return self.environment.get(key, "").strip().strip("\"'") if key else ""
        except ConfigError as error:
            self.values.secret_mistake(part, *error.mistakes)
            return ""

    def _price(self, table: Table, where: str) -> TokenPrice | None:
        given = [name for name in ("price_in", "price_out") if name in table]
        if not given:
            return None
        if len(given) == 1:
            missing = "price_out" if given == ["price_in"] else "price_in"
            self.values.missing(f"{where}{missing}", "a price is of a million tokens sent and of a million received")
        sent, received = (self.values.number(table, name, 0.0, where) for name in ("price_in", "price_out"))
        dated = table.get("price_dated")
        if dated is not None and type(dated) is not date:
            self.values.mistake(f"{where}price_dated: write a day without quotation marks, like 2026-06-17")
            dated = None
        return TokenPrice(sent, received, self.values.text(table, "price_source", "", where), dated)

    def _shots(self, table: Table, usual: tuple[int, ...], where: str) -> tuple[int, ...]:
        value = table.get("shots", list(usual))
        if isinstance(value, list) and value and all(_is_count(one) for one in value):
            return tuple(value)
        self.values.mistake(f"{where}shots: must be a list of numbers from 0 to {MOST_SHOTS}, [0, 8]")
        return usual

    def _choices(self, table: Table, where: str) -> tuple[Choice, ...]:
        written = self.values.texts(table, "examples", (Choice.RETRIEVED.value,), where)
        if unknown := [one for one in written if one not in _CHOICES]:
            self.values.mistake(f"{where}examples: {unknown[0]!r} is no choice; choose from {listed(_CHOICES)}")
        return tuple(_CHOICES[one] for one in written if one in _CHOICES) or (Choice.RETRIEVED,)

    def _whole(self, table: Table, key: str, usual: int, where: str, at_most: int) -> int:
        number = self.values.number(table, key, usual, where, at_most)
        if number >= 1 and number == int(number):
            return int(number)
        self.values.mistake(f"{where}{key}: must be a whole number from 1 to {at_most}")
        return usual


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_SHOTS
