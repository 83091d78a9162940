"""`switchboard run` on Slack, Telegram and its own page: routed, corrected with one emoji, remembered, undone."""

import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from db.server.embedded import serving
from tests.acceptance.processes import Home, Running, running, until
from tests.servers.slack import Post
from tests.worlds.company import (
    CHANNELS,
    GROUPS,
    HELP,
    SLACK_LEAD,
    TELEGRAM_LEAD,
    Page,
    Town,
    decisions,
    page,
    town,
)

pytestmark = pytest.mark.vllm

PARITY = [
    "My invoice shows the wrong VAT number, please send me a new one",
    "Where is my parcel? The tracking has not moved since Tuesday",
    "the lamp in the bedroom won't connect to the wifi any more 😡",
    "Can I carry over five vacation days to next year?",
    "Меня зовут Анна, и моя лампа мигает",
    "kjhg sdfkjh qwe",
]


@dataclass(frozen=True, slots=True)
class Stage:
    """A running bot and the services around it."""

    home: Home
    town: Town
    page: Page


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(model_url: str, homes: Path) -> AsyncIterator[Stage]:
    folder = homes / "run"
    folder.mkdir()
    async with town() as around:
        home = Home(folder, around.environment())
        home.settings(around.settings(model_url, settle_seconds=0.3))
        async with running(home, "run", address=around.address), page(around.address) as web:
            yield Stage(home, around, web)


async def test_an_employee_in_slack_is_brought_to_a_team_and_a_lead_corrects_it(stage: Stage) -> None:
    said = "The VPN keeps disconnecting since this morning, I cannot work from home"
    ts = await stage.town.asks(said)
    assert "This is one for IT." in await stage.town.replied(ts)
    card = await stage.town.slack_card("it", said)

    await stage.town.slack.reacts("U0STRANGER", CHANNELS["it"], card.ts, "office")
    await _concluded(stage.home)
    assert stage.town.slack_rooms(said) == ["it"]
    assert len(stage.town.replies(ts)) == 1

    await stage.town.slack.reacts(SLACK_LEAD, CHANNELS["it"], card.ts, "office")
    await stage.town.slack_card("facilities", said)
    assert "facilities has your request now" in await stage.town.replied(ts, 2)
    struck = stage.town.slack.space.post(CHANNELS["it"], card.ts)
    assert _struck(struck) and "Moved to facilities" in str(struck.blocks)

    similar = "The VPN keeps disconnecting this morning, I cannot work from home again"
    another = await stage.town.asks(similar, "U0BOB")
    assert "This is one for facilities" in await stage.town.replied(another)  # by memory, or by voices that learned it
    await _concluded(stage.home)
    assert stage.town.slack_rooms(similar) == ["facilities"]

    await stage.town.slack.unreacts(SLACK_LEAD, CHANNELS["it"], card.ts, "office")
    assert "IT has your request now" in await stage.town.replied(ts, 3)
    await stage.town.slack.until(lambda: len(stage.town.slack_cards("it", said)) == 2, 60)
    assert [_struck(post) for post in stage.town.slack_cards("it", said)] == [True, False]
    await _fitted(stage.home)
    forgotten = "The VPN keeps disconnecting this morning and I cannot work from home"
    assert "This is one for IT." in await stage.town.replied(await stage.town.asks(forgotten, "U0CARL"))
    assert len(stage.town.replies(ts)) == 3


