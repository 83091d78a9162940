"""The whole system beside its peers, in one run that can be interrupted and goes on where it was.

    make bench DATA=../shared/data ARGS="--only banking77_teams demo"
    python -m benchmarks.bench --data FOLDER --file train.jsonl test.jsonl --write

Progress goes to stderr, the page to stdout; with --write it also becomes docs/benchmarks.md. Exit code 1: something
that could have been measured was not.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks.bench import product
from benchmarks.bench.draws import quick
from benchmarks.bench.peers import ENGLISH, EVERYWHERE, TITLES, Peers, measure, peers
from benchmarks.bench.results import Results, commit
from benchmarks.bench.sets import Absent, Maker, catalogue, own
from benchmarks.bench.table import page
from benchmarks.bench.told import Result, Told, told
from benchmarks.bench.trial import Trial
from benchmarks.bench.workspace import ROOT
from bot.console import say, share_of
from bot.domain.errors import SwitchboardError
from bot.files import write_whole

PAGE = ROOT / "docs" / "benchmarks.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is not measured yet, and print the page with all results."""
    args = _arguments(arguments)
    results = Results(args.results, commit(), args.seed, args.any_commit)
    try:
        rivals = peers()
        sets = [_measured(name, make, args, results, rivals) for name, make in chosen(args)]
        if args.write:  # the finished results of the other sets stay on the page
            sets += [one for one in _shown(args, results) if one.arms]
    except KeyboardInterrupt:
        say(f"interrupted; what is finished is in {args.results}, and the same command goes on from there")
        return 130
    except SwitchboardError as error:
        say(str(error))
        return 2
    written = page(sets)
    sys.stdout.write(written)
    if args.write:
        write_whole(PAGE, written)
        say(f"{PAGE} is written")
    return 1 if any(one.problem and one.trial.asked for one in sets) else 0


def chosen(args: argparse.Namespace) -> Iterator[tuple[str, Maker]]:
    """The requested sets, and the caller's own files."""
    known = catalogue()
    files: list[list[Path]] = args.file or []
    for name, make in known.items():
        if name in args.only if args.only is not None else not files:
            yield name, make
    for train, test in files:
        yield test.stem, partial(own, train, test)


def _shown(args: argparse.Namespace, results: Results) -> Iterator[Told]:
    """The sets that were not requested, with their finished results."""
    asked = {name for name, _ in chosen(args)}
    for name, make in catalogue().items():
        with suppress(Absent):
            if name not in asked:
                trial = make(args.data, random.Random(args.seed))
                arms = {arm: results.finished(trial, arm) for arm in (*TITLES, product.WHOLE)}
                yield told(trial, {arm: result for arm, result in arms.items() if result is not None})


def _measured(name: str, make: Maker, args: argparse.Namespace, results: Results, rivals: Peers) -> Told:
    """All arms of a set; what could not be measured is printed and recorded."""
    try:
        trial = make(args.data, random.Random(args.seed))
    except Absent as error:
        say(f"{name} is left out: {error}")
        return Told(Trial(name, (), ()), problem=f"left out: {error}")
    if args.quick:
        trial = quick(trial, random.Random(args.seed))
    found: dict[str, Result] = {}
    problem = ""
    try:
        for arm, result in _arms(trial, results, rivals, args.peers_only):
            found[arm] = result
    except SwitchboardError as error:
        problem = str(error)
        say(f"{name}: {problem}")
    return told(trial, found, problem)


def _arms(trial: Trial, results: Results, rivals: Peers, peers_only: bool) -> Iterator[tuple[str, Result]]:
    """Every arm as soon as it is finished; finished arms are not measured again. Peers come first: they take
    seconds."""
    for arm in (*ENGLISH, *(EVERYWHERE if trial.beyond_english else ())):
        finished = results.finished(trial, arm)
        if finished is None:
            with share_of(f"{trial.name}: {TITLES[arm]}"):
                learned = [(row.text, row.label) for row in trial.taught_to_peers]
                measured = measure(rivals[arm](), learned, [row.text for row in trial.asked])
            finished = results.keep(trial, arm, asdict(measured))
        yield arm, finished
    finished = results.finished(trial, product.WHOLE)
    if finished is None and not peers_only:
        say(f"{trial.name}: the product learns {len(trial.learned)} texts, log {results.log(trial)}")
        finished = results.keep(trial, product.WHOLE, asyncio.run(product.measured(trial, results.log(trial))))
    if finished is not None:
        yield product.WHOLE, finished


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, default=Path(), help="folder of the data sets; missing sets are left out")
    parser.add_argument("--only", nargs="+", choices=list(catalogue()), metavar="NAME", help=" ".join(catalogue()))
    parser.add_argument(
        "--file", nargs=2, type=Path, action="append", metavar=("TRAIN", "TEST"), help="JSON lines of text and label"
    )
    parser.add_argument("--results", type=Path, default=ROOT / "var" / "bench", help="folder of finished results")
    parser.add_argument("--seed", type=int, default=1, help="seed of random draws")
    parser.add_argument(
        "--quick", action="store_true", help="three labels and a few hundred rows: tests whether everything works"
    )
    parser.add_argument(
        "--any-commit", action="store_true", help="keep what another commit measured; the page names both"
    )
    parser.add_argument(
        "--peers-only", action="store_true", help="measure only the peers; of the product show what is finished"
    )
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md, too")
    args = parser.parse_args(arguments)
    if args.quick and args.write:
        parser.error("--quick measures whether it works, not how well: leave out --write")
    return args


if __name__ == "__main__":
    sys.exit(main())
