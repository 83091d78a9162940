"""An event loop whose clock jumps to the next timer: hours pass at once, and always in the same order."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Leaps(selectors.DefaultSelector):
    """Waits for nothing, and moves the clock forward by the time that the loop would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing is left to happen: the test waits for ever"
        self.now += max(0.0, timeout)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._leaps = _Leaps()
        super().__init__(self._leaps)

    def time(self) -> float:
        return self._leaps.now


def run_leaping(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end. Only timers may be waited for, no sockets and no threads."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(main)
