"""Webhooks over real HTTP and a real database: who is told what, once, in order, and the cost of a dead receiver."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.domain.failures import MOST_ATTEMPTS
from bot.domain.messages import Person
from bot.domain.webhooks import EventKind, Webhook
from bot.flow.webhooks import WebhookSender
from bot.flow.worker_pool import WorkerPool
from bot.http.webhook_line import HttpWebhookLine, open_webhook_line
from bot.lifecycle import Wakeup
from db.engine import Database, open_database
from db.failed_items import PostgresFailedItems
from db.tables import FailedItemRow, WebhookRow
from db.webhooks import PostgresWebhookEvents
from tests.samples import AGENT, CUSTOMER
from tests.servers.webhook_receiver import Receiver, receiving
from tests.waiting import until
from tests.worlds.story import Story

SECRET = "a-secret-of-more-than-20-characters"
EVERYTHING = frozenset(EventKind)
_PAGE = Path(__file__).parents[3] / "docs" / "api.md"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as there:
        yield there


@pytest.fixture
async def line() -> AsyncIterator[HttpWebhookLine]:
    async with open_webhook_line() as opened:
        yield opened


@pytest.fixture
def events(database: Database) -> PostgresWebhookEvents:
    return PostgresWebhookEvents(database)


def webhook(receiver: Receiver, texts: bool = False, name: str = "helpdesk") -> Webhook:
    return Webhook(name, f"{receiver.url}/", EVERYTHING, SECRET, texts)


async def working(sender: WebhookSender, story: Story, done: Callable[[], bool]) -> None:
    """The step as it runs in the bot, on a clock that tests move, until a condition is met."""
    pool = WorkerPool(sender, story.failures, story.now, Wakeup())
    running = asyncio.create_task(pool.run(at_most=0.01, grace=1.0))
    try:
        await until(lambda: running.done() or done())
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.wait({running})


async def until_failed(database: Database, items: int) -> None:
    """Return when so many items have failed. Raises TimeoutError."""
    async with asyncio.timeout(10):
        while True:
            async with database.transaction() as session:
                if await session.scalar(select(func.count()).select_from(FailedItemRow)) == items:
                    return
            await asyncio.sleep(0.01)


def verify() -> Callable[[str, bytes, str], bool]:
    """The function that the handbook shows."""
    [snippet] = re.findall(r"^```python\n(.*?)^```", _PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Callable[[str, bytes, str], bool]] = {}
    exec(snippet, names)  # noqa: S102  it is our own page
    return names["is_from_switchboard"]


async def test_a_request_is_told_from_its_decision_to_its_end(
    story: Story, receiver: Receiver, line: HttpWebhookLine, events: PostgresWebhookEvents
) -> None:
    hook = webhook(receiver)
    await events.declare([hook])
    source = await story.writes("I was charged twice", "m1")
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    await story.reacts("👀", by=AGENT)
    await story.settles()
    await story.reacts("✅", by=AGENT)
    await story.settles()
    sender = WebhookSender(hook, events, line, story.now)
    await working(sender, story, lambda: "closed" in receiver.told())

    told = receiver.events()
    assert receiver.told() == ["decided", "corrected", "decided", "taken", "closed"]
    assert {event["conversation"] for event in told} == {1}
    assert told[0]["source"] == {"platform": source.platform, "chat": source.chat, "message": source.id}
    assert (told[0]["label"], told[0]["by"], told[0]["task"]) == ("billing", "model", "routing")
    assert (told[2]["label"], told[2]["by"]) == ("it", "lead")
    assert (told[1]["before"], told[1]["label"], told[1]["withdrawn"]) == ("billing", "it", False)
    assert told[3]["by"] == AGENT.key
    assert len({event["id"] for event in told}) == 5
    assert b"charged" not in b"".join(body for _, body in receiver.taken)


async def test_what_serves_is_told(
    story: Story, receiver: Receiver, line: HttpWebhookLine, events: PostgresWebhookEvents, database: Database
) -> None:
    hook = webhook(receiver)
    await events.declare([hook])
    async with database.transaction() as session:
        await (await session.connection()).exec_driver_sql(_PROMOTED)
    await WebhookSender(hook, events, line, story.now).step()
    [told] = receiver.events()
    assert (told["event"], told["task"], told["adapter"], told["by"]) == ("promoted", "routing", "routing-1", "lead")


_PROMOTED = (
    "INSERT INTO promotions (task, adapter, by, reason, at) VALUES ('routing', 'routing-1', 'lead', 'better', now())"
)


async def test_the_handbooks_own_lines_verify_a_signature_and_nothing_else(
    story: Story, receiver: Receiver, line: HttpWebhookLine, events: PostgresWebhookEvents
) -> None:
    hook, is_from_switchboard = webhook(receiver), verify()
    await events.declare([hook])
    await story.writes("I was charged twice", "m1")
    await story.settles()
    await WebhookSender(hook, events, line, _present).step()
    [(signed, body)] = receiver.taken
    assert is_from_switchboard(signed, body, SECRET)
    assert not is_from_switchboard(signed, body + b" ", SECRET)
    assert not is_from_switchboard(signed, body, SECRET + "x")
    assert not is_from_switchboard(re.sub(r"t=\d+", "t=1", signed), body, SECRET)
    assert not is_from_switchboard("", body, SECRET)


def _present() -> datetime:
    return datetime.now(UTC)


async def test_words_are_told_only_where_the_settings_say_so_and_go_with_who_is_forgotten(
    story: Story, receiver: Receiver, line: HttpWebhookLine, events: PostgresWebhookEvents
) -> None:
    hook = webhook(receiver, texts=True)
    await events.declare([hook])
    other = Person("web", "other", "Other")
    await story.writes("I was charged twice", "m1")
    await story.writes("where is my parcel", "m2", author=other)
    await story.settles()
    await story.erasure.erase(CUSTOMER, story.now())
    await working(WebhookSender(hook, events, line, story.now), story, lambda: len(receiver.taken) == 3)
    texts = {(event["conversation"], event["event"]): event.get("text") for event in receiver.events()}
    assert texts == {(1, "decided"): "", (1, "closed"): None, (2, "decided"): "where is my parcel"}
    assert b"charged" not in b"".join(body for _, body in receiver.taken)


async def test_two_processes_tell_everything_once_and_in_order(
    story: Story, receiver: Receiver, line: HttpWebhookLine, events: PostgresWebhookEvents, database_url: str
) -> None:
    hook = webhook(receiver)
    await events.declare([hook])
    for number in range(20):
        await story.writes("I was charged twice", f"m{number}", author=Person("web", f"p{number}", "P"))
    await story.settles()
    for number in range(20):
        await story.reacts("💻", card=number)
    await story.settles()
    async with open_database(database_url) as other, open_webhook_line() as theirs:
        of_each = (events, line, story.failures), (PostgresWebhookEvents(other), theirs, PostgresFailedItems(other))
        running = [
            asyncio.create_task(
                WorkerPool(WebhookSender(hook, own, way, story.now), failed, story.now, Wakeup()).run(0.01, 1.0)
            )
            for own, way, failed in of_each
        ]
        await until(lambda: len(receiver.taken) >= 60)
        for one in running:
            one.cancel()
        await asyncio.wait(running)
    assert (await events.states())["helpdesk"].waiting == 0
    told = receiver.events()
    assert len(told) == len({event["id"] for event in told}) == 60
    for number in range(1, 21):
        mine = [(event["event"], event["label"]) for event in told if event["conversation"] == number]
        assert mine == [("decided", "billing"), ("corrected", "it"), ("decided", "it")]


@pytest.mark.parametrize("status", [500, 302, 404, 429])
async def test_a_receiver_that_takes_nothing_is_tried_again_and_loses_nothing(
    status: int, story: Story, receiver: Receiver, line: HttpWebhookLine, events: PostgresWebhookEvents
) -> None:
    hook = webhook(receiver)
    await events.declare([hook])
    await story.writes("I was charged twice", "m1")
    await story.settles()
    receiver.status = status
    sender = WebhookSender(hook, events, line, story.now)
    for attempt in range(1, MOST_ATTEMPTS + 3):
        await working(sender, story, lambda attempt=attempt: receiver.asked == attempt)  # type: ignore[misc]
        story.later(minutes=11)
    assert await story.failures.set_aside() == []
    receiver.status = 204
    await working(sender, story, lambda: receiver.told() == ["decided"])


async def test_a_slow_or_silent_receiver_holds_up_no_other(
    story: Story, receiver: Receiver, line: HttpWebhookLine, events: PostgresWebhookEvents, database: Database
) -> None:
    gone = replace(webhook(receiver, name="gone"), url="http://127.0.0.1:9/")
    async with receiving() as slow, open_webhook_line(patience=0.2) as hasty:
        slow.answers.clear()
        hooks = [webhook(receiver), webhook(slow, name="slow"), gone]
        await events.declare(hooks)
        await story.writes("I was charged twice", "m1")
        await story.settles()
        senders = [
            WebhookSender(hook, events, one, story.now) for hook, one in zip(hooks, (line, hasty, line), strict=True)
        ]
        pools = [WorkerPool(sender, story.failures, story.now, Wakeup()) for sender in senders]
        running = [asyncio.create_task(pool.run(at_most=0.01, grace=1.0)) for pool in pools]
        await until(lambda: receiver.told() == ["decided"] and slow.asked == 1)
        await until_failed(database, 2)
        slow.answers.set()
        story.later(minutes=11)
        await until(lambda: bool(slow.taken))
        for one in running:
            one.cancel()
        await asyncio.wait(running)
    sent, told = ({str(one["id"]) for one in of.events()} for of in (slow, receiver))
    assert sent == told and len(told) == 1, "the same event has the same id for everybody, however often it comes"
    states = await events.states()
    assert (states["gone"].waiting, states["gone"].set_aside) == (1, 0)


async def test_an_event_that_the_receiver_will_never_take_is_set_aside_and_may_be_sent_again(
    story: Story, receiver: Receiver, line: HttpWebhookLine, events: PostgresWebhookEvents
) -> None:
    hook = webhook(receiver)
    await events.declare([hook])
    await story.writes("I was charged twice", "m1")
    await story.settles()
    receiver.status = 422
    sender = WebhookSender(hook, events, line, story.now)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        await working(sender, story, lambda attempt=attempt: receiver.asked == attempt)  # type: ignore[misc]
        story.later(minutes=1)
    [aside] = await story.failures.set_aside()
    assert (aside.step, aside.attempts) == ("webhook", MOST_ATTEMPTS)
    assert aside.reason == "Refused: webhook helpdesk: the receiver refused it with 422"
    receiver.status = 200
    assert await story.failures.retry(aside.id, story.now())
    await working(sender, story, lambda: receiver.told() == ["decided"])


async def test_of_too_many_the_oldest_are_set_aside_and_counted(
    story: Story, receiver: Receiver, line: HttpWebhookLine, database: Database
) -> None:
    hook, events = webhook(receiver), PostgresWebhookEvents(database, most=3)
    await events.declare([hook])
    for number in range(5):
        await story.writes("I was charged twice", f"m{number}", author=Person("web", f"p{number}", "P"))
    await story.settles()
    sender = WebhookSender(hook, events, line, story.now)
    await working(sender, story, lambda: len(receiver.taken) == 3)
    assert sorted(int(str(event["conversation"])) for event in receiver.events()) == [3, 4, 5]
    aside = await story.failures.set_aside()
    assert [(one.step, one.conversation) for one in aside] == [("webhook", 1), ("webhook", 2)]
    assert await story.failures.counts() == {"webhook": 2}
    assert (await events.states())["helpdesk"].set_aside == 2


async def test_what_was_told_is_told_again_under_its_old_id(
    story: Story, receiver: Receiver, line: HttpWebhookLine, events: PostgresWebhookEvents
) -> None:
    hook = webhook(receiver)
    await events.declare([hook])
    await story.writes("I was charged twice", "m1")
    await story.settles()
    sender = WebhookSender(hook, events, line, story.now)
    await sender.step()
    assert await events.replay("helpdesk", story.now() + timedelta(days=1), story.now() + timedelta(days=2)) == 0
    assert await events.replay("helpdesk", story.now() - timedelta(days=1), story.now()) == 1
    await sender.step()
    first, second = receiver.taken
    assert first[1] == second[1]


async def test_without_webhooks_nothing_is_written(
    story: Story, receiver: Receiver, events: PostgresWebhookEvents
) -> None:
    await events.declare([webhook(receiver)])
    await events.declare([])
    await story.writes("I was charged twice", "m1")
    await story.settles()
    assert await events.states() == {}


async def test_of_a_webhook_that_the_settings_lost_nothing_is_left(
    story: Story, receiver: Receiver, line: HttpWebhookLine, database: Database
) -> None:
    kept, lost = webhook(receiver), webhook(receiver, name="lost")
    events = PostgresWebhookEvents(database, most=1)
    await events.declare([kept, lost])
    for number in range(2):
        await story.writes("I was charged twice", f"m{number}", author=Person("web", f"p{number}", "P"))
    await story.settles()
    assert await events.tidy("lost", story.now()) == 1
    assert await story.failures.counts() == {"webhook": 1}
    await events.declare([kept])
    assert list(await events.states()) == ["helpdesk"]
    assert await story.failures.set_aside() == []
    async with database.transaction() as session:
        assert (await session.scalars(select(WebhookRow.name))).all() == ["helpdesk"]
    await events.declare([kept, lost])
    await story.writes("I was charged twice", "m9", author=Person("web", "p9", "P"))
    await story.settles()
    states = await events.states()
    assert (states["helpdesk"].waiting, states["lost"].waiting) == (3, 1), "put back, it hears of what comes"
