"""What Telegram sends by webhook is stored first and acknowledged afterwards."""

import httpx
import pytest

from bot.platforms import Routed
from bot.platforms.telegram.events import HEARD
from tests.integration.platforms.telegram.parts import (
    ANN,
    POISON,
    SECRET,
    Recorder,
    config,
    connected,
    hooked,
    listening,
)
from tests.servers.telegram import TelegramServer


async def test_a_webhook_stores_first_and_answers_then(server: TelegramServer, inbox: Recorder) -> None:
    async with hooked(server) as (telegram, address), listening(server, telegram, inbox):
        hook = server.feed.hook
        assert hook is not None
        assert (hook.url, hook.secret) == (address, SECRET)
        assert server.feed.allowed == set(HEARD)
        inbox.down = True
        await server.writes(ANN, "hello")
        await server.until(lambda: 503 in hook.statuses)
        assert len(server.feed.pending) == 1
        inbox.down = False
        await server.until(lambda: not server.feed.pending)
    assert inbox.texts == ["hello"]
    assert hook.statuses[-1] == 200


async def test_a_webhook_takes_nothing_from_who_does_not_know_the_secret(
    server: TelegramServer, inbox: Recorder
) -> None:
    async with hooked(server) as (telegram, address), listening(server, telegram, inbox), httpx.AsyncClient() as other:
        await server.writes(ANN, "true")
        await server.until(lambda: inbox.texts == ["true"])
        header = b"X-Telegram-Bot-Api-Secret-Token"
        for forged in (b"", b"wrong", SECRET[:-1].encode(), "ü".encode()):
            answer = await other.post(address, json={"update_id": 1}, headers={header: forged})
            assert answer.status_code == 403
        answer = await other.post(address, json={"update_id": 1})
        assert answer.status_code == 403
    assert inbox.tried == 1


@pytest.mark.parametrize(
    ("body", "status"), [("{", 400), ("[]", 400), ("x" * 1_100_000, 400), ('{"update_id": 1}', 200)]
)
async def test_a_webhook_answers_nonsense_without_falling_over(
    server: TelegramServer, inbox: Recorder, body: str, status: int
) -> None:
    async with hooked(server) as (telegram, address), listening(server, telegram, inbox), httpx.AsyncClient() as other:
        answer = await other.post(address, content=body, headers={"X-Telegram-Bot-Api-Secret-Token": SECRET})
        assert answer.status_code == status


async def test_a_webhook_skips_what_cannot_be_parsed(server: TelegramServer, inbox: Recorder) -> None:
    async with hooked(server) as (telegram, _), listening(server, telegram, inbox):
        server.sends("message", POISON)
        await server.writes(ANN, "behind the poison")
        await server.until(lambda: not server.feed.pending)
    assert inbox.texts == ["behind the poison"]


async def test_a_webhook_nobody_listens_to_says_come_again(server: TelegramServer, inbox: Recorder) -> None:
    async with hooked(server) as (telegram, address), httpx.AsyncClient() as other:
        assert isinstance(telegram, Routed)
        answer = await other.post(address, json={}, headers={"X-Telegram-Bot-Api-Secret-Token": SECRET})
        assert answer.status_code == 503


async def test_who_polls_offers_no_route(server: TelegramServer) -> None:
    async with connected(config(server)) as telegram:
        assert telegram.routes == []
