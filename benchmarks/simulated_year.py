"""A year of a company in a few minutes: teams appear and split, topics drift, leads correct, some of them wrongly.

    python -m benchmarks.simulated_year --data ../shared/data [--languages | --adapters] [--quick] [--company NAME]
        [--seed N] [--keep FOLDER]

Real messages (CLINC150, ten domains as teams) go through the real flow: stored, sorted, delivered, corrected, on a
PostgreSQL of its own, with the bundled embedder, the memory and the voices; only the chat service and the clock are
simulated. Measured is how the memory, and the voices fitted anew every four weeks, carry a company through a year,
beside the same company frozen on day 30, and beside companies whose leads never err, err without malice (once in ten,
or as told below), or are right except for the malicious one. The same people write the same to all of them, and leads
slip at the same places wherever they can. `--keep` stores every finished year, so that the command goes on where it
was.

With `--adapters` a company lives its year a second time with the starter on a vLLM server: every four weeks a learning
cycle trains an adapter and judges it on 100 messages a team of the validation split, which
nothing learns from; canaries serve three requests of ten, refused candidates run in the shadow, and every lived day the
watches of rollback, canary, shadow and retention look. `--keep` then stores each finished month, too. Without
`--company` two companies are lived, as it is and without wrong corrections.

A third of each domain's intents appears only in the second half. Two teams appear, one is split. Leads correct 30 % of
the mistakes, 5 % of these wrongly in the first half, 20 % in the second. A request that they bring to a wrong team is
one more mistake, of which the leads of that team correct 30 %, and another lead answers 30 % of the corrections that
wait for one. In the eighth month a malicious lead moves two rightly sorted requests a day to another team.

With `--languages` the messages are those to an assistant's skills, seven teams of them. Everybody writes English in the
first half; from then on every other message is Spanish, French or German, of which no team ever got an example.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.simulated_cycle import Event, Inventory, ModelServer, Shelf, Workshop, counted
from benchmarks.simulated_leads import NEVER
from benchmarks.simulated_life import START, YEAR, Company, Lived, Month, Pace, lived
from benchmarks.simulated_words import Words, domains, languages

PACES = {False: (YEAR, 12), True: (52, 20)}
"""Quick or not -> days, and messages a day."""

COMPANIES = (
    Company("as it is"),
    Company("no wrong corrections", wrongly=NEVER, malice=False),
    Company("one in ten wrong", wrongly=(0.1, 0.1), malice=False),
    Company("slips alone", malice=False),
    Company("malice alone", wrongly=NEVER),
    Company("frozen", loop=False),
)


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
    parser.add_argument("--adapters", action="store_true", help="train an adapter every four weeks; takes much longer")
    names = [company.name for company in COMPANIES]
    parser.add_argument("--company", action="append", choices=names, help="only this one; may be repeated")
    parser.add_argument("--quick", action="store_true", help="one day in seven is lived, with 20 messages")
    parser.add_argument("--seed", type=int, default=0, help="another one: other messages, and other slips")
    parser.add_argument("--keep", type=Path, help="a folder; years and months that are in it are not lived again")
    args = parser.parse_args(arguments)
    if args.adapters and args.languages:
        parser.error("--adapters needs messages to judge by, and the sets of --languages have none; leave one out")
    words, pace = (languages if args.languages else domains)(args.data), Pace(*PACES[args.quick], args.seed)
    print(f"{machine()}; {pace.days} days of {YEAR}, {pace.a_day} messages each, seed {args.seed}\n")
    keep = args.keep and args.keep / ("languages" if args.languages else "domains")
    wanted = [one for one in COMPANIES if one.name in (args.company or (names[:2] if args.adapters else names))]
    rows = {one: _kept(keep, words, one, pace) for one in wanted}
    tell(rows)
    if args.adapters:
        tell_adapters(rows, asyncio.run(_with_adapters(keep, words, wanted, pace)))


def _file(folder: Path | None, company: Company, pace: Pace, kind: str = "") -> Path | None:
    name = f"{company.name.replace(' ', '_')}{kind}-{pace.days}-{pace.a_day}-{pace.seed}"
    return folder and folder / f"{name}.json"


def _kept(folder: Path | None, words: Words, company: Company, pace: Pace) -> Lived:
    file = _file(folder, company, pace)
    if found := stored(file):
        return found
    with tempfile.TemporaryDirectory(prefix="switchboard-year-") as place:
        return store(file, asyncio.run(lived(words, Path(place), company, pace)))


async def _with_adapters(
    folder: Path | None, words: Words, companies: Sequence[Company], pace: Pace
) -> dict[Company, Lived]:
    """The same companies, each with adapters of its own, on one model server; each finished month is kept."""
    files = {one: _file(folder, one, pace, "-adapters") for one in companies}
    found = {one: read for one, file in files.items() if (read := stored(file))}
    if len(found) == len(companies):
        return found
    with tempfile.TemporaryDirectory(prefix="switchboard-year-") as place:
        async with ModelServer.started(Path(place)) as server:
            for one in (company for company in companies if company not in found):
                file, home = files[one], Path(place) / one.name.replace(" ", "_")
                shelf = Shelf(file.with_suffix("") if file else Path(place) / "kept")
                workshop = Workshop(server, home.name, START)
                found[one] = store(file, await lived(words, home, one, pace, workshop, shelf))
                shelf.clear()
    return found


def stored(file: Path | None) -> Lived | None:
    """The year that was kept in the file; None: there is none."""
    if file is None or not file.exists():
        return None
    read = json.loads(file.read_text("utf-8"))
    months = {int(number): Month.read(month) for number, month in read.pop("months").items()}
    events = {int(number): [Event(**one) for one in of] for number, of in read.pop("events", {}).items()}
    left = read.pop("inventory", None)
    return Lived(months, **read, events=events, inventory=left and Inventory(**left))


def store(file: Path | None, found: Lived) -> Lived:
    """Keep the year in the file, where there is to be one, and return it."""
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(found)), "utf-8")
    return found


def tell(rows: Mapping[Company, Lived]) -> None:
    """Print the first company's months beside the frozen one's, and how every year ended."""
    mine, frozen = next(iter(rows.values())), rows.get(COMPANIES[-1])
    print(
        "| month | old teams, loop | frozen | new teams, loop | frozen | asked, loop | frozen | corrections (wrong) |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for number in sorted(mine.months):
        one, other = mine.months[number], frozen.months[number] if frozen else Month()
        shares = " | ".join(map(_share, (one.old, other.old, one.new, other.new)))
        unasked = other.asked if frozen else "–"
        print(f"| {number + 1} | {shares} | {one.asked} | {unasked} | {one.corrections} ({one.wrong}) |")
    _tell_ends({company.name: found for company, found in rows.items()})


def _tell_ends(rows: Mapping[str, Lived]) -> None:
    print(
        "\n| company | right in the end, unasked | at first guess | asked in the end | right over the year"
        " | corrections (wrong) | corrected, wrong again | asked again |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, found in rows.items():
        made = sum(month.corrections for month in found.months.values())
        wrong = sum(month.wrong for month in found.months.values())
        again = [_again(of, found.taught) for of in (found.repeated, found.asked_again)]
        ends = [f"{share:.1%}" for share in (found.right, found.first, found.asked, found.whole)]
        cells = [*ends, f"{made} ({wrong})", *again]
        print(f"| {name} | {' | '.join(cells)} |")


def tell_adapters(without: Mapping[Company, Lived], rows: Mapping[Company, Lived]) -> None:
    """Print each company's months with adapters and without, and what became of every adapter."""
    for company, found in rows.items():
        print(f"\n{company.name}, with adapters and without:\n")
        print("| month | right, with | without | asked, with | without | corrections (wrong) | adapters |")
        print("|---|---|---|---|---|---|---|")
        for number in sorted(found.months):
            one, other = found.months[number], without[company].months[number]
            cells = [_share(one.all), _share(other.all), one.asked, other.asked, f"{one.corrections} ({one.wrong})"]
            became = ", ".join(f"{count} {what}" for what, count in counted(found.events.get(number, [])).items())
            print(f"| {number + 1} | {' | '.join(map(str, cells))} | {became or '–'} |")
        print()
        for event in (event for of in found.events.values() for event in of):
            print(f"- day {event.day:g}: {event.adapter} {event.what}: {event.why}")
        print(f"\nleft in the end: {found.inventory}")
    _tell_ends({f"{company.name}, with adapters": found for company, found in rows.items()})


def _again(by: Mapping[str, int], taught: int) -> str:
    why = "; ".join(f"{count} {what}" for what, count in by.items())
    return f"{sum(by.values())} of {taught}{': ' if why else ''}{why}"


def _share(row: Sequence[int]) -> str:
    right, of = row
    return f"{right / of:.0%}" if of else "–"


if __name__ == "__main__":
    main()
