"""What fails permanently is set aside, listed, retried or dropped; everything else continues."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from bot.commands.failed_report import drop_failed, list_failed, retry_failed
from bot.domain.errors import UsageError
from bot.domain.failures import MOST_ATTEMPTS, Failure, ItemKey
from bot.domain.learning import Example, Side, Source
from bot.domain.messages import MessageRef
from bot.domain.posts import Answer, Card, Moved
from bot.flow.correct import Corrector
from bot.flow.deliver import Deliverer
from bot.flow.step import Step
from bot.flow.worker_pool import WorkerPool
from bot.lifecycle import Wakeup
from db.outbox import PostgresOutbox
from db.tables import LabelChangeRow
from tests.samples import AGENT, CUSTOMER, TASK, VOCABULARY, label
from tests.worlds.story import Story

CARLA = replace(CUSTOMER, id="carla", name="Carla")
RETIRED = replace(TASK, labels=(*TASK.labels, label("returns", "🔁")))


async def listed(story: Story) -> list[dict[str, Any]]:
    """The output of `switchboard failed list --json`."""
    out = io.StringIO()
    await list_failed(story.failures, True, out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@asynccontextmanager
async def working(story: Story, step: Step[Any]) -> AsyncIterator[None]:
    """The step's workers run while the context lasts."""
    pool = WorkerPool(step, story.failures, story.now, Wakeup())
    running = asyncio.create_task(pool.run(at_most=0.01))
    yield
    running.cancel()
    await asyncio.wait({running})


