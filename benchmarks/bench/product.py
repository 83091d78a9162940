"""The product's own arms: import, train and evaluate by its commands, and each voice's answers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.bench.figures import Answers, rank_sum
from benchmarks.bench.trial import Trial
from benchmarks.bench.workspace import CommandFailed, workspace

WHOLE, WITHOUT = "switchboard", "without the adapter"
Rows = Sequence[Mapping[str, object]]


async def measured(trial: Trial, log: Path) -> dict[str, object]:
    """The commands' results, how long each took, and one row for each text asked. Raises CommandFailed."""
    async with workspace(trial, log) as here:
        seconds: dict[str, float] = {}
        examples = here.file("examples.jsonl", train=trial.learned, valid=trial.judged)
        seconds["import"] = (await here.run("import", examples)).seconds
        trained: dict[str, object] = {}
        if not trial.shipped:
            ran = await here.run("train", "--json", may_say_no=True)
            trained, seconds["train"] = ran.json(), ran.seconds
            if not trained.get("promoted"):  # both are of interest: what the gate accepted and what it refused
                await here.run("promote", str(trained["adapter"]))
        asked = here.file("asked.jsonl", test=trial.asked)
        ran = await here.run("evaluate", asked, "--json", "--rows", "rows.jsonl")
        seconds["evaluate"] = ran.seconds
        rows = [json.loads(line) for line in (here.home / "rows.jsonl").read_text("utf-8").splitlines()]
    if [row["truth"] for row in rows] != [row.label for row in trial.asked]:
        raise CommandFailed(f"evaluate answered other rows than it was asked: {len(rows)} of {len(trial.asked)}")
    whole = {name: round(value, 1) for name, value in seconds.items()}
    return {"seconds": whole, "trained": trained, "evaluated": ran.json(), "rows": rows}


def arms(rows: Rows) -> dict[str, Answers]:
    """The whole product, the same without the adapter, and each voice alone, the heaviest first.

    A voice that gives no answer counts as wrong.
    """
    heard = [{str(v["voice"]): v for v in _list(row["voices"])} for row in rows]
    weights: dict[str, float] = {}
    for said in heard:
        for name, voice in said.items():
            weights[name] = weights.get(name, 0.0) + _number(voice["weight"])
    alone = {name: _voice([said.get(name) for said in heard]) for name in sorted(weights, key=lambda n: -weights[n])}
    without = [row["without_model"] for row in rows]
    return {WHOLE: _whole(rows), WITHOUT: _decided([w for w in without if isinstance(w, dict)]), **alone}


def asked_first(rows: Rows) -> list[bool]:
    """For each text, whether the person would have been asked, or somebody of the fallback team would have looked."""
    return [bool(row["would_ask"]) or row["by"] == "fallback" for row in rows]


def latencies(rows: Rows) -> list[float]:
    """Milliseconds of the texts that were asked one by one."""
    return [_number(row["ms"]) for row in rows if row["ms"] is not None]


def _whole(rows: Rows) -> Answers:
    decided = _decided(rows)
    away = [1.0 - _number(row["nearest"]) if row["nearest"] is not None else 2.0 for row in rows]
    strange = rank_sum([_number(row["entropy"]) for row in rows], away)
    return Answers(decided.given, decided.sure, True, tuple(strange))


def _decided(rows: Rows) -> Answers:
    return Answers(tuple(str(row["label"]) for row in rows), tuple(_number(row["confidence"]) for row in rows), True)


def _voice(said: Sequence[Mapping[str, object] | None]) -> Answers:
    given = tuple("" if one is None else str(one["label"]) for one in said)
    return Answers(given, tuple(0.0 if one is None else _number(one["probability"]) for one in said), True)


def _list(value: object) -> list[Mapping[str, object]]:
    return value if isinstance(value, list) else []


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