async def test_a_customer_in_telegram_is_brought_to_a_team_and_a_lead_corrects_it(stage: Stage) -> None:
    said = "I was charged twice for my order L-20418 last week"
    person = await stage.town.says(said)
    assert "This is one for billing." in await stage.town.answered(person)
    card = await stage.town.telegram_card("billing", said)

    await stage.town.telegram.reacts(666, GROUPS["billing"], card.message_id, ["🎅"])
    await _concluded(stage.home)
    assert stage.town.telegram_rooms(said) == ["billing"]
    assert len(stage.town.answers(person)) == 1

    await stage.town.telegram.reacts(TELEGRAM_LEAD, GROUPS["billing"], card.message_id, ["🔥", "🎅"])
    await stage.town.telegram_card("delivery", said)
    assert "delivery has your request now" in await stage.town.answered(person, 2)
    struck = stage.town.telegram.account.posts[GROUPS["billing"], card.message_id]
    assert struck.edits and "Moved to delivery" in struck.text
    assert "strikethrough" in {entity["type"] for entity in struck.entities}

    similar = "I was charged twice for my order L-30777 this week"
    assert "This is one for delivery" in await stage.town.answered(await stage.town.says(similar))
    await _concluded(stage.home)
    assert stage.town.telegram_rooms(similar) == ["delivery"]

    await stage.town.telegram.reacts(TELEGRAM_LEAD, GROUPS["billing"], card.message_id, ["🔥"])
    assert "billing has your request now" in await stage.town.answered(person, 3)
    await stage.town.telegram.until(lambda: len(stage.town.telegram_cards("billing", said)) == 2, 60)
    await _fitted(stage.home)
    forgotten = "I was charged twice for order L-40999 this month"
    assert "This is one for billing." in await stage.town.answered(await stage.town.says(forgotten))


async def test_the_same_words_are_decided_alike_on_every_platform(stage: Stage) -> None:
    await _fitted(stage.home)
    for text in PARITY:
        in_slack = await stage.town.replied(await stage.town.asks(text, "U0PAT"))
        in_telegram = await stage.town.answered(await stage.town.says(text))
        on_the_page = await stage.page.heard(await stage.page.write(text))
        assert in_slack == in_telegram == on_the_page
        rows = decisions(stage.home, text)
        assert sorted(str(row[0]) for row in rows) == ["slack", "telegram", "web"]
        [first, *others] = [row[1:5] for row in rows]
        assert others == [first, first]
        [found, *again] = [row[5] for row in rows]
        assert isinstance(found, dict) and sum(found.values()) == pytest.approx(1)
        for probabilities in again:
            assert probabilities == pytest.approx(found, abs=0.01)  # texts of the same batch may change last digits


async def test_a_burst_of_short_messages_is_one_request(stage: Stage) -> None:
    person = 4711
    for text in ("hello", "Where is my parcel?", "The tracking has not moved since Tuesday"):
        await stage.town.telegram.writes(person, text)
    assert "This is one for delivery." in await stage.town.answered(person)
    await _concluded(stage.home)
    assert len(stage.town.answers(person)) == 1
    # On a busy machine the last message may arrive after the decision: then it follows under the card
    assert set(stage.town.telegram_rooms("The tracking has not moved since Tuesday")) == {"delivery"}


async def test_killed_with_work_in_flight_nothing_is_lost_or_said_twice(model_url: str, homes: Path) -> None:
    """Killed when messages are stored but undecided, before they are stored, and when posts are not sent yet."""
    folder = homes / "killed"
    folder.mkdir()
    async with town() as around:
        home = Home(folder, around.environment())
        home.settings(around.settings(model_url, settle_seconds=4))
        first = await _started(home, around)
        undecided = [await _write(around, n) for n in range(3)]
        await until(lambda: _stored(home, 6), 60)
        assert home.rows("SELECT count(*) FROM decisions") == [(0,)]

        first.process.send_signal(signal.SIGSTOP)  # so that nothing is acknowledged from now on
        unheard = [await _write(around, n) for n in range(3, 5)]
        await around.slack.until(lambda: all(around.slack.deliveries[n].attempts for n in range(3, 5)))
        await _kill(first, home)
        assert not any(delivery.acked for delivery in around.slack.deliveries[3:])

        around.slack.fail("chat.postMessage", status=503, times=10_000)
        around.telegram.fail("sendMessage", status=503, times=10_000)
        second = await _started(home, around)
        await until(lambda: _decided(home, 10), 60)
        await until(lambda: _all_put_off(home), 60)
        assert around.slack.calls_to("chat.postMessage") and around.telegram.calls_to("sendMessage")
        assert all(delivery.acked for delivery in around.slack.deliveries)
        assert any(delivery.attempts > 1 for delivery in around.slack.deliveries[3:])
        await _kill(second, home)
        assert not around.slack.posts(HELP)

        around.slack.heal()
        around.telegram.heal()
        async with running(home, "run", address=around.address):
            for one in undecided + unheard:
                await _billing_has(around, *one)
            await until(lambda: _all_said(home))
        for text, ts, person in undecided + unheard:
            assert len(around.replies(ts)) == len(around.answers(person)) == 1
            assert around.slack_rooms(text) == around.telegram_rooms(text) == ["billing"]
        with serving(folder / "var" / "postgres"):
            assert home.rows("SELECT count(*) FROM decisions") == [(10,)]


