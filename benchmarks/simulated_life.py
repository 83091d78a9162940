"""A company's year, day by day: people write, leads look at the result, teams appear and split."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.simulated_cycle import Event, Inventory, Shelf, Workshop, learning
from benchmarks.simulated_leads import WRONGLY, Leads, Request, Told, drawn
from benchmarks.simulated_office import Office
from benchmarks.simulated_words import Words, task_on
from bot.console import counting, say
from bot.domain.decisions import Decision
from bot.domain.tasks import Task

START = datetime(2025, 1, 6, 8, 0, tzinfo=UTC)
YEAR, FROZEN, HALF, MONTH = 364, 30, 182, 28
MALICIOUS = range(7 * MONTH, 8 * MONTH)
SEEDS = 20
"""Examples of each team at its beginning."""


@dataclass(frozen=True, slots=True)
class Company:
    """One way for the company to live the year."""

    name: str
    loop: bool = True
    wrongly: tuple[float, float] = WRONGLY
    """The share of what leads say that is wrong, in each half of the year."""
    malice: bool = True
    """Whether one lead is malicious in the eighth month."""


@dataclass
class Month:
    """The results of a month."""

    old: tuple[int, int] = (0, 0)
    """(right, all) of the old teams' messages."""
    new: tuple[int, int] = (0, 0)
    asked: int = 0
    corrections: int = 0
    wrong: int = 0

    @property
    def all(self) -> tuple[int, int]:
        """(right, all) of all teams' messages."""
        return self.old[0] + self.new[0], self.old[1] + self.new[1]

    def add(self, told: Told) -> None:
        """Count what leads said."""
        self.corrections += told.corrections
        self.wrong += told.wrong

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> "Month":
        """The month of which this is `asdict`, from JSON."""
        read: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
        return cls(**read)


