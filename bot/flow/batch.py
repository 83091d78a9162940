"""Many callers, one call: items that are handled one by one still share a round trip or a transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.domain.tracing import Span, shared, span

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Asked, Answer]):
    """One question, and the future that its caller waits for."""

    asked: Asked
    answer: asyncio.Future[Answer]
    span: Span


class Batch(Generic[Asked, Answer]):
    """Asks in one call what is asked within one turn of the event loop, or while all `calls` are underway.

    When the shared call fails, each question is asked alone, so that one bad question does not fail the others.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]],
        most: int,
        calls: int,
        name: str = "batch",
    ) -> None:
        """`most`: questions a call; `calls`: calls at a time; `name`: what the batch does, for traces."""
        self._ask = ask
        self._name = name
        self._most = most
        self._most_calls = calls
        self._waiting: list[_Waiting[Asked, Answer]] = []
        self._calls: set[asyncio.Task[None]] = set()
        self._gathering = False

    async def one(self, asked: Asked) -> Answer:
        """Return the answer to this question. Raises whatever asking it raises."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        with span(self._name) as waiting:
            self._waiting.append(_Waiting(asked, answer, waiting))
            if not self._gathering:
                self._begin()
            return await answer

    def _begin(self) -> None:
        """Start another call, unless `calls` are underway: then the next of them to end takes what waits."""
        if len(self._calls) < self._most_calls:
            self._gathering = True
            call = asyncio.create_task(self._call(), name="batch")
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _call(self) -> None:
        await asyncio.sleep(0)  # items that were claimed together ask in the same turn
        self._gathering = False
        while self._waiting:
            part, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            if self._waiting:
                self._begin()
            await self._answer(part)

    async def _answer(self, part: Sequence[_Waiting[Asked, Answer]]) -> None:
        try:
            with shared(
                f"{self._name} together", [one.span for one in part], attributes={"switchboard.asked": len(part)}
            ):
                answers = await self._ask([one.asked for one in part])
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            if len(part) > 1:
                await asyncio.gather(*(self._answer([one]) for one in part))
            else:
                _settle(part[0].answer, error)
            return
        for one, answer in zip(part, answers, strict=True):
            if not one.answer.done():
                one.answer.set_result(answer)


def _settle(waiting: asyncio.Future[Answer], error: Exception) -> None:
    if not waiting.done():
        waiting.set_exception(error)
