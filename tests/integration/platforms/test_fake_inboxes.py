"""What platforms rely on, tested with the real inbox over a database and with its fakes in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.domain.errors import Unreachable
from bot.domain.messages import Message, MessageRef, Person, Place
from bot.domain.ports import Inbox
from bot.flow.receive import Receiver
from db.engine import Database, open_database
from db.failed_items import PostgresFailedItems
from db.ledger import PostgresLedger
from db.tables import MessageRow
from tests.fakes_web import FakeInbox
from tests.integration.db.scenes import JOINING, after
from tests.integration.platforms.slack import parts as slack
from tests.integration.platforms.telegram import parts as telegram

NOBODY_THERE = "postgresql://nobody@127.0.0.1:1/nothing"


@dataclass
class Kept:
    """An inbox, the same one while its database is down, and (text, name) of every message in it."""

    inbox: Inbox
    down: Inbox
    messages: Callable[[], Awaitable[list[tuple[str, str]]]]
    names_people_later: bool = True


def _receiver(database: Database) -> Inbox:
    def ripe_in(_: timedelta) -> None: ...

    return Receiver(PostgresLedger(database, "tiny"), JOINING, ripe_in, PostgresFailedItems(database), lambda: after(9))


def _in_memory(kind: str) -> Kept:
    if kind == "web":
        web = FakeInbox()

        async def shown() -> list[tuple[str, str]]:
            return [(one.text, one.author.name) for one in web.messages]

        return Kept(web, FakeInbox(down=True), shown, names_people_later=False)
    recorder = slack.Recorder if kind == "slack" else telegram.Recorder
    there = recorder()

    async def told() -> list[tuple[str, str]]:
        return [(one.text, one.author.name) for one in there.messages.values()]

    return Kept(there, recorder(down=True), told, names_people_later=kind == "slack")


@pytest.fixture(params=["real", "slack", "telegram", "web"])
async def kept(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Kept]:
    if request.param != "real":
        yield _in_memory(request.param)
        return

    async def stored() -> list[tuple[str, str]]:
        async with database.transaction() as session:
            rows = await session.execute(select(MessageRow.text, MessageRow.author_name).order_by(MessageRow.id))
        return [(text, name) for text, name in rows]

    async with open_database(NOBODY_THERE) as nowhere:
        yield Kept(_receiver(database), _receiver(nowhere), stored)


def said(ref: str, text: str, name: str = "Ann") -> Message:
    return Message(
        MessageRef("slack", "C1", ref), Place("slack", "C1", ref), Person("slack", "U1", name), text, after(0)
    )


async def test_what_comes_twice_is_one_message_and_the_first_stands(kept: Kept) -> None:
    for message in (said("1", "charged twice"), said("2", "my parcel"), said("1", "charged thrice")):
        await kept.inbox.message(message)
    assert await kept.messages() == [("charged twice", "Ann"), ("my parcel", "Ann")]


async def test_what_cannot_be_stored_is_never_taken_for_stored(kept: Kept) -> None:
    with pytest.raises(Unreachable):
        await kept.down.message(said("1", "charged twice"))


async def test_whoever_is_known_only_later_is_named_then(kept: Kept) -> None:
    await kept.inbox.message(said("1", "charged twice", name=""))
    person = Person("slack", "U1", "Ann")
    if not kept.names_people_later:
        with pytest.raises(AssertionError):
            await kept.inbox.person(person)
        return
    await kept.inbox.person(replace(person, id="U2", name="Ben"))
    assert await kept.messages() == [("charged twice", "")]
    await kept.inbox.person(person)
    await kept.inbox.person(replace(person, name="Somebody"))
    assert await kept.messages() == [("charged twice", "Ann")], "a name that is known stays"
