"""`switchboard`, which dies by its own kill -9 at a step of the flow that the environment names.

    CHAOS_KILL="about to say in Slack" CHAOS_PASSES=3 CHAOS_NOTE=FILE python -m benchmarks.chaos.victim run

So a death falls between two lines of the program, where a signal from outside would hit only by luck. The product
contains nothing of this: its methods are wrapped here, in the process that is to die.
"""

import functools
import importlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import ParamSpec, TypeVar

from benchmarks.chaos.clock import CLOCK, SteppedClock

KILL, PASSES, NOTE = "CHAOS_KILL", "CHAOS_PASSES", "CHAOS_NOTE"
"""Environment variables: the step; at which pass through it the process dies; the file in which it then notes the
step."""
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Step:
    """A method of the product, and whether the process dies as it begins or once it has ended."""

    module: str
    owner: str
    method: str
    after: bool = False


def _ledger(method: str, after: bool = False) -> Step:
    return Step("db.ledger", "PostgresLedger", method, after)


STEPS: Mapping[str, Step] = {
    "heard, not stored": _ledger("add_facts"),
    "stored, not acknowledged": _ledger("add_facts", after=True),
    "claimed to be sorted": _ledger("claim_undecided", after=True),
    "model asked": Step("inference.client", "VllmPredictor", "predict"),
    "decision made, not stored": _ledger("decide_all"),
    "decision stored": _ledger("decide_all", after=True),
    "claimed to be said": Step("db.outbox", "PostgresOutbox", "claim_due", after=True),
    "about to say in Slack": Step("bot.platforms.slack.outbound", "Sender", "_post"),
    "said in Slack, no receipt": Step("bot.platforms.slack.outbound", "Sender", "_post", after=True),
    "about to say in Telegram": Step("bot.platforms.telegram.outbound", "Sender", "_post"),
    "said in Telegram, no receipt": Step("bot.platforms.telegram.outbound", "Sender", "_post", after=True),
    "receipt stored": Step("db.outbox", "PostgresOutbox", "said_all", after=True),
    "button claimed": _ledger("claim_presses", after=True),
    "button not concluded": _ledger("conclude_press"),
    "correction claimed": _ledger("claim_reactions", after=True),
    "correction not concluded": _ledger("conclude_reactions"),
    "correction concluded": _ledger("conclude_reactions", after=True),
    "follow-up not concluded": _ledger("conclude_follow_up"),
    "follow-up concluded": _ledger("conclude_follow_up", after=True),
    "note not concluded": _ledger("conclude_note"),
    "note concluded": _ledger("conclude_note", after=True),
}


class Victim:
    """Counts the passes through a step, and kills the process at the last one."""

    def __init__(self, name: str, passes: int, note: Path) -> None:
        self._name, self._passes, self._note = name, passes, note
        self._numbers = count(1)

    def armed(self, method: Callable[P, Awaitable[R]], after: bool) -> Callable[P, Awaitable[R]]:
        """The method, wrapped so that the process dies in it when its time has come."""

        @functools.wraps(method)
        async def doomed(*args: P.args, **kwargs: P.kwargs) -> R:
            if not after:
                self._passed()
            found = await method(*args, **kwargs)
            if after and found not in ([], ()):  # a look that finds nothing is no step
                self._passed()
            return found

        return doomed

    def _passed(self) -> None:
        if next(self._numbers) == self._passes:
            self._note.write_text(self._name, "utf-8")
            os.kill(os.getpid(), signal.SIGKILL)


def arm(environment: Mapping[str, str]) -> None:
    """Wrap the step that the environment names; does nothing if it names none."""
    name = environment.get(KILL, "")
    if not name:
        return
    step = STEPS[name]
    owner = getattr(importlib.import_module(step.module), step.owner)
    victim = Victim(name, int(environment.get(PASSES, "1")), Path(environment[NOTE]))
    setattr(owner, step.method, victim.armed(getattr(owner, step.method), step.after))


def main() -> None:
    """Run `switchboard` with the same arguments."""
    if file := os.environ.get(CLOCK):
        SteppedClock(Path(file)).install()
    arm(os.environ)
    from bot.cli import main as switchboard

    switchboard()


if __name__ == "__main__":
    main()
