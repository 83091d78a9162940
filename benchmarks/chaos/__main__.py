"""kill -9 at every step, and whatever else goes wrong: does anything get lost, doubled or out of order?

    python -m benchmarks.chaos --minutes 30 --seed 1
    python -m benchmarks.chaos --kills 300 --replicas 3
    python -m benchmarks.chaos --only "telegram"
    python -m benchmarks.chaos --overload 5000

Real bots, their embedded PostgreSQL, local Slack and Telegram, a scripted model. Interrupted, the same command goes on
with the next round. Exit code 1: an invariant was broken.
"""

import argparse
import asyncio
import json
import logging
import re
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.chaos.campaign import Round, campaign, plans
from benchmarks.chaos.overload import overload
from benchmarks.machine import machine

_PEOPLE = Console(stderr=True)


def summary(rounds: Sequence[Round]) -> dict[str, object]:
    """The counts of a campaign."""
    kills, counts, broken = Counter[str](), Counter[str](), Counter[str]()
    posts: dict[str, int] = {}
    for one in rounds:
        kills.update(one.kills)
        counts.update({name: n for name, n in one.counts.items() if not name.startswith("posts on")})
        posts |= {name: n for name, n in one.counts.items() if name.startswith("posts on")}
        broken.update({name: len(found) for name, found in one.broken.items()})
    back = sorted(one.database_back_after for one in rounds if one.database_back_after is not None)
    recovered = sorted(seconds for one in rounds for seconds in one.recovered)
    drained = sorted(one.drained_after for one in rounds if one.drained_after is not None)
    return {
        "rounds": len(rounds),
        "kills of the bot": sum(kills.values()),
        "kills by step": dict(kills.most_common()),
        "counts": dict(counts),
        "doubled": {p: sum(len(one.doubled.get(p, ())) for one in rounds) for p in ("slack", "telegram")},
        "lost": {p: sum(len(one.lost.get(p, ())) for one in rounds) for p in ("slack", "telegram")},
        "broken": dict(broken),
        "rounds that did not drain": sum(one.drained_after is None for one in rounds),
        "drained after, s": _spread(drained),
        "bot heard again after, s": _spread(recovered),
        "database back after, s": _spread(back),
    }


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {}
    return {"n": len(seconds), "p50": seconds[len(seconds) // 2], "most": seconds[-1]}


def wrong(rounds: Sequence[Round]) -> list[str]:
    """What must not happen: everything but copies on Telegram of which a bot warned, which are counted."""
    found = []
    for one in rounds:
        found += [f"round {one.number}: {name}: {what}" for name, all_ in one.broken.items() for what in all_]
        found += [f"round {one.number}: lost on {where}: {what}" for where, all_ in one.lost.items() for what in all_]
        found += [f"round {one.number}: doubled on Slack: {what}" for what in one.doubled.get("slack", ())]
        if one.drained_after is None:
            found.append(f"round {one.number}: not drained: {dict(one.left)}")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the campaign and print its results."""
    parser = argparse.ArgumentParser(prog="chaos", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="no round begins later than that (default: 10)")
    parser.add_argument("--kills", type=int, default=0, help="no round begins after so many kills of bots")
    parser.add_argument("--seed", type=int, default=1, help="the same seed plans the same rounds")
    parser.add_argument(
        "--only", default="", help="rounds whose step or fault has these words in it; several parted by |"
    )
    parser.add_argument("--replicas", type=int, default=1, help="bots on one database")
    parser.add_argument("--people", type=int, default=4, help="people on each platform in a round")
    parser.add_argument("--out", type=Path, default=Path("var/chaos"), help="where finished rounds are kept")
    parser.add_argument("--overload", type=int, default=0, help="instead: so many messages at once")
    args = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # every process started here ends with us
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # killed processes leave connections behind
    _PEOPLE.print(f"seed {args.seed}")
    if args.overload:
        found = asyncio.run(overload(args.overload, args.seed))
        print(json.dumps({"overload": found, "machine": machine()}))
        sys.exit(1 if found["lost"] else 0)
    sys.exit(_campaign(args))


def _campaign(args: argparse.Namespace) -> int:
    args.out.mkdir(parents=True, exist_ok=True)
    about = re.sub("[^a-z0-9]+", "-", f" {args.only}") if args.only else ""
    kept = args.out / f"seed-{args.seed}-replicas-{args.replicas}{about}.jsonl"
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"), TimeElapsedColumn())
    with Progress(*columns, console=_PEOPLE) as progress:
        bar = progress.add_task("chaos", total=args.kills or args.minutes * 60, told="starting")

        def enough(rounds: Sequence[Round]) -> bool:
            kills = sum(sum(one.kills.values()) for one in rounds)
            seconds = sum(one.seconds for one in rounds)
            progress.update(
                bar, completed=kills if args.kills else seconds, told=f"{len(rounds)} rounds, {kills} kills"
            )
            return bool(kills >= args.kills if args.kills else seconds >= args.minutes * 60)

        def tell(one: Round) -> None:
            for line in wrong([one]):
                progress.console.print(line, style="red", markup=False)

        rounds = asyncio.run(
            campaign(args.seed, plans(args.seed, args.only, args.people), kept, args.replicas, enough, tell)
        )
    _show(summary(rounds))
    print(json.dumps({"chaos": summary(rounds), "seed": args.seed, "replicas": args.replicas, "machine": machine()}))
    return 1 if wrong(rounds) else 0


def _show(found: dict[str, object]) -> None:
    table = Table("what", "how many", title="fault campaign")
    for name, value in found.items():
        rows = value.items() if isinstance(value, dict) and name.endswith("step") else [("", value)]
        for part, count in rows:
            table.add_row(f"{name}: {part}" if part else name, str(count))
    _PEOPLE.print(table)


if __name__ == "__main__":
    main()
