"""The Slack server against the real slack_bolt: what people do arrives over either transport."""

from contextlib import AsyncExitStack

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from tests.integration.servers.slack_bot import (
    ANN,
    HELP,
    LEAD,
    Seen,
    actions,
    in_socket_mode,
    over_http,
    small_bot,
    web_client,
)
from tests.servers.slack import BOT_USER, Channel, SlackServer


async def test_a_message_and_a_reaction_arrive_over_socket_mode_and_are_answered_in_the_thread(
    slack: SlackServer,
) -> None:
    seen = Seen()
    app = small_bot(slack, seen)
    async with in_socket_mode(slack, app):
        ts = await slack.writes(ANN, HELP, "I was charged twice")
        await slack.until(lambda: seen.of("message"))
        sent = await app.client.chat_postMessage(channel=HELP, text="Billing has it", thread_ts=ts)
        await slack.reacts(LEAD, HELP, sent["ts"], "moneybag")
        await slack.until(lambda: seen.of("reaction_added"))
        await slack.unreacts(LEAD, HELP, sent["ts"], "moneybag")
        await slack.until(lambda: seen.of("reaction_removed"))
    written, reaction = seen.of("message")[0], seen.of("reaction_added")[0]
    assert (written["text"], written["ts"], written["channel_type"]) == ("I was charged twice", ts, "channel")
    assert reaction["item"] == {"type": "message", "channel": HELP, "ts": sent["ts"]}
    assert (reaction["user"], reaction["item_user"]) == (LEAD, BOT_USER)
    [post] = slack.posts(HELP)
    assert (post.text, post.thread_ts) == ("Billing has it", ts)
    assert all(delivery.acked for delivery in slack.deliveries)


async def test_a_direct_message_has_the_channel_type_im_and_can_be_opened_by_the_bot(
    slack: SlackServer,
) -> None:
    seen = Seen()
    app = small_bot(slack, seen)
    async with in_socket_mode(slack, app):
        await slack.writes(ANN, ANN, f"<@{BOT_USER}> hello")
        await slack.until(lambda: seen.events)
        opened = await app.client.conversations_open(users=[ANN])
    assert [event["channel_type"] for event in seen.events] == ["im"], "no app_mention in direct messages"
    assert seen.events[0]["channel"] == opened["channel"]["id"]


async def test_a_mention_is_two_events_with_different_ids_for_one_message(slack: SlackServer) -> None:
    seen = Seen()
    async with in_socket_mode(slack, small_bot(slack, seen)):
        ts = await slack.writes(ANN, HELP, f"<@{BOT_USER}> help")
        await slack.until(lambda: len(seen.events) == 2)
    assert {event["type"] for event in seen.events} == {"message", "app_mention"}
    assert {event["ts"] for event in seen.events} == {ts}
    assert len({delivery.event_id for delivery in slack.deliveries}) == 2


async def test_a_pressed_button_brings_its_value(slack: SlackServer) -> None:
    seen = Seen()
    app = small_bot(slack, seen)
    async with in_socket_mode(slack, app):
        card = await app.client.chat_postMessage(channel=HELP, text="Which?", blocks=actions("billing", "tech"))
        await slack.presses(ANN, HELP, card["ts"], "choose", value="tech")
        await slack.until(lambda: seen.actions)
        await slack.presses(ANN, HELP, card["ts"], "choose", value="forged")
        await slack.until(lambda: len(seen.actions) == 2)
        with pytest.raises(LookupError):
            await slack.presses(ANN, HELP, card["ts"], "absent")
    assert [action["value"] for action in seen.actions] == ["tech", "forged"]


async def test_events_of_a_channel_without_the_bot_stay_unseen(slack: SlackServer) -> None:
    slack.add_channel(Channel(id="C0SECRET", name="secret", has_bot=False))
    await slack.writes(ANN, "C0SECRET", "nobody hears this")
    assert slack.deliveries == []
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await web_client(slack).chat_postMessage(channel="C0SECRET", text="hello")


async def test_an_unacknowledged_envelope_is_delivered_again_with_its_retry_number(
    slack: SlackServer,
) -> None:
    frames: list[dict[str, object]] = []
    opened = await web_client(slack, slack.app_token).apps_connections_open(app_token=slack.app_token)
    async with aiohttp.ClientSession() as session, session.ws_connect(opened["url"]) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        await slack.writes(ANN, HELP, "hello")
        for _ in range(3):
            frames.append(await socket.receive_json(timeout=2))
        await socket.send_json({"envelope_id": frames[-1]["envelope_id"]})
        await slack.until(lambda: slack.deliveries[0].acked)
    assert [(frame["retry_attempt"], frame["retry_reason"]) for frame in frames] == [
        (0, ""),
        (1, "timeout"),
        (2, "timeout"),
    ]
    assert slack.deliveries[0].attempts == 3


