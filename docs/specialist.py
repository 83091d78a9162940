"""Prints docs/specialist.md: a small specialist beside GPT-4o, out of the price book and today's measured figures."""

import json
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from bot.domain.price_book import STALE_AFTER, PriceBook, read_prices
from bot.domain.worth import money

HERE = Path(__file__).parent
PAGE, _TEMPLATE = HERE / "specialist.md", HERE / "specialist.template"
_BOOK, _HOSTED, _BENCHMARKS = HERE.parent / "bot" / "prices.toml", HERE / "specialist.toml", HERE / "benchmarks.md"
_DEMO = HERE.parent / "bot" / "demo"
_SHOTS, _EPOCHS, _ANSWER, _CHARACTERS = 8, 3, 3, 4
"""Examples in a prompt; OpenAI's usual passes over a training file; tokens of an answer; characters of a token, by
OpenAI's rule of thumb for English."""
_HOURS_A_MONTH = 730
_ROW = re.compile(
    r"^\| (?P<set>\w+) \| (?P<labels>\d+) \| (?P<learned>\d+) \| (?P<asked>\d+) \| (?P<right>[\d.]+) .*"
    r"train (?P<train>\d+) · evaluate (?P<evaluate>\d+) \|$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A set of the benchmarks' page."""

    learned: int
    asked: int
    right: float
    train: int
    evaluate: int


@dataclass(frozen=True, slots=True)
class Hosted:
    """What a million tokens cost."""

    input: float
    output: float
    training: float
    dated: date
    source: str

    def per_1000(self, sent: float) -> float:
        """1,000 decisions that send so many tokens each."""
        return (sent * self.input + _ANSWER * self.output) / 1_000


def page() -> str:
    """The whole page."""
    benchmarks, book = _BENCHMARKS.read_text("utf-8"), read_prices(_BOOK.read_text("utf-8"))
    sets, on = measured(benchmarks), measured_on(benchmarks)
    prompted, tuned = hosted("prompted"), hosted("fine_tuned")
    costs = reckoned(book, sets["banking77"], prompted, tuned)
    old = [*book.stale(on), *stale({"GPT-4o": prompted, "fine-tuning GPT-4o": tuned}, on)]
    return _TEMPLATE.read_text("utf-8").format(
        on=on,
        full=sets["banking77"],
        few=sets["banking77_10shot"],
        usd={name: money(cost, book.currency) for name, cost in costs.items()},
        message=tokens_of_a_message(),
        prompt=tokens_of_a_prompt(_SHOTS),
        short=tokens_of_a_question(),
        shots=_SHOTS,
        epochs=_EPOCHS,
        even=round(costs["month"] / costs["theirs"] * 1_000, -3),
        book=book,
        prompted=prompted,
        tuned=tuned,
        old="\n".join(f"- {one}." for one in old) or "- None.",
    )


def reckoned(book: PriceBook, full: Measured, prompted: Hosted, tuned: Hosted) -> Mapping[str, float]:
    """What each costs."""
    hour = book.own_cpu_per_hour
    if hour is None:
        raise SystemExit(f"{_BOOK} has no own_cpu_per_hour; write what an hour of the machine costs")
    return {
        "hour": hour,
        "month": hour * _HOURS_A_MONTH,
        "trained": full.train / 3_600 * hour,
        "own": full.evaluate / full.asked * 1_000 / 3_600 * hour,
        "tuned": full.learned * tokens_of_a_question() * _EPOCHS / 1e6 * tuned.training,
        "theirs": prompted.per_1000(tokens_of_a_prompt(_SHOTS)),
        "tuned_each": tuned.per_1000(tokens_of_a_question()),
    }


def measured(benchmarks: str) -> Mapping[str, Measured]:
    """By set, those that were trained for."""
    rows = [row.groupdict() for row in _ROW.finditer(benchmarks)]
    return {
        row["set"]: Measured(
            int(row["learned"]), int(row["asked"]), float(row["right"]), int(row["train"]), int(row["evaluate"])
        )
        for row in rows
    }


def measured_on(benchmarks: str) -> date:
    """The day of the benchmarks: as of then prices are stale or not."""
    found = re.search(r"^Measured: (\d{4}-\d\d-\d\d)", benchmarks, re.MULTILINE)
    if found is None:
        raise SystemExit(f"{_BENCHMARKS} does not say when it was measured; write it anew: make bench")
    return date.fromisoformat(found[1])


def hosted(name: str) -> Hosted:
    """One of the list prices."""
    row = tomllib.loads(_HOSTED.read_text("utf-8"))[name]
    return Hosted(row["input"], row["output"], row.get("training", 0.0), row["dated"], row["source"])


def stale(prices: Mapping[str, Hosted], today: date) -> list[str]:
    """As the price book says it."""
    return [
        f"the price of {name} is of {one.dated}, {(today - one.dated).days} days old: prices older than {STALE_AFTER} "
        "days are stale"
        for name, one in prices.items()
        if (today - one.dated).days > STALE_AFTER
    ]


def tokens_of_a_message() -> int:
    """Of the demo company's held-out messages, on average."""
    rows = [json.loads(line) for line in (_DEMO / "heldout.jsonl").read_text("utf-8").splitlines()]
    return round(sum(len(row["text"]) for row in rows) / len(rows) / _CHARACTERS)


def tokens_of_a_prompt(shots: int) -> int:
    """The question, the demo company's teams with their meanings, so many examples with their labels, the message."""
    teams = sum(len(name) + len(label["means"]) for name, label in _task()["labels"].items())
    return round(teams / _CHARACTERS) + shots * (tokens_of_a_message() + _ANSWER) + tokens_of_a_question()


def tokens_of_a_question() -> int:
    """The question and the message: all that a fine-tuned model is trained on and asked with."""
    return round(len(_task()["question"]) / _CHARACTERS) + tokens_of_a_message()


def _task() -> Mapping[str, Any]:
    task: Mapping[str, Any] = tomllib.loads((_DEMO / "switchboard.toml").read_text("utf-8"))["tasks"]["routing"]
    return task


if __name__ == "__main__":
    sys.stdout.write(page())
