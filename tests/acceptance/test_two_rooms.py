"""One conversation in two rooms, on any platforms: what is sent arrives, what is internal stays internal."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.processes import Home, running, until
from tests.servers.slack import Post as SlackPost
from tests.servers.telegram import Post as TelegramPost
from tests.worlds.company import CHANNELS, GROUPS, HELP, SLACK_LEAD, TELEGRAM_LEAD, Town, town

pytestmark = pytest.mark.vllm

HOMES = {"billing": "slack", "delivery": "telegram"}
"""Two teams that each have a room on only one platform, whichever platform people write from."""
INTERNAL = "between us: this one is difficult"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(model_url: str, homes: Path) -> AsyncIterator[Town]:
    folder = homes / "rooms"
    folder.mkdir()
    async with town() as around:
        home = Home(folder, around.environment())
        home.settings(around.settings(model_url, settle_seconds=0.3, homes=HOMES))
        async with running(home, "run", address=around.address):
            yield around


async def test_a_customer_in_telegram_and_a_team_in_slack(place: Town) -> None:
    person = await place.says("I was charged twice for order L-11001, give me the money back")
    assert "This is one for billing." in await place.answered(person)
    card = await place.slack_card("billing", "L-11001")
    channel = CHANNELS["billing"]

    await place.slack.writes(SLACK_LEAD, channel, INTERNAL, thread_ts=card.ts)
    offered = await place.slack.until(lambda: place.slack.ephemerals(channel, SLACK_LEAD), 60)
    assert "Only your team sees this" in offered[-1].text
    await place.slack.writes(SLACK_LEAD, channel, "Reply: the money is on its way", thread_ts=card.ts)
    said = await place.answered(person, 2)
    assert "billing writes:" in said
    assert "the money is on its way" in said
    assert "eply:" not in said
    await place.slack.until(lambda: [p for p in _thread(place, card) if "sent to" in p.text and "✓" in p.text], 60)

    await place.telegram.writes(person, "thank you, and the invoice for L-11001?")
    await place.slack.until(lambda: [p for p in _thread(place, card) if "and the invoice" in p.text], 60)
    assert not [text for text in place.answers(person) if INTERNAL in text]

    note = await place.slack.writes(SLACK_LEAD, channel, "here is the invoice number: 77", thread_ts=card.ts)
    await place.slack.reacts(SLACK_LEAD, channel, note, "outbox_tray")
    assert "here is the invoice number: 77" in await place.answered(person, 3)
    await place.slack.edits(SLACK_LEAD, channel, note, "here is the invoice number: 78")
    await place.telegram.until(lambda: "invoice number: 78" in place.answers(person)[-1], 60)
    assert "edited" in place.answers(person)[-1]


async def test_an_employee_in_slack_and_a_team_in_telegram(place: Town) -> None:
    ts = await place.asks("Where is my parcel L-11002? The tracking has not moved since Tuesday")
    assert "This is one for delivery." in await place.replied(ts)
    card = await place.telegram_card("delivery", "L-11002")
    group = GROUPS["delivery"]

    await place.telegram.writes(TELEGRAM_LEAD, INTERNAL, group, reply_to=card.message_id)
    await place.telegram.until(lambda: _offers(place, group), 60)
    assert len(place.replies(ts)) == 1
    await place.telegram.writes(TELEGRAM_LEAD, "It comes on Friday", group, reply_to=card.message_id)
    await place.telegram.until(lambda: len(_offers(place, group)) == 2, 60)
    await place.telegram.presses(TELEGRAM_LEAD, group, _offers(place, group)[-1].message_id, "send")
    assert "It comes on Friday" in await place.replied(ts, 2)
    assert not [text for text in place.replies(ts) if INTERNAL in text]

    await place.slack.writes("U0ANN", HELP, "wonderful, see you on Friday", thread_ts=ts)
    await place.telegram.until(lambda: place.telegram_cards("delivery", "see you on Friday"), 60)
    assert len(place.replies(ts)) == 2


async def test_a_conversation_that_moves_takes_its_history_to_the_other_platform(place: Town) -> None:
    person = await place.says("I was charged twice for order L-11003, please give me the money back")
    await place.answered(person)
    card = await place.slack_card("billing", "L-11003")
    await place.telegram.writes(person, "twice, really")
    await place.slack.until(lambda: [p for p in _thread(place, card) if "twice, really" in p.text], 60)

    await place.slack.reacts(SLACK_LEAD, CHANNELS["billing"], card.ts, "package")
    moved = await place.telegram_card("delivery", "L-11003")
    assert "twice, really" in moved.text
    await until_struck(place, card)
    assert "delivery has your request now" in await place.answered(person, 2)
    assert len(place.answers(person)) == 2

    await place.telegram.writes(person, "the order from Monday")
    await place.telegram.until(lambda: place.telegram_cards("delivery", "the order from Monday"), 60)
    assert not [p for p in _thread(place, card) if "order from Monday" in p.text]

    await place.slack.unreacts(SLACK_LEAD, CHANNELS["billing"], card.ts, "package")
    await place.slack.until(lambda: len(place.slack_cards("billing", "L-11003")) == 2, 60)


async def test_taken_done_solved_and_opened_again(place: Town) -> None:
    person = await place.says("Where is my parcel L-11004? It should be here since Tuesday")
    await place.answered(person)
    card = await place.telegram_card("delivery", "L-11004")
    group = GROUPS["delivery"]

    await place.telegram.reacts(TELEGRAM_LEAD, group, card.message_id, ["👀"])
    await place.telegram.until(lambda: "is on it" in _now(place, card).text, 60)
    await place.telegram.reacts(TELEGRAM_LEAD, group, card.message_id, ["👌"])
    asked = await place.answered(person, 2)
    assert "dealt with" in asked
    question = place.telegram.posts(person)[-1]
    await place.telegram.presses(person, person, question.message_id, "no")
    await place.telegram.until(lambda: [p for p in place.telegram.posts(group) if "not solved" in p.text], 60)
    await place.telegram.until(lambda: "Done" not in _now(place, card).text, 60)
    await place.telegram.until(lambda: "not solved yet" in place.answers(person)[-1], 60)


async def test_words_that_change_and_words_that_go(place: Town) -> None:
    ts = await place.asks("My invoice L-11005 shows the wrong VAT number")
    await place.replied(ts)
    card = await place.slack_card("billing", "L-11005")
    await place.slack.edits("U0ANN", HELP, ts, "My invoice L-11005 shows no VAT number at all")
    await place.slack.until(lambda: "no VAT number" in str(_slack_now(place, card).blocks), 60)
    assert place.slack_rooms("L-11005") == ["billing"]
    await place.slack.deletes("U0ANN", HELP, ts)
    await place.slack.until(lambda: "L-11005" not in str(_slack_now(place, card).blocks), 60)
    assert "L-11005" not in _slack_now(place, card).text


async def test_a_customer_who_blocked_the_bot_is_said_in_the_thread(place: Town) -> None:
    person = await place.says("Please send me a new invoice, L-11006 shows the wrong VAT number")
    await place.answered(person)
    card = await place.slack_card("billing", "L-11006")
    await place.telegram.blocks(person)
    await place.slack.writes(SLACK_LEAD, CHANNELS["billing"], "reply: can you send the receipt?", thread_ts=card.ts)
    told = await place.slack.until(lambda: [p for p in _thread(place, card) if "Not delivered" in p.text], 60)
    assert "blocked" in told[-1].text


async def test_a_room_that_takes_no_cards_sends_them_to_the_fallback_team(place: Town) -> None:
    there = place.slack.space.channel(CHANNELS["billing"])
    place.slack.add_channel(replace(there, is_archived=True))
    try:
        person = await place.says("My invoice L-11007 shows the wrong VAT number, please send a new one")
        await place.telegram_card("triage", "L-11007")
    finally:
        place.slack.add_channel(there)
    told = await place.telegram.until(lambda: [p for p in _group(place, "triage") if "archived" in p.text], 60)
    assert "billing" in told[-1].text
    assert len(place.answers(person)) == 1


def _group(place: Town, team: str) -> list[TelegramPost]:
    return place.telegram.posts(GROUPS[team])


async def until_struck(place: Town, card: SlackPost) -> None:
    """Wait until the old card is struck through and links to the new one."""

    async def struck() -> bool:
        return "~New request for" in str(_slack_now(place, card).blocks)

    await until(struck)


def _thread(place: Town, card: SlackPost) -> list[SlackPost]:
    return [post for post in place.slack.posts(card.channel) if post.thread_ts == card.ts]


def _slack_now(place: Town, card: SlackPost) -> SlackPost:
    return place.slack.space.post(card.channel, card.ts)


def _now(place: Town, card: TelegramPost) -> TelegramPost:
    return place.telegram.account.posts[card.chat, card.message_id]


def _offers(place: Town, group: int) -> list[TelegramPost]:
    return [post for post in place.telegram.posts(group) if "Only your team sees this" in post.text and post.buttons]
