"""A year of a company in a few minutes: teams appear and split, topics drift, leads correct, some of them wrongly.

    python -m benchmarks.simulated_year --data ../shared/data [--quick]

Real messages (CLINC150, ten domains as teams) go through the real flow: stored, sorted, delivered, corrected, on a
PostgreSQL of its own, with the bundled embedder, the memory and the voices; only the chat service and the clock are
made. No adapter is trained: that takes hours a year. What is measured is how the memory and the voices that are fitted
anew every four weeks carry a company through a year, beside the same company frozen on day 30.

Of every domain a third of its intents comes only from the second half on. Two teams appear, one is split. Leads correct
30 % of the mistakes, 5 % of these wrongly in the first half, 20 % in the second; in the eighth month a malicious lead
moves two rightly sorted requests a day to another team.
"""

import argparse
import asyncio
import json
import random
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.simulated_office import Office, Sorted
from bot.console import counting
from bot.domain.messages import Place, has_words
from bot.domain.tasks import Label, Task

START = datetime(2025, 1, 6, 8, 0, tzinfo=UTC)
YEAR, FROZEN, HALF, MONTH = 364, 30, 182, 28
APPEAR = {"travel": 56, "credit_cards": 140}
"""Team -> the day on which it appears."""
SPLIT, PART, SPLIT_DAY = "home", "kitchen_and_dining", 238
"""Until that day the one is part of the other."""
MALICIOUS = range(7 * MONTH, 8 * MONTH)
CORRECTED, WRONGLY = 0.30, (0.05, 0.20)
SEEDS = 20
"""Examples of each team at its beginning."""
EMOJI = "🍎🍐🍊🍋🍌🍉🍇🍓🍒🍍🥝"


@dataclass(frozen=True, slots=True)
class Words:
    """What people write: by team, what is said from the beginning, what only later, and what is asked in the end."""

    early: Mapping[str, Sequence[str]]
    late: Mapping[str, Sequence[str]]
    asked: Mapping[str, Sequence[str]]


@dataclass
class Month:
    """What a month came to."""

    old: list[bool] = field(default_factory=list)
    new: list[bool] = field(default_factory=list)
    asked: int = 0
    corrections: int = 0
    wrong: int = 0


def read(folder: Path) -> Words:
    """A third of each team's intents is late; of the test split a hundred a team are asked in the end."""
    intents = {row["text"]: row["label"] for row in _rows(folder / "clinc150.jsonl")}
    texts: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in _rows(folder / "clinc_domains.jsonl"):
        if row["label"] != "oos" and row["text"] in intents and has_words(row["text"]):  # a greeting gets no card
            texts[row["split"], row["label"], intents[row["text"]]].append(row["text"])
    by_team: dict[str, dict[str, list[str]]] = {kind: defaultdict(list) for kind in ("early", "late", "asked")}
    for team in sorted({team for _, team, _ in texts}):
        known = sorted({intent for _, of, intent in texts if of == team})
        for at, intent in enumerate(known):
            by_team["late" if at % 3 == 2 else "early"][team] += texts["train", team, intent]
            by_team["asked"][team] += texts["test", team, intent][:7]
    return Words(by_team["early"], by_team["late"], by_team["asked"])


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def team_of(domain: str, day: int) -> str:
    """The team that has this domain's messages on that day."""
    return SPLIT if domain == PART and day < SPLIT_DAY else domain


def task_on(day: int, words: Words) -> Task:
    """The teams that there are then."""
    domains = [d for d in sorted(words.early) if APPEAR.get(d, 0) <= day and team_of(d, day) == d]
    labels = [
        Label(d, d.replace("_", " "), emoji={"web": EMOJI[n]}, deliver_to={"web": Place("web", f"room-{d}")})
        for n, d in enumerate(sorted(words.early))
        if d in domains
    ]
    return Task("routing", "Which team?", tuple(labels), labels[-1].name)


