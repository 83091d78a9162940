"""Questions by command are asked of the right record, with the right name."""

from datetime import datetime
from pathlib import Path
from typing import cast

from bot.domain.learning import Adapter
from bot.domain.messages import Person
from bot.domain.model_ports import Registry
from bot.domain.queries import Erased, Erasure, Queries, Week
from bot.flow.chat_commands import ChatCommandHandler
from tests.fakes_ledger import FakeLedger
from tests.samples import CUSTOMER, LEAD, NOW, TASK, message


def adapter(name: str) -> Adapter:
    return Adapter(name, "routing", Path("var"), "starter", {}, 1.0, NOW)


class Records:
    """Insight, registry and erasure in one; records what it is asked."""

    def __init__(self, *serving: str) -> None:
        self.serving, self.asked = list(serving), list[tuple[object, ...]]()

    async def champion(self, task: str, base: str) -> Adapter | None:
        return adapter(self.serving[-1]) if self.serving else None

    async def adapters(self, task: str) -> list[Adapter]:
        return [adapter("routing-1"), adapter("routing-2")]

    async def request_cycle(self, task: str, by: str, key: str, now: datetime) -> bool:
        self.asked.append((task, by))
        return len(self.asked) == 1

    async def promote(self, task: str, name: str, by: str, reason: str, now: datetime, *, base: str) -> None:
        self.asked.append((task, name, by))

    async def rollback(self, task: str, by: str, now: datetime, *, base: str) -> Adapter:
        self.asked.append((task, by))
        return adapter("routing-1")

    async def week(self, now: datetime) -> Week:
        return Week(decided=10, corrected=1, asked=2)

    async def backlog(self, now: datetime) -> dict[str, float]:
        return {"unsaid": 1.0}

    async def requests_of(self, person: Person, limit: int) -> list[object]:
        return [(person.id, limit)]

    async def doubtful(self, limit: int) -> list[object]:
        return [limit]

    async def account(self, ref: object) -> None:
        self.asked.append((ref,))

    async def erase(self, person: Person, now: datetime) -> Erased:
        return Erased(1, 2, ("routing-1",))


def chat_commands(records: Records, ledger: FakeLedger) -> ChatCommandHandler:
    parts = (cast(Queries, records), cast(Registry, records), ledger, cast(Erasure, records))
    return ChatCommandHandler(TASK, "starter", *parts, lambda: NOW)


async def test_what_serves_is_named_and_the_base_where_nothing_does() -> None:
    assert await chat_commands(Records(), FakeLedger()).serving() == "starter"
    served = chat_commands(Records("routing-2"), FakeLedger())
    assert await served.serving() == "routing-2"
    assert [(a.name, serves) for a, serves in await served.models()] == [("routing-1", False), ("routing-2", True)]


async def test_leads_learn_promote_and_roll_back_in_their_own_name() -> None:
    records = Records("routing-2")
    front = chat_commands(records, FakeLedger())
    assert await front.learn(LEAD)
    assert not await front.learn(LEAD)
    await front.promote("routing-1", LEAD)
    assert await front.rollback(LEAD) == "routing-1"
    assert records.asked[0] == ("routing", "web:lead")
    assert records.asked[2:] == [("routing", "routing-1", "web:lead"), ("routing", "web:lead")]


async def test_people_begin_anew_choose_a_language_and_are_forgotten() -> None:
    ledger = FakeLedger()
    front = chat_commands(Records(), ledger)
    assert await front.language(CUSTOMER) is None
    await front.speak(CUSTOMER, "es")
    ledger.stored.append(message("Where is my parcel?"))
    await front.new_request(CUSTOMER, "customer")
    assert await front.language(CUSTOMER) == "es"
    assert ledger.stored[1:] == [("left", "customer", "customer")]
    assert await front.forget(CUSTOMER) == Erased(1, 2, ("routing-1",))


async def test_lists_and_figures_come_from_the_records() -> None:
    front = chat_commands(Records(), FakeLedger())
    assert len(await front.requests_of(CUSTOMER)) == len(await front.doubtful()) == 1
    assert (await front.week()).decided == 10
    assert await front.backlog() == {"unsaid": 1.0}
