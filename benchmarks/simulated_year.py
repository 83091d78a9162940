"""A year of a company in a few minutes: teams appear and split, topics drift, leads correct, some of them wrongly.

    python -m benchmarks.simulated_year --data ../shared/data [--languages] [--quick] [--seed N] [--keep FOLDER]

Real messages (CLINC150, ten domains as teams) go through the real flow: stored, sorted, delivered, corrected, on a
PostgreSQL of its own, with the bundled embedder, the memory and the voices; only the chat service and the clock are
simulated. No adapter is trained: that would take hours for each year. Measured is how the memory, and the voices fitted
anew every four weeks, carry a company through a year, beside the same company frozen on day 30, and beside companies
whose leads never err, err without malice, or are right except for the malicious one. The same people write the same to
all of them, and leads slip at the same places wherever they can. `--keep` stores every finished year, so that the
command goes on where it was.

A third of each domain's intents appears only in the second half. Two teams appear, one is split. Leads correct 30 % of
the mistakes, 5 % of these wrongly in the first half, 20 % in the second; in the eighth month a malicious lead moves two
rightly sorted requests a day to another team.

With `--languages` the messages are those to an assistant's skills, seven teams of them. Everybody writes English in the
first half; from then on every other message is Spanish, French or German, of which no team ever got an example.
"""

import argparse
import asyncio
import json
import random
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.simulated_office import Office, Sorted
from bot.console import counting
from bot.domain.messages import Place, has_words
from bot.domain.tasks import Label, Task

START = datetime(2025, 1, 6, 8, 0, tzinfo=UTC)
YEAR, FROZEN, HALF, MONTH = 364, 30, 182, 28
APPEAR, SPLIT_DAY = (56, 140), 238
"""The days on which the two teams appear, and the one on which a team is split."""
MALICIOUS = range(7 * MONTH, 8 * MONTH)
CORRECTED, WRONGLY = 0.30, (0.05, 0.20)
SEEDS = 20
"""Examples of each team at its beginning."""
ABROAD = ("es", "fr", "de")
QUESTIONS = {"calendar": r"Check|Find|Time", "email": r"Check|Query|Read|Search|Show"}
"""Skills of two teams: one is asked things, the other is told to do them."""
SKILLS = ("calendar", "email", "hospitality", "todo", "weather")
EMOJI = "🍎🍐🍊🍋🍌🍉🍇🍓🍒🍍🥝"


@dataclass(frozen=True, slots=True)
class Words:
    """What people write: by team, what is said from the beginning, what only later, and what is asked at the end."""

    early: Mapping[str, Sequence[str]]
    late: Mapping[str, Sequence[str]]
    asked: Mapping[str, Sequence[str]]
    appear: Mapping[str, int]
    """Team -> the day on which it appears; the others are there from the beginning."""
    split: str
    part: str
    """Up to the day of the split, messages of `part` belong to `split`."""
    languages: tuple[str, ...] = ("en",)
    """The setting `conversation.languages`."""

    def team_of(self, topic: str, day: int) -> str:
        """The team that has these messages on that day."""
        return self.split if topic == self.part and day < SPLIT_DAY else topic


@dataclass(frozen=True, slots=True)
class Company:
    """One way for the company to live the year."""

    name: str
    loop: bool = True
    slips: bool = True
    """Whether leads sometimes correct wrongly."""
    malice: bool = True


COMPANIES = (
    Company("as it is"),
    Company("no wrong corrections", slips=False, malice=False),
    Company("slips alone", malice=False),
    Company("malice alone", slips=False),
    Company("frozen", loop=False),
)


@dataclass
class Month:
    """The results of a month."""

    old: tuple[int, int] = (0, 0)
    """(right, all) of the old teams' messages."""
    new: tuple[int, int] = (0, 0)
    asked: int = 0
    corrections: int = 0
    wrong: int = 0


def domains(folder: Path) -> Words:
    """A third of each team's intents comes late; of the test split a hundred messages a team are asked at the end."""
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
    appear = dict(zip(("travel", "credit_cards"), APPEAR, strict=True))
    return Words(by_team["early"], by_team["late"], by_team["asked"], appear, "home", "kitchen_and_dining")


def languages(folder: Path) -> Words:
    """English comes early, three other languages late; thirty texts a team and language are asked at the end."""
    texts: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for code in ("en", *ABROAD):
        for row in _rows(folder / f"{code}_msskills.jsonl"):
            team = _skill(row["label"])
            if team and has_words(row["text"]):
                texts[code, row["split"], team].append(row["text"])
    teams = sorted({team for _, _, team in texts})
    early = {team: texts["en", "train", team] for team in teams}
    late = {team: [text for code in ABROAD for text in texts[code, "train", team]] for team in teams}
    asked = {team: [text for code in ("en", *ABROAD) for text in texts[code, "test", team][:30]] for team in teams}
    appear = dict(zip(("weather", "todo"), APPEAR, strict=True))
    return Words(early, late, asked, appear, "email", "email_questions", ("en", *ABROAD))