@dataclass
class Year:
    """One company, with or without the loop."""

    words: Words
    loop: bool
    a_day: int
    months: dict[int, Month] = field(default_factory=lambda: defaultdict(Month))
    taught: dict[str, str] = field(default_factory=dict)
    """Text -> where a lead rightly moved it."""

    async def day(self, office: Office, day: int) -> None:
        """People write, and leads look at what came of it."""
        rng = random.Random(day)
        texts = {f"{day}-{n}": self._said(rng, day) for n in range(self.a_day)}
        truths = {room: team for room, (_, team) in texts.items()}
        found = await office.sorted({room: text for room, (text, _) in texts.items()}, truths)
        month = self.months[day // MONTH]
        for room, one in found.items():
            (month.new if truths[room] in (*APPEAR, PART) else month.old).append(one.team == truths[room])
            month.asked += one.asked
        if self.loop or day < FROZEN:
            await self._leads(office, rng, day, {room: (*texts[room], one) for room, one in found.items()})

    def _said(self, rng: random.Random, day: int) -> tuple[str, str]:
        domain = rng.choice([d for d in sorted(self.words.early) if APPEAR.get(d, 0) <= day])
        late = day >= HALF and rng.random() < 0.5 and self.words.late[domain]
        said = self.words.late[domain] if late else self.words.early[domain][SEEDS:]
        return rng.choice(said), team_of(domain, day)

    async def _leads(
        self, office: Office, rng: random.Random, day: int, found: Mapping[str, tuple[str, str, Sorted]]
    ) -> None:
        month, names = self.months[day // MONTH], list(office.task.names)
        for text, truth, one in found.values():
            if one.card is None or one.team == truth or rng.random() >= CORRECTED:
                continue
            wrongly = rng.random() < WRONGLY[day >= HALF]
            label = rng.choice([n for n in names if n not in (truth, one.team)]) if wrongly else truth
            await office.corrects(one.card, label, f"lead-{rng.randrange(3)}")
            month.corrections += 1
            month.wrong += wrongly
            if not wrongly:
                self.taught[text] = truth
            else:
                self.taught.pop(text, None)
        if day in MALICIOUS:
            mine = [(text, one) for text, truth, one in found.values() if one.card is not None and one.team == truth]
            for text, one in mine[:2]:
                await office.corrects(one.card or "", names[(names.index(one.team) + 1) % len(names)], "malicious")
                month.wrong += 1
                self.taught.pop(text, None)


async def lived(words: Words, folder: Path, loop: bool, days: int, a_day: int) -> tuple[Year, Mapping[str, float]]:
    """The year, day by day; and what the company knows at its end."""
    year = Year(words, loop, a_day)
    async with Office.opened(folder, START, task_on(0, words)) as office:
        await office.learns(
            [(t, team_of(d, 0)) for d in words.early if d not in APPEAR for t in words.early[d][:SEEDS]]
        )
        with counting(f"{'with' if loop else 'without'} the loop, days", days) as told:
            for step in range(days):
                day = step * YEAR // days
                office.clock = START + timedelta(days=day)
                if office.task.names != (task := task_on(day, words)).names:
                    await _changed(office, task, words, day)
                await year.day(office, day)
                if (step + 1) * YEAR // days // MONTH > day // MONTH and (loop or day < FROZEN):
                    await office.fits()
                told(1)
        truth = {t: team_of(d, YEAR) for d in words.asked for t in words.asked[d]}
        said = await office.knows(list(truth))
        again = await office.knows(list(year.taught))
    right = sum(said[text] == team for text, team in truth.items()) / len(truth)
    repeated = sum(again[text] != team for text, team in year.taught.items())
    return year, {"accuracy": right, "corrected texts": len(year.taught), "repeated": repeated}


async def _changed(office: Office, task: Task, words: Words, day: int) -> None:
    """A team appears with a few examples, or takes its part of another's."""
    new = [name for name in task.names if name not in office.task.names]
    office.use(task)
    for name in new:
        if name == PART:
            await office.splits(SPLIT, PART, list(words.early[PART][:SEEDS]))
        else:
            await office.learns([(text, name) for text in words.early[name][:SEEDS]])


def main(arguments: Sequence[str] | None = None) -> None:
    """Live it twice, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "--data", type=Path, required=True, help="the folder with clinc150.jsonl and clinc_domains.jsonl"
    )
    parser.add_argument("--quick", action="store_true", help="one day in seven is lived, with 20 messages")
    args = parser.parse_args(arguments)
    words, (days, a_day) = read(args.data), (52, 20) if args.quick else (YEAR, 12)
    print(f"{machine()}; {days} days of {YEAR}, {a_day} messages each\n")
    rows: dict[bool, tuple[Year, Mapping[str, float]]] = {}
    for loop in (True, False):
        with tempfile.TemporaryDirectory(prefix="switchboard-year-") as folder:
            rows[loop] = asyncio.run(lived(words, Path(folder), loop, days, a_day))
    _tell(rows)


def _tell(rows: Mapping[bool, tuple[Year, Mapping[str, float]]]) -> None:
    (with_loop, ended), (frozen, stood) = rows[True], rows[False]
    print(
        "| month | old teams, loop | frozen | new teams, loop | frozen | asked, loop | frozen | corrections (wrong) |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for number in sorted(with_loop.months):
        mine, other = with_loop.months[number], frozen.months[number]
        cells = [_share(mine.old), _share(other.old), _share(mine.new), _share(other.new), mine.asked, other.asked]
        print(f"| {number + 1} | {' | '.join(map(str, cells))} | {mine.corrections} ({mine.wrong}) |")
    print(f"\nat the end, {ended['accuracy']:.1%} with the loop, {stood['accuracy']:.1%} frozen on day {FROZEN}; ")
    print(f"{ended['repeated']:.0f} of {ended['corrected texts']:.0f} corrected texts go wrong again")


def _share(right: Sequence[bool]) -> str:
    return f"{sum(right) / len(right):.0%}" if right else "–"


if __name__ == "__main__":
    main()
