"""A fact that cannot be stored is acknowledged, kept, and stored once this is possible."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text

from bot.commands.failed_report import drop_failed, retry_failed
from bot.domain.errors import Refused
from bot.domain.messages import Fact, Message, MessageRef, Place
from tests.integration.flow.test_failed_items import CARLA, listed
from tests.samples import LEAD
from tests.worlds.story import Story


async def test_a_fact_that_cannot_be_stored_is_acknowledged_kept_and_stored_once_it_can_be(
    story: Story, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stored = story.ledger.add_facts

    async def cannot(facts: Sequence[Fact], policy: object) -> Sequence[bool | Exception]:
        return [Refused("database: DataError")] * len(facts)

    monkeypatch.setattr(story.ledger, "add_facts", cannot)
    await story.writes("I was charged twice", "1")
    await story.writes("I was charged twice", "1")
    monkeypatch.setattr(story.ledger, "add_facts", stored)
    await story.settles()
    assert story.cards() == []
    [failed] = await listed(story)
    assert (failed["step"], failed["reason"]) == ("intake", "Refused: database: DataError")
    assert "charged" not in json.dumps(failed) and "charged" not in caplog.text
    assert await story.inbox.step() == 0
    await retry_failed(story.failures, [failed["id"]], story.now())
    assert await story.inbox.step() == 1
    await story.settles()
    assert len(story.cards()) == 1
    assert (await story.inbox.step(), await listed(story)) == (0, [])


async def test_a_fact_that_still_cannot_be_stored_is_set_aside_anew(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cannot(facts: Sequence[Fact], policy: object) -> Sequence[bool | Exception]:
        raise ZeroDivisionError

    monkeypatch.setattr(story.ledger, "add_facts", cannot)
    await story.writes("I was charged twice", "1")
    [failed] = await listed(story)
    await retry_failed(story.failures, [failed["id"]], story.now())
    assert await story.inbox.step() == 1
    [again] = await listed(story)
    assert again["item"] == failed["item"]
    await drop_failed(story.failures, [again["id"]], story.now())
    assert (await story.inbox.step(), await listed(story)) == (0, [])


async def test_whoever_is_forgotten_takes_parked_words_along(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place("web", CARLA.id, "1")
    words = Message(MessageRef("web", CARLA.id, "1"), place, CARLA, "my secret", story.now())
    await story.failures.park(words, "ValueError", story.now())
    await story.failures.park(replace(words, author=LEAD), "ValueError", story.now())
    await story.erasure.erase(CARLA, story.now())
    async with story.database.transaction() as session:
        left = (await session.execute(text("SELECT fact -> 'author' ->> 'id' FROM failed_items"))).scalars().all()
    assert left == [LEAD.id]