async def test_an_event_never_acknowledged_is_given_up_after_the_retries() -> None:
    async with SlackServer([HELP], redeliver_after=0.05, retries=2) as slack:
        opened = await web_client(slack, slack.app_token).apps_connections_open(app_token=slack.app_token)
        async with aiohttp.ClientSession() as session, session.ws_connect(opened["url"]):
            await slack.writes(ANN, HELP, "hello")
            await slack.until(lambda: slack.deliveries[0].given_up and len(slack.deliveries[0].failures) == 3)
    assert slack.deliveries[0].attempts == 3
    assert not slack.deliveries[0].acked


async def test_each_event_goes_to_one_of_several_connections(slack: SlackServer) -> None:
    first, second = Seen(), Seen()
    async with (
        in_socket_mode(slack, small_bot(slack, first)),
        in_socket_mode(slack, small_bot(slack, second)),
    ):
        for number in range(6):
            await slack.writes(ANN, HELP, f"message {number}")
        await slack.until(lambda: len(first.events) + len(second.events) == 6)
    assert first.events and second.events


async def test_an_event_whose_connection_dies_unacknowledged_arrives_at_the_next_one(
    slack: SlackServer,
) -> None:
    client = web_client(slack, slack.app_token)
    opened = await client.apps_connections_open(app_token=slack.app_token)
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(opened["url"]) as dying:
            assert (await dying.receive_json())["type"] == "hello"
            await slack.writes(ANN, HELP, "not lost")
            await dying.receive_json(timeout=2)
        await slack.until(lambda: slack.deliveries[0].failures)
        async with session.ws_connect(opened["url"]) as fresh:
            assert (await fresh.receive_json())["type"] == "hello"
            again = await fresh.receive_json(timeout=2)
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "connection_failed")
    assert again["payload"]["event_id"] == slack.deliveries[0].event_id


async def test_an_eleventh_connection_is_sent_away(slack: SlackServer) -> None:
    opened = await web_client(slack, slack.app_token).apps_connections_open(app_token=slack.app_token)
    async with aiohttp.ClientSession() as session, AsyncExitStack() as connections:
        for _ in range(11):
            latest = await connections.enter_async_context(session.ws_connect(opened["url"]))
        frame = await latest.receive_json(timeout=2)
    assert (frame["type"], frame["reason"]) == ("disconnect", "too_many_websockets")


async def test_the_client_comes_back_after_a_refresh_and_events_in_the_gap_arrive(
    slack: SlackServer,
) -> None:
    seen = Seen()
    async with in_socket_mode(slack, small_bot(slack, seen)):
        await slack.sockets.disconnect("refresh_requested")
        await slack.writes(ANN, HELP, "in the gap")
        await slack.until(lambda: seen.of("message") and len(slack.calls_to("apps.connections.open")) == 2)


async def test_a_signed_event_over_http_is_accepted_and_a_bad_signature_is_not(slack: SlackServer) -> None:
    seen = Seen()
    async with over_http(small_bot(slack, seen)) as url:
        good = slack.sends_to(url)
        await slack.writes(ANN, HELP, "over http")
        await slack.until(lambda: good.statuses)
        forged = slack.sends_to(url, secret="wrong")
        await slack.writes(ANN, HELP, "forged")
        await slack.until(lambda: forged.statuses)
        stale = slack.sends_to(url, skew=-301)
        await slack.writes(ANN, HELP, "stale")
        await slack.until(lambda: stale.statuses)
        fresh = slack.sends_to(url, skew=-298)
        await slack.writes(ANN, HELP, "fresh enough")
        await slack.until(lambda: fresh.statuses and len(seen.events) == 2)
    assert (good.statuses, fresh.statuses) == ([200], [200])
    assert forged.statuses[0] == stale.statuses[0] == 401
    assert [event["text"] for event in seen.events] == ["over http", "fresh enough"]


async def test_a_press_over_http_is_a_signed_form(slack: SlackServer) -> None:
    seen = Seen()
    app = small_bot(slack, seen)
    async with over_http(app) as url:
        slack.sends_to(url)
        card = await app.client.chat_postMessage(channel=HELP, text="Which?", blocks=actions("billing"))
        await slack.presses(ANN, HELP, card["ts"], "choose")
        await slack.until(lambda: seen.actions)
    assert seen.actions[0]["value"] == "billing"
