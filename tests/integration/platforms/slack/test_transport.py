"""Socket Mode and signed HTTP, each with its faults; tokens; a Slack that loses, doubles, delays and reorders."""

import asyncio

import httpx
import pytest

from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import Place
from bot.domain.posts import Answer
from bot.platforms.slack import Mode, kept_events, transport
from bot.platforms.slack.adapter import Slack
from tests.integration.platforms.slack.parts import (
    ANN,
    BEN,
    BILLING,
    HELP,
    LEAD,
    Recorder,
    card,
    config,
    item,
    listening,
    settled,
    site,
    speaking,
)
from tests.servers.slack import SlackServer
from tests.servers.slack.scopes import EVENTS


async def test_the_socket_comes_back_and_what_was_said_in_the_gap_arrives(server: SlackServer, inbox: Recorder) -> None:
    async with speaking(config(server)) as slack, listening(server, slack, inbox):
        await server.sockets.disconnect("refresh_requested")
        await server.writes(ANN, HELP, "in the gap")
        await server.until(lambda: inbox.messages and len(server.calls_to("apps.connections.open")) == 2)
        assert slack.healthy()


async def test_a_connection_that_does_not_come_back_ends_the_listening(
    server: SlackServer, inbox: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_DEAF_SECONDS", 1)
    async with speaking(config(server)) as slack:
        task = asyncio.create_task(slack.listen(inbox))
        await server.until(slack.healthy)
        server.fail("apps.connections.open", error="internal_error", times=9)
        await server.sockets.close()
        await server.until(task.done)
        assert not slack.healthy()
        with pytest.raises(Unreachable, match="does not come back"):
            await task


async def test_socket_mode_opens_no_door_over_http(server: SlackServer) -> None:
    async with speaking(config(server)) as slack:
        assert slack.routes == []


async def test_over_http_a_wrong_or_old_signature_is_turned_away(server: SlackServer, inbox: Recorder) -> None:
    async with (
        speaking(config(server, Mode.HTTP)) as slack,
        listening(server, slack, inbox),
        site(server, slack) as url,
    ):
        forged = server.sends_to(url, secret="wrong")
        await server.writes(ANN, HELP, "forged")
        await server.until(lambda: forged.statuses)
        stale = server.sends_to(url, skew=-301)
        await server.writes(ANN, HELP, "stale")
        await server.until(lambda: stale.statuses)
        async with httpx.AsyncClient() as client:
            for body in (b"{", b"\xff\xfe", b"{}", b""):
                answer = await client.post(url, content=body, headers={"Content-Type": "application/json"})
                assert answer.status_code in (400, 401)
            assert (await client.post(url, content=b"x" * 1_000_001)).status_code == 413
        assert slack._transport._events.bytes == 0, "only what Slack signed is kept"
    assert forged.statuses[0] == stale.statuses[0] == 401
    assert inbox.tried == 0


async def test_over_http_slack_is_told_to_come_again_while_nobody_listens(server: SlackServer, inbox: Recorder) -> None:
    async with speaking(config(server, Mode.HTTP)) as slack, site(server, slack) as url:
        route = server.sends_to(url)
        await server.writes(ANN, HELP, "early")
        await server.until(lambda: route.statuses)
        assert route.statuses == [503]
        assert not slack.healthy()
        async with listening(server, slack, inbox):
            await server.until(settled(server))
    assert inbox.texts == ["early"]


async def test_slack_can_verify_the_url_over_http(server: SlackServer, inbox: Recorder) -> None:
    async with (
        speaking(config(server, Mode.HTTP)) as slack,
        listening(server, slack, inbox),
        site(server, slack) as url,
    ):
        route = server.sends_to(url)
        server._send("events_api", {"type": "url_verification", "challenge": "abc", "token": "x"}, "Ev0")
        await server.until(lambda: route.statuses)
    assert route.statuses == [200]


async def test_a_signature_of_almost_five_minutes_ago_is_taken(server: SlackServer, inbox: Recorder) -> None:
    async with (
        speaking(config(server, Mode.HTTP)) as slack,
        listening(server, slack, inbox),
        site(server, slack) as url,
    ):
        server.sends_to(url, skew=-298)
        await server.writes(ANN, HELP, "late")
        await server.until(settled(server))
    assert inbox.texts == ["late"]


async def test_no_event_that_slack_knows_is_answered_with_an_error(
    server: SlackServer, slack: Slack, inbox: Recorder
) -> None:
    for kind in (*EVENTS, "message_metadata_posted", "something_new"):
        if kind not in ("tokens_revoked", "app_uninstalled"):
            server.emits({"type": kind, "user": ANN, "channel": HELP, "channel_type": "channel"})
    server._send("events_api", {"type": "app_rate_limited", "minute_rate_limited": 1}, "EvLimited")
    server._send("interactive", {"type": "shortcut", "callback_id": "unknown", "user": {"id": ANN}}, "unknown")
    server._send("interactive", {"type": "view_closed", "view": {}, "user": {"id": ANN}}, "closed")
    await server.until(settled(server))
    assert {delivery.attempts for delivery in server.deliveries} == {1}


# ── a Slack that misbehaves ──


async def test_what_is_lost_on_its_way_arrives_by_the_retry(server: SlackServer, slack: Slack, inbox: Recorder) -> None:
    server.courier.mischief.lose_first = True
    await server.writes(ANN, HELP, "not lost")
    await server.until(settled(server))
    assert inbox.texts == ["not lost"]


async def test_whatever_comes_twice_is_the_same_fact(server: SlackServer, slack: Slack, inbox: Recorder) -> None:
    receipt = await slack.say(item(card(), Place("slack", BILLING)))
    await server.until(settled(server))
    server.courier.mischief.twice = True
    await server.writes(ANN, HELP, "once")
    await server.writes(BEN, BILLING, "a note", thread_ts=receipt.id)
    await server.reacts(LEAD, BILLING, receipt.id, "wrench")
    await server.until(lambda: sum(delivery.attempts for delivery in server.deliveries) == 7 and inbox.tried == 6)
    assert (inbox.texts, len(inbox.notes), len(inbox.reactions)) == (["once"], 1, 1)


async def test_what_comes_out_of_order_keeps_its_own_times(server: SlackServer, slack: Slack, inbox: Recorder) -> None:
    receipt = await slack.say(item(card(), Place("slack", BILLING)))
    await server.until(settled(server))
    server.courier.mischief.held = []
    await server.reacts(LEAD, BILLING, receipt.id, "wrench")
    await server.unreacts(LEAD, BILLING, receipt.id, "wrench")
    await server.until(lambda: len(server.courier.mischief.held or []) == 2)
    await server.courier.release()
    await server.until(lambda: len(inbox.reactions) == 2)
    assert [reaction.added for reaction in inbox.reactions] == [False, True]
    assert max(inbox.reactions, key=lambda reaction: reaction.at).added is False, "the removal is the newer one"


async def test_a_late_delivery_is_a_delivery(server: SlackServer, slack: Slack, inbox: Recorder) -> None:
    server.courier.mischief.delay = 0.2
    await server.writes(ANN, HELP, "late")
    await server.until(settled(server))
    assert inbox.texts == ["late"]


async def test_two_replicas_share_the_events_and_miss_none(server: SlackServer) -> None:
    first, second = Recorder(), Recorder()
    async with (
        speaking(config(server)) as one,
        speaking(config(server)) as two,
        listening(server, one, first),
        listening(server, two, second),
    ):
        await server.sockets.disconnect("warning")
        for number in range(40):
            await server.writes(ANN, HELP, f"message {number}")
        await server.until(lambda: len(first.messages.keys() | second.messages.keys()) == 40)
    assert first.messages and second.messages


async def test_a_command_does_not_queue_behind_events(
    server: SlackServer, inbox: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_events, "AT_ONCE", 1)
    inbox.free.clear()
    async with speaking(config(server)) as slack, listening(server, slack, inbox):
        for number in range(3):
            await server.writes(ANN, HELP, f"message {number}")
        await server.until(lambda: inbox.tried == 1)
        await server.clicks.command(ANN, HELP, "help")
        await server.until(lambda: server.deliveries[-1].acked)
        assert [delivery.acked for delivery in server.deliveries[:3]] == [False] * 3
        inbox.free.set()


# ── tokens ──


async def test_a_wrong_bot_token_is_refused_in_one_sentence(server: SlackServer) -> None:
    with pytest.raises(Refused, match=r"SLACK_BOT_TOKEN \(invalid_auth\); copy the Bot User OAuth Token") as caught:
        async with speaking(config(server, SLACK_BOT_TOKEN="xoxb-wrong")):
            pytest.fail("it opened")
    assert "xoxb-wrong" not in str(caught.value)


async def test_a_wrong_app_token_is_refused_and_not_tried_for_ever(server: SlackServer, inbox: Recorder) -> None:
    async with speaking(config(server, SLACK_APP_TOKEN="xapp-wrong")) as slack:
        with pytest.raises(Refused, match="SLACK_APP_TOKEN"):
            await slack.listen(inbox)
    assert len(server.calls_to("apps.connections.open")) == 1


async def test_a_slack_that_is_down_at_the_start_is_listened_to_later(server: SlackServer, inbox: Recorder) -> None:
    server.fail("auth.test", status=503, times=2)
    async with speaking(config(server)) as slack:
        with pytest.raises(Unreachable):
            await slack.listen(inbox)
        async with listening(server, slack, inbox):
            await server.writes(ANN, HELP, "late but heard")
            await server.until(settled(server))
    assert inbox.texts == ["late but heard"]


@pytest.mark.parametrize(
    "event", [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": ["U0BOT"]}}]
)
async def test_once_dismissed_we_say_so_loudly_and_say_nothing_more(
    server: SlackServer, inbox: Recorder, caplog: pytest.LogCaptureFixture, event: dict[str, object]
) -> None:
    async with speaking(config(server)) as slack:
        task = asyncio.create_task(slack.listen(inbox))
        await server.until(slack.healthy)
        server.emits(event)
        await server.until(task.done)
        with pytest.raises(Refused, match="install it again, then set SLACK_BOT_TOKEN"):
            await task
        assert settled(server)()
        with pytest.raises(Unreachable, match="SLACK_BOT_TOKEN"):
            await slack.say(item(Answer("billing", None)))
        assert server.calls_to("chat.postMessage") == []
        assert [record.levelname for record in caplog.records].count("ERROR") == 1
        async with listening(server, slack, inbox):
            await slack.say(item(Answer("billing", None)))
    assert len(server.posts(HELP)) == 1, "installed again, with the same token: all is well"