async def until(story: Story, true: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it is true; the clock moves, so that no back-off delays the test."""
    async with asyncio.timeout(20):
        while True:
            if await true():
                return
            story.later(seconds=1)
            await asyncio.sleep(0.01)


async def aside(story: Story) -> bool:
    return bool(await story.failures.set_aside())


# --- failures of each step ---


async def test_a_lead_takes_the_emoji_away_and_the_first_team_has_left_the_settings(story: Story) -> None:
    story.task = RETIRED
    story.__post_init__()
    story.predictor.rules = {None: lambda _: "returns"}
    await story.writes("this goes back", "1")
    await story.settles()
    await story.reacts("📦")
    await story.settles()
    story.task = TASK
    story.__post_init__()
    await story.reacts("📦", added=False, card=0)
    await story.settles()
    assert (story.reads().label, await listed(story)) == ("triage", [])
    assert [said.label for said in story.heard() if isinstance(said, Moved)] == ["delivery", "triage"]


class Broken(Corrector):
    """Cannot correct one conversation."""

    __slots__ = ()

    async def handle(self, item: Any) -> None:
        if item.conversation.person.id == CARLA.id:
            raise KeyError("returns")
        await super().handle(item)


def broken(story: Story) -> Broken:
    return Broken(TASK, VOCABULARY, story.ledger, {"web": story.platform}, story.now)


async def test_a_correction_that_fails_for_ever_is_set_aside_and_others_go_on(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    await story.writes("I was charged twice", "1", CARLA)
    await story.writes("I was charged twice, too", "2")
    await story.settles()
    for card in (0, 1):
        await story.reacts("💻", card=card)
    async with working(story, broken(story)):
        await until(story, lambda: aside(story))
    await story.settles()
    assert {card.post.place.chat for card in story.cards()} == {"billing", "it"}
    [failed] = await listed(story)
    assert (failed["step"], failed["reason"], failed["attempts"]) == ("correct", "KeyError", MOST_ATTEMPTS)
    assert failed["conversation"] == 1
    assert await story.failures.counts() == {"correct": 1}
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "item set aside after too many failures"
    ]
    # After the fault is fixed, work continues where it stopped
    await retry_failed(story.failures, [failed["id"]], story.now())
    await story.settles()
    assert await listed(story) == []
    assert [story.reads(n).label for n in range(len(story.cards()))].count("it") == 2


async def test_what_was_dropped_is_never_looked_at_again_but_news_are(story: Story) -> None:
    await story.writes("I was charged twice", "1", CARLA)
    await story.settles()
    await story.reacts("💻")
    async with working(story, broken(story)):
        await until(story, lambda: aside(story))
    [failed] = await listed(story)
    await drop_failed(story.failures, [failed["id"]], story.now())
    await story.settles()
    assert (await listed(story), len(story.cards())) == ([], 1)
    await story.reacts("📦")
    await story.settles()
    assert story.cards()[-1].post.place.chat == "delivery"


async def test_the_list_for_people_and_ids_that_are_not_in_it(story: Story) -> None:
    await list_failed(story.failures, False, io.StringIO())
    with pytest.raises(UsageError, match="not set aside: 9; see `switchboard failed list`"):
        await retry_failed(story.failures, [9], story.now())
    with pytest.raises(UsageError, match="not set aside: 9"):
        await drop_failed(story.failures, [9], story.now())


# --- posts ---


async def _becomes(story: Story, kind: str, content: str = "{}") -> None:
    """Give the stored answer a kind and a content that another version would write."""
    async with story.database.transaction() as session:
        wanted = "UPDATE posts SET kind = :kind, content = CAST(:content AS jsonb) WHERE kind = 'Answer'"
        await session.execute(text(wanted), {"kind": kind, "content": content})


async def test_a_post_of_an_unknown_kind_holds_up_nothing_and_waits_for_a_version_that_knows_it(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    await story.writes("I was charged twice", "1")
    story.later(5)
    await story.sorter.step()
    await _becomes(story, "Hologram")
    await story.settles()
    assert [type(item.post.content) for item in story.said()] == [Card]
    [failed] = await listed(story)
    assert (failed["step"], failed["conversation"]) == ("deliver", 1)
    assert failed["reason"] == "this version cannot read it (UnknownKind)"
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["item set aside"]
    await story.writes("since Monday", "2", thread="1")
    await story.settles()
    assert len(story.said()) == 2, "what follows is said"
    assert await story.failures.reread(story.now()) == 0
    await _known_again(story)
    assert await story.failures.reread(story.now()) == 1
    await story.settles()
    assert Answer("billing", "en") in story.heard()
    assert await listed(story) == []


async def _known_again(story: Story) -> None:
    async with story.database.transaction() as session:
        known = "UPDATE posts SET kind = 'Answer', content = CAST(:content AS jsonb) WHERE kind = 'Hologram'"
        await session.execute(text(known), {"content": json.dumps({"label": "billing", "language": "en"})})


async def test_a_damaged_post_is_set_aside_once_and_a_dropped_one_stays_unsaid(story: Story) -> None:
    await story.writes("I was charged twice", "1")
    story.later(5)
    await story.sorter.step()
    await _becomes(story, "Answer", '{"language": "en"}')
    await story.settles()
    [failed] = await listed(story)
    assert await story.failures.reread(story.now()) == 0, "this version knows the kind: it would only alarm again"
    await drop_failed(story.failures, [failed["id"]], story.now())
    await story.settles()
    assert (await listed(story), story.heard()) == ([], [])


async def test_a_damaged_card_stops_only_its_own_conversation(story: Story) -> None:
    await story.writes("I was charged twice", "1", CARLA)
    await story.writes("my refund, too", "2")
    await story.settles()
    async with story.database.transaction() as session:
        damaged = "UPDATE posts SET content = content - 'label' WHERE kind = 'Card' AND conversation_id = 1"
        await session.execute(text(damaged))
    for card in (0, 1):
        await story.reacts("💻", card=card)
    await story.writes("since Monday", "3", thread="2")
    await story.settles()
    assert [item.post.place.chat for item in story.cards()][-1] == "it"
    assert {(failed["step"], failed["conversation"]) for failed in await listed(story)} == {("correct", 1)}


class Crashing(Deliverer):
    """Raises an unexpected error for one chat."""

    __slots__ = ()

    async def handle(self, item: Any) -> None:
        if item.post.place.chat == CUSTOMER.id and not self.to:
            raise ZeroDivisionError
        await super().handle(item)


async def test_a_post_that_fails_for_ever_lets_the_next_in_its_line_pass(story: Story) -> None:
    platforms = {"web": story.platform}
    crashing = Crashing(TASK, PostgresOutbox(story.database), story.ledger, platforms, story.now)
    await story.writes("I was charged twice", "1")
    story.later(5)
    await story.sorter.step()
    async with working(story, crashing):
        await until(story, lambda: aside(story))
    assert [type(item.post.content) for item in story.said()] == [Card]
    [failed] = await listed(story)
    assert (failed["step"], failed["reason"], failed["conversation"]) == ("deliver", "ZeroDivisionError", 1)
    await retry_failed(story.failures, [failed["id"]], story.now())
    await story.settles()
    assert story.heard() == [Answer("billing", "en")]


# --- facts of every other step, given directly to the port ---


async def _again_and_again(story: Story, key: ItemKey, times: int = MOST_ATTEMPTS) -> None:
    ends = [await story.failures.failed(Failure(key, "KeyError"), story.now()) for _ in range(times)]
    assert ends == [*[False] * (times - 1), True]


@pytest.mark.parametrize("step", ["press", "relay", "note", "edit", "sort", "remind", "hand_on", "embed"])
async def test_each_steps_item_waits_is_set_aside_and_comes_again(story: Story, step: str) -> None:
    claims = await _something_to_do(story, step)
    [key] = await claims()
    await story.failures.failed(Failure(key, "KeyError"), story.now())
    if step != "embed":  # its back-off is measured by the database's clock
        assert await claims() == [], "its back-off is not over"
        story.later(seconds=2)
        assert await claims() == [key]
    await _again_and_again(story, key, MOST_ATTEMPTS - 1)
    story.later(minutes=20)
    assert await claims() == [], "it is set aside"
    [failed] = await listed(story)
    assert (failed["step"], failed["item"]) == (step, key.item)
    await retry_failed(story.failures, [failed["id"]], story.now())
    assert await claims() == [key]
    await _again_and_again(story, key)
    [failed] = await listed(story)
    await drop_failed(story.failures, [failed["id"]], story.now())
    story.later(minutes=20)
    assert (await claims(), await listed(story)) == ([], [])


async def _something_to_do(story: Story, step: str) -> Callable[[], Awaitable[list[ItemKey]]]:
    """One item that waits for the step; returns how to claim it, and its name."""
    mine: dict[str, Step[Any]] = {
        "press": story.buttons,
        "relay": story.relay,
        "note": story.note_relay,
        "edit": story.edit_relay,
        "sort": story.sorter,
        "remind": story.reminder,
        "hand_on": story.hand_on,
    }
    sure = story.predictor.rules[None]
    if step == "press":
        story.predictor.rules = {None: lambda _: None}
    ref = await story.writes("I was charged twice", "1")
    if step == "sort":
        story.later(5)
    else:
        await story.settles()
    story.predictor.rules = {None: sure}
    await _is_due(story, step, ref)

    async def claims() -> list[ItemKey]:
        if step == "embed":
            waiting = await story.memory.unembedded(story.embedder.name, 10)
            return [ItemKey("embed", str(example)) for example, _ in waiting]
        return [mine[step].key(item) for item in await mine[step].claim(10)]

    return claims


async def _is_due(story: Story, step: str, ref: MessageRef) -> None:
    """Do what gives the step an item to claim."""
    if step == "press":
        await story.presses("0")
    elif step == "relay":
        await story.writes("since Monday", "2", thread="1")
    elif step == "note":
        await story.notes("a bug", "n1", AGENT)
    elif step == "edit":
        await story.edits(ref, "I was charged thrice")
    elif step == "remind":
        story.later(minutes=31)
    elif step == "hand_on":
        await _its_team_has_ended(story)
    elif step == "embed":
        await _one_example_alone(story)


async def _its_team_has_ended(story: Story) -> None:
    """As if the request had been opened again since."""
    story.later(minutes=1)
    change = insert(LabelChangeRow).values(task="routing", kind="retire", before="billing", after="it", by="ann")
    async with story.database.transaction() as session:
        await session.execute(change.values(at=story.now(), touched={}))


async def _one_example_alone(story: Story) -> None:
    """Leave one example, which has no vector."""
    async with story.database.transaction() as session:
        await session.execute(text("DELETE FROM examples"))
    example = Example("where is my parcel", "delivery", Source.IMPORT, Side.TRAIN, story.now())
    await story.examples.add_examples(TASK.name, [example])


async def test_the_next_of_a_conversation_goes_on_when_one_is_set_aside(story: Story) -> None:
    await story.writes("I was charged twice", "1")
    await story.settles()
    for number, words in enumerate(("since Monday", "and yesterday")):
        story.later(1)
        await story.writes(words, f"m{number}", thread="1")
    [first] = await story.relay.claim(10)
    await story.failures.failed(Failure(story.relay.key(first), "KeyError", final=True), story.now())
    await story.settles()
    assert [said.text for said in story.thread()] == ["and yesterday"]  # type: ignore[union-attr]
    [failed] = await listed(story)
    await retry_failed(story.failures, [failed["id"]], story.now())
    await story.settles()
    assert [said.text for said in story.thread()] == ["and yesterday", "since Monday"]  # type: ignore[union-attr]


async def test_failures_long_ago_do_not_add_up(story: Story) -> None:
    key = ItemKey("remind", "77")
    for _ in range(MOST_ATTEMPTS - 1):
        assert not await story.failures.failed(Failure(key, "KeyError"), story.now())
    story.time += timedelta(days=2)
    assert not await story.failures.failed(Failure(ItemKey("remind", "78"), "KeyError"), story.now())
    assert not await story.failures.failed(Failure(key, "KeyError"), story.now())