async def _billing_has(around: Town, text: str, ts: str, person: int) -> None:
    """Wait until the text is answered on both platforms, and both cards exist."""
    assert "This is one for billing." in await around.replied(ts)
    assert "This is one for billing." in await around.answered(person)
    await around.slack_card("billing", text)
    await around.telegram_card("billing", text)


def _struck(card: Post) -> bool:
    return "~New request for" in str(card.blocks)


async def _write(around: Town, number: int) -> tuple[str, str, int]:
    """An employee and a customer write the same text; returns the text, the employee's ts and the customer's id."""
    text = f"I was charged twice, for order {number + 71}"
    return text, await around.asks(text, f"U0P{number}"), await around.says(text)


async def _started(home: Home, around: Town) -> Running:
    process = await home.start("run")
    try:
        await process.until_ready(around.address)
    except BaseException:
        process.kill()
        raise
    return process


async def _kill(process: Running, home: Home) -> None:
    """kill -9: only the database may survive, since the next process takes it over."""
    process.kill()
    await process.process.wait()
    await home.until_left_alone(but="postgres")


async def _stored(home: Home, messages: int) -> bool:
    return home.rows("SELECT count(*) FROM messages") == [(messages,)]


async def _decided(home: Home, decisions: int) -> bool:
    return home.rows("SELECT count(*) FROM decisions") == [(decisions,)]


async def _all_put_off(home: Home) -> bool:
    """Whether all posts failed once and none is in progress: a dead process's lease would delay the next one."""
    return home.rows("SELECT count(*) FROM posts WHERE problem IS NULL OR leased_until > now()") == [(0,)]


async def _all_said(home: Home) -> bool:
    return home.rows("SELECT count(*) FROM posts WHERE said_at IS NULL") == [(0,)]


async def _fitted(home: Home) -> None:
    """Wait until the voices beside the model have learned all examples, so that later questions do not differ."""

    async def up_to_date() -> bool:
        known = home.rows(
            "SELECT max(id), count(*), count(*) FILTER (WHERE withdrawn_at IS NULL AND NOT quarantined), "
            "count(*) FILTER (WHERE withdrawn_at IS NULL AND NOT quarantined AND embedder IS NOT NULL) FROM examples"
        )
        stamp = "-".join(str(number) for number in known[0])
        return any(f'"{stamp}-' in file.read_text("utf-8") for file in home.folder.glob("var/voices/*/voices.json"))

    await until(up_to_date, 240)


async def _concluded(home: Home) -> None:
    """Wait until everything that people did has been processed, and every resulting post has been sent."""

    async def idle() -> bool:
        waiting = "SELECT (SELECT count(*) FROM reactions WHERE concluded_at IS NULL)"
        owed = "(SELECT count(*) FROM posts WHERE said_at IS NULL AND given_up_at IS NULL)"
        # What was said before a question is concluded with its answer
        unread = (
            "(SELECT count(*) FROM messages m JOIN conversations c ON c.id = m.conversation_id "
            "WHERE m.concluded_at IS NULL AND c.state <> 'asked')"
        )
        return home.rows(f"{waiting} + {owed} + {unread}") == [(0,)]

    await until(idle)