def _skill(intent: str) -> str:
    """The team of an intent such as `calendar.FindDuration`; empty: no team's."""
    skill, _, does = intent.partition(".")
    asks = re.match(QUESTIONS.get(skill, "$"), does)
    return "" if skill not in SKILLS else f"{skill}_questions" if asks else skill


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def task_on(day: int, words: Words) -> Task:
    """The teams that exist on that day."""
    teams = [d for d in sorted(words.early) if words.appear.get(d, 0) <= day and words.team_of(d, day) == d]
    labels = [
        Label(d, d.replace("_", " "), emoji={"web": EMOJI[n]}, deliver_to={"web": Place("web", f"room-{d}")})
        for n, d in enumerate(sorted(words.early))
        if d in teams
    ]
    return Task("routing", "Which team?", tuple(labels), labels[-1].name)


@dataclass
class Year:
    """A year of one company, with or without the loop."""

    words: Words
    company: Company
    a_day: int
    seed: int
    months: dict[int, Month] = field(default_factory=lambda: defaultdict(Month))
    taught: dict[str, str] = field(default_factory=dict)
    """Text -> the team to which a lead rightly moved it."""

    async def day(self, office: Office, day: int) -> None:
        """People write, and leads look at the result."""
        texts = {f"{day}-{n}": self._said(self._draw(f"{day}-{n}"), day) for n in range(self.a_day)}
        truths = {room: team for room, (_, team) in texts.items()}
        found = await office.sorted({room: text for room, (text, _) in texts.items()}, truths)
        month = self.months[day // MONTH]
        for room, one in found.items():
            right = one.team == truths[room]
            if truths[room] in (*self.words.appear, self.words.part):
                month.new = month.new[0] + right, month.new[1] + 1
            else:
                month.old = month.old[0] + right, month.old[1] + 1
            month.asked += one.asked
        if self.company.loop or day < FROZEN:
            await self._leads(office, day, {room: (*texts[room], one) for room, one in found.items()})

    def _draw(self, what: str) -> random.Random:
        """The day's messages, the same for every company."""
        return random.Random(f"{self.seed} {what}")

    def _said(self, rng: random.Random, day: int) -> tuple[str, str]:
        domain = rng.choice([d for d in sorted(self.words.early) if self.words.appear.get(d, 0) <= day])
        late = day >= HALF and rng.random() < 0.5 and self.words.late[domain]
        said = self.words.late[domain] if late else self.words.early[domain][SEEDS:]
        return rng.choice(said), self.words.team_of(domain, day)

    async def _leads(self, office: Office, day: int, found: Mapping[str, tuple[str, str, Sorted]]) -> None:
        month, names = self.months[day // MONTH], list(office.task.names)
        for room, (text, truth, one) in found.items():
            rng = self._draw(f"lead {room}")
            if one.card is None or one.team == truth or rng.random() >= CORRECTED:
                continue
            wrongly = rng.random() < WRONGLY[day >= HALF] and self.company.slips
            label = rng.choice([n for n in names if n not in (truth, one.team)]) if wrongly else truth
            await office.corrects(one.card, label, f"lead-{rng.randrange(3)}")
            month.corrections += 1
            month.wrong += wrongly
            if not wrongly:
                self.taught[text] = truth
            else:
                self.taught.pop(text, None)
        if day in MALICIOUS and self.company.malice:
            mine = [(text, one) for text, truth, one in found.values() if one.card is not None and one.team == truth]
            for text, one in mine[:2]:
                await office.corrects(one.card or "", names[(names.index(one.team) + 1) % len(names)], "malicious")
                month.wrong += 1
                self.taught.pop(text, None)


@dataclass(frozen=True, slots=True)
class Lived:
    """The results of a year."""

    months: Mapping[int, Month]
    right: float
    """The share of right answers among the messages asked at the end."""
    taught: int
    """Texts that a lead moved rightly, and nobody wrongly afterwards."""
    repeated: Mapping[str, int]
    """Those of them that go wrong again, by what is known of the very text."""
    asked_again: Mapping[str, int]
    """Those of them whose person would be asked, by the same."""

    @property
    def whole(self) -> float:
        """The share of all messages of the year that came to the right team at once."""
        rows = [pair for month in self.months.values() for pair in (month.old, month.new)]
        return sum(right for right, _ in rows) / max(sum(of for _, of in rows), 1)


async def lived(words: Words, folder: Path, company: Company, days: int, a_day: int, seed: int) -> Lived:
    """Live the year day by day, then ask what the company knows at its end."""
    year = Year(words, company, a_day, seed)
    async with Office.opened(folder, START, task_on(0, words), words.languages) as office:
        await office.learns(
            [(t, words.team_of(d, 0)) for d in words.early if d not in words.appear for t in words.early[d][:SEEDS]]
        )
        with counting(f"{company.name}, days", days) as told:
            for step in range(days):
                day = step * YEAR // days
                office.clock = START + timedelta(days=day)
                if office.task.names != (task := task_on(day, words)).names:
                    await _changed(office, task, words, day)
                await year.day(office, day)
                if (step + 1) * YEAR // days // MONTH > day // MONTH and (company.loop or day < FROZEN):
                    await office.fits()
                    await office.looks_again()
                told(1)
        truth = {t: words.team_of(d, YEAR) for d in words.asked for t in words.asked[d]}
        said = await office.knows(list(truth))
        again = await office.decides(list(year.taught))
        asked = [text for text, made in again.items() if made.candidates]
        wrong = [text for text, made in again.items() if not made.candidates and made.label != year.taught[text]]
        repeated, open_ones = [dict(Counter([await office.said_of(text) for text in of])) for of in (wrong, asked)]
    right = sum(said[text] == team for text, team in truth.items()) / len(truth)
    return Lived(dict(year.months), right, len(year.taught), repeated, open_ones)


async def _changed(office: Office, task: Task, words: Words, day: int) -> None:
    """Let a team appear with a few examples, or take its part of another team's."""
    new = [name for name in task.names if name not in office.task.names]
    office.use(task)
    for name in new:
        if name == words.part:
            await office.splits(words.split, name, list(words.early[name][:SEEDS]))
        else:
            await office.learns([(text, name) for text in words.early[name][:SEEDS]])


def main(arguments: Sequence[str] | None = None) -> None:
    """Live the year in every company, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="the folder with clinc150.jsonl and clinc_domains.jsonl, or the msskills files",
    )
    parser.add_argument("--languages", action="store_true", help="let the languages drift instead of the topics")
    parser.add_argument("--quick", action="store_true", help="one day in seven is lived, with 20 messages")
    parser.add_argument("--seed", type=int, default=0, help="another one: other messages, and other slips")
    parser.add_argument("--keep", type=Path, help="a folder; years that are in it are not lived again")
    args = parser.parse_args(arguments)
    words, (days, a_day) = (languages if args.languages else domains)(args.data), (52, 20) if args.quick else (YEAR, 12)
    print(f"{machine()}; {days} days of {YEAR}, {a_day} messages each, seed {args.seed}\n")
    keep = args.keep and args.keep / ("languages" if args.languages else "domains")
    rows = {one: _kept(keep, words, one, days, a_day, args.seed) for one in COMPANIES}
    _tell(rows)


def _kept(folder: Path | None, words: Words, company: Company, days: int, a_day: int, seed: int) -> Lived:
    file = folder and folder / f"{company.name.replace(' ', '_')}-{days}-{a_day}-{seed}.json"
    if file and file.exists():
        read = json.loads(file.read_text("utf-8"))
        months = {int(number): Month(**month) for number, month in read.pop("months").items()}
        return Lived(months, **read)
    with tempfile.TemporaryDirectory(prefix="switchboard-year-") as place:
        found = asyncio.run(lived(words, Path(place), company, days, a_day, seed))
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(found)), "utf-8")
    return found


def _tell(rows: Mapping[Company, Lived]) -> None:
    mine, frozen = rows[COMPANIES[0]], rows[COMPANIES[-1]]
    print(
        "| month | old teams, loop | frozen | new teams, loop | frozen | asked, loop | frozen | corrections (wrong) |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for number in sorted(mine.months):
        one, other = mine.months[number], frozen.months[number]
        shares = " | ".join(map(_share, (one.old, other.old, one.new, other.new)))
        print(f"| {number + 1} | {shares} | {one.asked} | {other.asked} | {one.corrections} ({one.wrong}) |")
    print(
        "\n| company | right in the end | right over the year | corrections (wrong)"
        " | corrected, wrong again | asked again |"
    )
    print("|---|---|---|---|---|---|")
    for company, found in rows.items():
        made = sum(month.corrections for month in found.months.values())
        wrong = sum(month.wrong for month in found.months.values())
        again = [_again(of, found.taught) for of in (found.repeated, found.asked_again)]
        cells = [f"{found.right:.1%}", f"{found.whole:.1%}", f"{made} ({wrong})", *again]
        print(f"| {company.name} | {' | '.join(cells)} |")


def _again(by: Mapping[str, int], taught: int) -> str:
    why = "; ".join(f"{count} {what}" for what, count in by.items())
    return f"{sum(by.values())} of {taught}{': ' if why else ''}{why}"


def _share(row: Sequence[int]) -> str:
    right, of = row
    return f"{right / of:.0%}" if of else "–"


if __name__ == "__main__":
    main()