@dataclass
class Year:
    """A year of one company, with or without the loop."""

    words: Words
    company: Company
    a_day: int
    seed: int
    months: dict[int, Month] = field(default_factory=lambda: defaultdict(Month))
    events: dict[int, list[Event]] = field(default_factory=dict)
    """Month -> what became of its adapters."""
    leads: Leads = field(init=False)

    def __post_init__(self) -> None:
        self.leads = Leads(self.company.wrongly, self.seed)

    async def day(self, office: Office, day: int) -> None:
        """People write, and leads look at the result."""
        said = {f"{day}-{n}": self._said(drawn(self.seed, f"{day}-{n}"), day) for n in range(self.a_day)}
        truths = {room: self.words.team_of(topic, day) for room, (_, topic) in said.items()}
        found = await office.sorted({room: text for room, (text, _) in said.items()}, truths)
        requests = [Request(room, *said[room], truths[room], one) for room, one in found.items()]
        month = self.months[day // MONTH]
        for one in requests:
            right = one.sorted.team == one.truth
            if one.truth in (*self.words.appear, self.words.part):
                month.new = month.new[0] + right, month.new[1] + 1
            else:
                month.old = month.old[0] + right, month.old[1] + 1
            month.asked += one.sorted.asked
        if not self.company.loop and day >= FROZEN:
            return
        for one in requests:
            month.add(await self.leads.correct(office, one, day >= HALF))
        if day in MALICIOUS and self.company.malice:
            month.add(await self.leads.push(office, requests))

    async def seconds(self, office: Office, day: int) -> None:
        """Leads come across the corrections of others that wait for a second lead."""
        now = {topic: self.words.team_of(topic, day) for topic in self.words.early}
        self.months[day // MONTH].add(await self.leads.second(office, now, day >= HALF))

    def _said(self, rng: random.Random, day: int) -> tuple[str, str]:
        """(text, topic)."""
        topic = rng.choice([d for d in sorted(self.words.early) if self.words.appear.get(d, 0) <= day])
        late = day >= HALF and rng.random() < 0.5 and self.words.late[topic]
        return rng.choice(self.words.late[topic] if late else self.words.early[topic][SEEDS:]), topic


@dataclass(frozen=True, slots=True)
class Lived:
    """The results of a year."""

    months: Mapping[int, Month]
    right: float
    """The share of the messages at the end that would come to the right team without a question."""
    first: float
    """The share whose likeliest team is the right one, asked about or not."""
    asked: float
    """The share whose person would be asked."""
    taught: int
    """Texts that a lead moved rightly, and nobody wrongly afterwards."""
    repeated: Mapping[str, int]
    """Those of them that go wrong again, by what is known of the very text."""
    asked_again: Mapping[str, int]
    """Those of them whose person would be asked, by the same."""
    events: Mapping[int, list[Event]] = field(default_factory=dict)
    """Month -> what became of its adapters; empty: the company has none."""
    inventory: Inventory | None = None
    """What is left of the adapters; None: the company has none."""

    @property
    def whole(self) -> float:
        """The share of all messages of the year that came to the right team at once."""
        rows = [month.all for month in self.months.values()]
        return sum(right for right, _ in rows) / max(sum(of for _, of in rows), 1)


@dataclass(frozen=True, slots=True)
class Pace:
    """How much of the year is lived."""

    days: int
    """So many days, evenly spread over the year."""
    a_day: int
    """Messages a day."""
    seed: int

    def day(self, step: int) -> int:
        """The day of the year on which the step is lived."""
        return step * YEAR // self.days

    def ends_month(self, step: int) -> bool:
        """Whether no other day of this month is lived."""
        return self.day(step + 1) // MONTH > self.day(step) // MONTH

    def parts(self, begun: int, monthly: bool) -> list[range]:
        """The steps from that one on, whole or month by month."""
        ends = [step + 1 for step in range(begun, self.days) if self.ends_month(step)] if monthly else [self.days]
        return [range(start, end) for start, end in pairwise([begun, *ends]) if start < end]


async def lived(
    words: Words,
    folder: Path,
    company: Company,
    pace: Pace,
    workshop: Workshop | None = None,
    shelf: Shelf | None = None,
) -> Lived:
    """Live the year day by day, then ask what the company knows at its end.

    With a `workshop` the company has adapters; with a `shelf` every month is kept, and the year goes on from there.
    """
    year = Year(words, company, pace.a_day, pace.seed)
    begun = resumed(year, shelf.take(folder) if shelf else None)
    with counting(f"{company.name}, days", pace.days) as told:
        told(begun)
        for part in pace.parts(begun, monthly=shelf is not None):
            task = _task(pace.day(max(part.start - 1, 0)), words, workshop)
            model = workshop.model if workshop else None
            async with Office.opened(folder, START, task, words.languages, model) as office:
                if part.start == 0:
                    await _begins(office, words, workshop is not None)
                for step in part:
                    await _lives(year, office, pace, step, workshop)
                    told(1)
                if part.stop == pace.days:
                    return await _asked(year, office, workshop)
            if shelf:
                shelf.keep(folder, pace.day(part.stop - 1) // MONTH, state_of(year, part.stop))
    raise ValueError("a year has days")


def _task(day: int, words: Words, workshop: Workshop | None) -> Task:
    return task_on(day, words) if workshop is None else learning(task_on(day, words))


async def _begins(office: Office, words: Words, judged: bool) -> None:
    """Import what the first teams have."""
    there = [d for d in words.early if d not in words.appear]
    known = [(text, words.team_of(d, 0)) for d in there for text in words.early[d][:SEEDS]]
    held_out = [(text, words.team_of(d, 0)) for d in there for text in words.judged.get(d, ()) if judged]
    await office.learns(known, held_out)


async def _lives(year: Year, office: Office, pace: Pace, step: int, workshop: Workshop | None) -> None:
    """One day, and what is due at the end of its month."""
    day, company = pace.day(step), year.company
    office.clock = START + timedelta(days=day)
    if office.task.names != (task := _task(day, year.words, workshop)).names:
        await _changed(office, task, year.words, day, workshop is not None)
    await year.day(office, day)
    if workshop:
        await workshop.watches(office)
    if pace.ends_month(step) and (company.loop or day < FROZEN):
        await office.fits()
        await office.looks_again()
        await year.seconds(office, day)
        if workshop:
            month = day // MONTH
            since, until = (START + timedelta(days=at * MONTH) for at in (month, month + 1))
            made = await workshop.cycle(office, month)
            year.events[month] = made + await workshop.tells(office, since, until)
            for event in year.events[month]:
                say(f"{company.name}, day {event.day}: {event.adapter} {event.what}: {event.why}")


async def _asked(year: Year, office: Office, workshop: Workshop | None) -> Lived:
    """What the company knows at the end of its year."""
    words = year.words
    truth = {t: words.team_of(d, YEAR) for d in words.asked for t in words.asked[d]}
    said, made = await office.knows(list(truth)), await office.decides(list(truth))
    first = sum(_likeliest(made[text]) == team for text, team in truth.items()) / len(truth)
    unsure = sum(bool(one.candidates) for one in made.values()) / len(truth)
    again = await office.decides(list(year.leads.taught))
    asked = [text for text, made in again.items() if made.candidates]
    wrong = [text for text, made in again.items() if not made.candidates and made.label != year.leads.taught[text]]
    repeated, open_ones = [dict(Counter([await office.said_of(text) for text in of])) for of in (wrong, asked)]
    right = sum(said[text] == team for text, team in truth.items()) / len(truth)
    left = await workshop.inventory(office) if workshop else None
    return Lived(
        dict(year.months), right, first, unsure, len(year.leads.taught), repeated, open_ones, year.events, left
    )


def _likeliest(made: Decision) -> str:
    return max(made.probabilities, key=lambda name: made.probabilities[name], default="")


def state_of(year: Year, step: int) -> dict[str, object]:
    """What a shelf keeps of the year besides the company's files; the next step is `step`."""
    events = {month: [asdict(event) for event in of] for month, of in year.events.items()}
    months = {number: asdict(month) for number, month in year.months.items()}
    leads = {"taught": year.leads.taught, "ruled": year.leads.ruled, "looked": sorted(year.leads.looked)}
    return {"step": step, "months": months, "leads": leads, "events": events}


def resumed(year: Year, state: Mapping[str, Any] | None) -> int:
    """Put the state into the year; the step at which it goes on."""
    if state is None:
        return 0
    year.months.update({int(number): Month.read(month) for number, month in state["months"].items()})
    year.events.update({int(number): [Event(**one) for one in of] for number, of in state["events"].items()})
    leads = state["leads"]
    year.leads.taught.update(leads["taught"])
    year.leads.ruled.update({room: (text, topic, lead) for room, (text, topic, lead) in leads["ruled"].items()})
    year.leads.looked.update(leads["looked"])
    return int(state["step"])


async def _changed(office: Office, task: Task, words: Words, day: int, judged: bool) -> None:
    """Let a team appear with a few examples, or take its part of another team's."""
    new = [name for name in task.names if name not in office.task.names]
    office.use(task)
    for name in new:
        held_out = words.judged[name] if judged else []
        if name == words.part:
            await office.splits(words.split, name, [*words.early[name][:SEEDS], *held_out])
        else:
            await office.learns(
                [(text, name) for text in words.early[name][:SEEDS]], [(text, name) for text in held_out]
            )
