"""What people ask by command, answered from the records. The platform has already authorised whoever asks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.learning import Adapter
from bot.domain.ledger import Ledger
from bot.domain.messages import MessageRef, Person
from bot.domain.model_ports import Registry
from bot.domain.queries import Account, ChatCommands, Erased, Erasure, Queries, Request, Week
from bot.domain.tasks import Task

_AT_MOST = 50
"""The most requests in a list."""


@dataclass(frozen=True, slots=True)
class ChatCommandHandler:
    """Answers the commands of every platform."""

    task: Task
    base: str
    queries: Queries
    registry: Registry
    ledger: Ledger
    erasure: Erasure
    now: Callable[[], datetime]

    async def requests_of(self, person: Person) -> list[Request]:
        return await self.queries.requests_of(person, _AT_MOST)

    async def doubtful(self) -> list[Request]:
        return await self.queries.doubtful(_AT_MOST)

    async def account(self, ref: MessageRef) -> Account | None:
        return await self.queries.account(ref)

    async def week(self) -> Week:
        return await self.queries.week(self.now())

    async def serving(self) -> str:
        champion = await self.registry.champion(self.task.name, self.base)
        return champion.name if champion else self.base

    async def models(self) -> list[tuple[Adapter, bool]]:
        serving = await self.serving()
        return [(adapter, adapter.name == serving) for adapter in await self.registry.adapters(self.task.name)]

    async def backlog(self) -> Mapping[str, float]:
        return await self.queries.backlog(self.now())

    async def learn(self, lead: Person) -> bool:
        now = self.now()
        return await self.registry.request_cycle(self.task.name, lead.key, f"{lead.key} {now.isoformat()}", now)

    async def promote(self, name: str, lead: Person) -> None:
        await self.registry.promote(self.task.name, name, lead.key, "by hand", self.now(), base=self.base)

    async def rollback(self, lead: Person) -> str:
        adapter = await self.registry.rollback(self.task.name, lead.key, self.now(), base=self.base)
        return adapter.name

    async def new_request(self, person: Person, chat: str) -> None:
        await self.ledger.leave(person, chat, self.now())

    async def language(self, person: Person) -> str | None:
        return await self.ledger.preferred(person)

    async def speak(self, person: Person, language: str) -> None:
        await self.ledger.prefer(person, language)

    async def forget(self, person: Person) -> Erased:
        return await self.erasure.erase(person, self.now())


_: type[ChatCommands] = ChatCommandHandler
