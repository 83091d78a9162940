"""Several vLLM servers of one base as one model: which is asked, which is left out, and equal adapters on all of them.

A replica is asked only while it answers and has every wanted adapter. A question that a replica does not answer goes to
another; a replica that comes back is given the adapters it lacks before it is asked again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bot.domain import model_ports
from bot.domain.errors import Refused, Unreachable
from bot.domain.learning import Adapter
from bot.domain.model_calls import CallKind
from inference.adapters import VllmAdapters

log = logging.getLogger(__name__)

_LOOK_EVERY = 1.0
"""Seconds between looks at which servers answer."""


@dataclass(slots=True)
class _Replica:
    """One of the servers."""

    server: VllmAdapters
    ready: bool = True
    """Whether it answered last and has every wanted adapter; assumed until shown otherwise."""
    at_work: int = 0
    """Questions it is answering now."""
    asked: int = 0
    """Questions it was ever given."""


@dataclass(frozen=True, slots=True)
class Replicas:
    """The servers, at least one."""

    servers: Sequence[VllmAdapters]
    _all: list[_Replica] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_all", [_Replica(one) for one in self.servers])

    @property
    def who(self) -> str:
        """All servers, for people to read."""
        return ", ".join(one.who for one in self.servers)

    def served(self, name: str) -> str:
        """Every server's name for the adapter of that name."""
        return self.servers[0].served(name)

    async def complete(self, adapter: Adapter | None, body: Mapping[str, object], kind: CallKind) -> httpx.Response:
        """The answer of the least busy replica, or of another if that one fails. Raises Unreachable, Refused.

        If none is ready, each is tried all the same: it may be back since the last look.
        """
        problem: Unreachable | Refused = Unreachable("no model server")
        for one in self._in_turn():
            one.at_work, one.asked = one.at_work + 1, one.asked + 1
            try:
                return await one.server.complete(adapter, body, kind)
            except Unreachable as error:
                self._lost(one, error)
                problem = error
            except Refused as error:  # it may lack what another has
                problem = error
            finally:
                one.at_work -= 1
        raise problem

    async def load(self, adapter: Adapter) -> None:
        """Load the adapter on every server that answers, and on each other one before it is asked again.

        Raises Refused if a server cannot use it, and Unreachable if no server answers.
        """
        await self._all_of_them(lambda server: server.load(adapter), lambda server: server.want(adapter))

    async def unload(self, name: str) -> None:
        """See `model_ports.AdapterHost`."""
        await self._all_of_them(lambda server: server.unload(name), lambda server: server.unwant(name))

    async def examine(self, adapter: Adapter) -> None:
        """See `VllmAdapters.examine`."""
        await self.servers[0].examine(adapter)

    async def digest(self, folder: Path) -> str:
        """See `model_ports.AdapterHost`."""
        return await self.servers[0].digest(folder)

    async def loaded(self) -> frozenset[str]:
        """Names of the adapters that every answering server has loaded. Raises Unreachable if none answers."""
        found = await asyncio.gather(*(one.loaded() for one in self.servers), return_exceptions=True)
        there = [one for one in found if isinstance(one, frozenset)]
        if not there:
            raise _first(found)
        return frozenset.intersection(*there)

    async def restore(self) -> None:
        """Load again on every server the adapters it should have."""
        await self._all_of_them(lambda server: server.restore(), lambda server: None)

    async def answering(self) -> Mapping[str, bool]:
        """Address -> whether the server answers now."""
        found = await asyncio.gather(*(one.alive() for one in self.servers))
        return {one.address: alive for one, alive in zip(self.servers, found, strict=True)}

    async def watch(self) -> None:
        """Look which servers answer, again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_EVERY)

    async def look(self) -> None:
        """Stop asking servers that do not answer; give returning ones their adapters, and ask them from then on."""
        await asyncio.gather(*(self._look(one) for one in self._all))

    async def _look(self, one: _Replica) -> None:
        if not await one.server.alive():
            self._lost(one, Unreachable(f"{one.server.who}: does not answer"))
        elif not one.ready:
            try:
                await one.server.restore()
            except Unreachable as error:
                log.info("model server not back yet", extra={"server": one.server.address, "problem": str(error)})
                return
            one.ready = True
            log.warning("model server back, with its adapters", extra={"server": one.server.address})

    def _in_turn(self) -> list[_Replica]:
        """Ready replicas first, the least busy of them before the others."""
        return sorted(self._all, key=lambda one: (not one.ready, one.at_work, one.asked))

    def _lost(self, one: _Replica, error: Unreachable) -> None:
        if one.ready:
            log.warning(
                "model server not asked until it is back", extra={"server": one.server.address, "problem": str(error)}
            )
        one.ready = False

    async def _all_of_them(
        self, act: Callable[[VllmAdapters], Awaitable[None]], later: Callable[[VllmAdapters], object]
    ) -> None:
        """Act on every server; for an unreachable one note with `later` what it should get, and do not ask it until
        then."""
        found = await asyncio.gather(*(act(one.server) for one in self._all), return_exceptions=True)
        for one, outcome in zip(self._all, found, strict=True):
            if isinstance(outcome, Unreachable):
                later(one.server)
                self._lost(one, outcome)
            elif isinstance(outcome, BaseException):
                raise outcome
        if all(isinstance(outcome, Unreachable) for outcome in found):
            raise _first(found)


def _first(found: Sequence[object]) -> BaseException:
    """The error to raise: the first that is a fault of ours, else the first of all."""
    failed = [one for one in found if isinstance(one, BaseException)]
    return next((one for one in failed if not isinstance(one, Unreachable | Refused)), failed[0])


_: type[model_ports.AdapterHost] = Replicas
