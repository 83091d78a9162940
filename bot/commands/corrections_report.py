"""`switchboard corrections`: how many are at each stage, each of them, and those waiting for a second lead."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TextIO

from bot.console import say, table
from bot.domain.correction_life import CorrectionLife, Corrections, Stage
from bot.domain.errors import UsageError
from bot.domain.silent_signals import SignalKind
from bot.domain.tasks import Task
from bot.json_lines import json_line

_NAMED = {
    Stage.REMEMBERED: "remembered",
    Stage.IN_TRAINING: "in a training set",
    Stage.LEARNED: "learned by the adapter that serves",
    Stage.RETIRED: "learned, and let go of by the memory",
    Stage.QUARANTINED: "waiting for a second lead",
    Stage.DISPUTED: "disputed",
    Stage.WITHDRAWN: "withdrawn",
}


def count_corrections(
    counts: Mapping[tuple[str, Stage], int],
    task: Task,
    as_json: bool,
    out: TextIO,
    silent: Mapping[SignalKind, int] | None = None,
) -> None:
    """Print how many of a task's corrections are at each stage and, apart from them, the silent signals."""
    shown = {kind: (silent or {}).get(kind, 0) for kind in SignalKind}
    rows = {stage: counts.get((task.name, stage), 0) for stage in Stage}
    if as_json:
        print(
            json.dumps({"task": task.name, **{stage.value: count for stage, count in rows.items()}} | _silent(shown)),
            file=out,
        )
        return
    table(
        f"corrections of {task.name}", ("stage", "corrections"), [(_NAMED[s], str(count)) for s, count in rows.items()]
    )
    say("`switchboard corrections list` names each")
    if any(shown.values()):
        say(_shown_without_saying(task, shown))


def _silent(shown: Mapping[SignalKind, int]) -> dict[str, int]:
    return {f"silent_{kind.value}s": count for kind, count in shown.items()}


def _shown_without_saying(task: Task, shown: Mapping[SignalKind, int]) -> str:
    share = task.learning.silent_signals
    heard = f"teach the adapter, at most {share:.0%} on top" if share else "teach nobody; setting: silent_signals"
    settled, handed_on = shown[SignalKind.CONFIRMATION], shown[SignalKind.CORRECTION]
    return (
        f"silent signals: {settled} answered and closed by their team, {handed_on} handed on by no lead; they {heard}"
    )


async def list_corrections(
    corrections: Corrections, task: Task, limit: int, texts: bool, as_json: bool, out: TextIO
) -> None:
    """Print the newest corrections, with their texts only if `texts`."""
    lives = await corrections.lives(task.name, limit)
    rows = [_row(one) | ({"text": one.text} if texts else {}) for one in lives]
    if as_json:
        for row in rows:
            print(json_line(row), file=out)
        return
    if not rows:
        say("nobody has corrected anything")
        return
    cells = [["" if cell is None else str(cell) for cell in row.values()] for row in rows]
    table(f"corrections of {task.name}, the newest first", tuple(rows[0]), cells)
    if any(one.stage is Stage.QUARANTINED for one in lives):
        say("`switchboard corrections accept ID` lets one that waits teach, as a second lead's emoji does")


async def accept_correction(corrections: Corrections, example: int, by: str, now: datetime) -> None:
    """Let a correction that is held back teach. Raises UsageError where it is not held back."""
    if not await corrections.accept(example, by, now):
        raise UsageError(
            f"{example} waits for nobody; `switchboard corrections list` says which do (quarantined), and what is "
            "disputed its leads have to settle"
        )
    say(f"{example} teaches from now on")


def in_words(one: CorrectionLife) -> str:
    """The stage of a correction, with the adapter that learned it or the guard that holds it back."""
    held = one.facts.held.value if one.stage is Stage.QUARANTINED and one.facts.held is not None else None
    learned = one.adapter if one.stage in (Stage.LEARNED, Stage.RETIRED) else None
    return " ".join([_NAMED[one.stage], *(f"({of})" for of in (held, learned) if of)])


def _row(one: CorrectionLife) -> dict[str, object]:
    held = one.facts.held
    return {
        "id": one.example,
        "stage": one.stage.value,
        "label": one.label,
        "lead": one.lead,
        "at": one.recorded.isoformat(timespec="seconds"),
        "adapter": one.adapter,
        "held": None if held is None else held.value,
        "side": one.facts.side.value,
    }
