<<<<<<< HEAD
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
=======
"""The Slack server against the real slack_bolt and slack_sdk, and the facts about Bolt that the bot rests on."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from tests.servers.slack import BOT_USER, Channel, SlackServer, User

Event = Mapping[str, object]
HELP, BILLING, ANN, LEAD = "C0HELP", "C0BILLING", "U0ANN", "U0LEAD"


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    async with SlackServer([HELP, BILLING], redeliver_after=0.3) as running:
        yield running


@dataclass(slots=True)
class Seen:
    """What a small bot was handed, in order."""

    events: list[Event] = field(default_factory=list)
    actions: list[Event] = field(default_factory=list)

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["type"] == kind]


def web_client(server: SlackServer, token: str | None = None) -> AsyncWebClient:
    return AsyncWebClient(token=token or server.bot_token, base_url=server.api_url)


def small_bot(server: SlackServer, seen: Seen) -> AsyncApp:
    app = AsyncApp(client=web_client(server), signing_secret=server.signing_secret)

    @app.event(re.compile(".*"))
    async def remember(event: Event) -> None:
        seen.events.append(event)

    @app.action(re.compile(".*"))
    async def press(ack: Callable[[], Awaitable[object]], action: Event) -> None:
        await ack()
        seen.actions.append(action)

    return app


@asynccontextmanager
async def in_socket_mode(server: SlackServer, app: AsyncApp) -> AsyncIterator[AsyncSocketModeHandler]:
    handler = AsyncSocketModeHandler(
        app, server.app_token, web_client=web_client(server, server.app_token), ping_interval=5
    )
    connected = len(server.sockets.sockets)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await server.until(lambda: len(server.sockets.sockets) > connected)
    try:
        yield handler
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def over_http(app: AsyncApp) -> AsyncIterator[str]:
    """The app behind a request URL, as our own web server will have it."""

    async def receive(request: web.Request) -> web.Response:
        headers: dict[str, str | Sequence[str]] = dict(request.headers)
        answer: BoltResponse = await app.async_dispatch(
            AsyncBoltRequest(body=await request.text(), headers=headers)
        )
        return web.Response(status=answer.status, text=answer.body, headers=answer.first_headers())

    site = web.Application()
    site.router.add_post("/slack/events", receive)
    runner = web.AppRunner(site, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    finally:
        await runner.cleanup()


def button(value: str) -> dict[str, object]:
    return {
        "type": "button",
        "action_id": "choose",
        "text": {"type": "plain_text", "text": value},
        "value": value,
    }


def actions(*values: str) -> list[dict[str, object]]:
    return [{"type": "actions", "block_id": "teams", "elements": [button(value) for value in values]}]


# ── the whole way round ──


async def test_a_message_and_a_reaction_arrive_over_socket_mode_and_are_answered_in_the_thread(
    server: SlackServer,
) -> None:
    seen = Seen()
    app = small_bot(server, seen)
    async with in_socket_mode(server, app):
        ts = await server.writes(ANN, HELP, "I was charged twice")
        await server.until(lambda: seen.of("message"))
        sent = await app.client.chat_postMessage(channel=HELP, text="Billing has it", thread_ts=ts)
        await server.reacts(LEAD, HELP, sent["ts"], "moneybag")
        await server.until(lambda: seen.of("reaction_added"))
        await server.unreacts(LEAD, HELP, sent["ts"], "moneybag")
        await server.until(lambda: seen.of("reaction_removed"))
>>>>>>> slack
    written, reaction = seen.of("message")[0], seen.of("reaction_added")[0]
    assert (written["text"], written["ts"], written["channel_type"]) == ("I was charged twice", ts, "channel")
    assert reaction["item"] == {"type": "message", "channel": HELP, "ts": sent["ts"]}
    assert (reaction["user"], reaction["item_user"]) == (LEAD, BOT_USER)
<<<<<<< HEAD
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
=======
    [post] = server.posts(HELP)
    assert (post.text, post.thread_ts) == ("Billing has it", ts)
    assert all(delivery.acked for delivery in server.deliveries)


async def test_a_direct_message_has_the_channel_type_im_and_can_be_opened_by_the_bot(
    server: SlackServer,
) -> None:
    seen = Seen()
    app = small_bot(server, seen)
    async with in_socket_mode(server, app):
        await server.writes(ANN, ANN, f"<@{BOT_USER}> hello")
        await server.until(lambda: seen.events)
>>>>>>> slack
        opened = await app.client.conversations_open(users=[ANN])
    assert [event["channel_type"] for event in seen.events] == ["im"], "no app_mention in direct messages"
    assert seen.events[0]["channel"] == opened["channel"]["id"]


<<<<<<< HEAD
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
=======
async def test_a_mention_is_two_events_with_different_ids_for_one_message(server: SlackServer) -> None:
    seen = Seen()
    async with in_socket_mode(server, small_bot(server, seen)):
        ts = await server.writes(ANN, HELP, f"<@{BOT_USER}> help")
        await server.until(lambda: len(seen.events) == 2)
    assert {event["type"] for event in seen.events} == {"message", "app_mention"}
    assert {event["ts"] for event in seen.events} == {ts}
    assert len({delivery.event_id for delivery in server.deliveries}) == 2


async def test_a_pressed_button_brings_its_value(server: SlackServer) -> None:
    seen = Seen()
    app = small_bot(server, seen)
    async with in_socket_mode(server, app):
        card = await app.client.chat_postMessage(
            channel=HELP, text="Which?", blocks=actions("billing", "tech")
        )
        await server.presses(ANN, HELP, card["ts"], "choose", value="tech")
        await server.until(lambda: seen.actions)
        await server.presses(ANN, HELP, card["ts"], "choose", value="forged")
        await server.until(lambda: len(seen.actions) == 2)
        with pytest.raises(LookupError):
            await server.presses(ANN, HELP, card["ts"], "absent")
    assert [action["value"] for action in seen.actions] == ["tech", "forged"]


async def test_events_of_a_channel_without_the_bot_stay_unseen(server: SlackServer) -> None:
    server.add_channel(Channel(id="C0SECRET", name="secret", has_bot=False))
    await server.writes(ANN, "C0SECRET", "nobody hears this")
    assert server.deliveries == []
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await web_client(server).chat_postMessage(channel="C0SECRET", text="hello")


# ── delivery ──


async def test_an_unacknowledged_envelope_is_delivered_again_with_its_retry_number(
    server: SlackServer,
) -> None:
    frames: list[dict[str, object]] = []
    opened = await web_client(server, server.app_token).apps_connections_open(app_token=server.app_token)
    async with aiohttp.ClientSession() as session, session.ws_connect(opened["url"]) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        await server.writes(ANN, HELP, "hello")
        for _ in range(3):
            frames.append(await socket.receive_json(timeout=2))
        await socket.send_json({"envelope_id": frames[-1]["envelope_id"]})
        await server.until(lambda: server.deliveries[0].acked)
>>>>>>> slack
    assert [(frame["retry_attempt"], frame["retry_reason"]) for frame in frames] == [
        (0, ""),
        (1, "timeout"),
        (2, "timeout"),
    ]
<<<<<<< HEAD
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
=======
    assert server.deliveries[0].attempts == 3


async def test_an_event_never_acknowledged_is_given_up_after_the_retries() -> None:
    async with SlackServer([HELP], redeliver_after=0.05, retries=2) as server:
        opened = await web_client(server, server.app_token).apps_connections_open(app_token=server.app_token)
        async with aiohttp.ClientSession() as session, session.ws_connect(opened["url"]):
            await server.writes(ANN, HELP, "hello")
            await server.until(
                lambda: server.deliveries[0].given_up and len(server.deliveries[0].failures) == 3
            )
    assert server.deliveries[0].attempts == 3
    assert not server.deliveries[0].acked


async def test_each_event_goes_to_one_of_several_connections(server: SlackServer) -> None:
    first, second = Seen(), Seen()
    async with (
        in_socket_mode(server, small_bot(server, first)),
        in_socket_mode(server, small_bot(server, second)),
    ):
        for number in range(6):
            await server.writes(ANN, HELP, f"message {number}")
        await server.until(lambda: len(first.events) + len(second.events) == 6)
    assert first.events and second.events


async def test_the_client_comes_back_after_a_refresh_and_events_in_the_gap_arrive(
    server: SlackServer,
) -> None:
    seen = Seen()
    async with in_socket_mode(server, small_bot(server, seen)):
        await server.sockets.disconnect("refresh_requested")
        await server.writes(ANN, HELP, "in the gap")
        await server.until(lambda: seen.of("message") and len(server.calls_to("apps.connections.open")) == 2)


async def test_a_signed_event_over_http_is_accepted_and_a_bad_signature_is_not(server: SlackServer) -> None:
    seen = Seen()
    async with over_http(small_bot(server, seen)) as url:
        good = server.sends_to(url)
        await server.writes(ANN, HELP, "over http")
        await server.until(lambda: good.statuses)
        forged = server.sends_to(url, secret="wrong")
        await server.writes(ANN, HELP, "forged")
        await server.until(lambda: forged.statuses)
        stale = server.sends_to(url, skew=-301)
        await server.writes(ANN, HELP, "stale")
        await server.until(lambda: stale.statuses)
        fresh = server.sends_to(url, skew=-298)
        await server.writes(ANN, HELP, "fresh enough")
        await server.until(lambda: fresh.statuses and len(seen.events) == 2)
>>>>>>> slack
    assert (good.statuses, fresh.statuses) == ([200], [200])
    assert forged.statuses[0] == stale.statuses[0] == 401
    assert [event["text"] for event in seen.events] == ["over http", "fresh enough"]


<<<<<<< HEAD
async def test_a_press_over_http_is_a_signed_form(slack: SlackServer) -> None:
    seen = Seen()
    app = small_bot(slack, seen)
    async with over_http(app) as url:
        slack.sends_to(url)
        card = await app.client.chat_postMessage(channel=HELP, text="Which?", blocks=actions("billing"))
        await slack.presses(ANN, HELP, card["ts"], "choose")
        await slack.until(lambda: seen.actions)
    assert seen.actions[0]["value"] == "billing"
=======
async def test_a_press_over_http_is_a_signed_form(server: SlackServer) -> None:
    seen = Seen()
    app = small_bot(server, seen)
    async with over_http(app) as url:
        server.sends_to(url)
        card = await app.client.chat_postMessage(channel=HELP, text="Which?", blocks=actions("billing"))
        await server.presses(ANN, HELP, card["ts"], "choose")
        await server.until(lambda: seen.actions)
    assert seen.actions[0]["value"] == "billing"


# ── the Web API and its misbehaviour ──


async def test_a_wrong_token_and_an_unknown_method_are_refused(server: SlackServer) -> None:
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await web_client(server, "xoxb-other").auth_test()
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await web_client(server).apps_connections_open(app_token=server.bot_token)
    with pytest.raises(SlackApiError, match="unknown_method"):
        await web_client(server).api_call("chat.shout")
    assert server.bot_token not in repr(server.calls)


async def test_posts_keep_their_edits_metadata_and_permalink(server: SlackServer) -> None:
    client = web_client(server)
    metadata = {"event_type": "card", "event_payload": {"conversation": 7}}
    sent = await client.chat_postMessage(channel=BILLING, text="card", metadata=metadata)
    await client.chat_update(channel=BILLING, ts=sent["ts"], text="moved", blocks=actions("undo"))
    [post] = server.posts(BILLING)
    assert (post.text, post.metadata, [old.text for old in post.edits]) == ("moved", metadata, ["card"])
    link = await client.chat_getPermalink(channel=BILLING, message_ts=sent["ts"])
    assert link["permalink"].endswith(f"/{BILLING}/p{sent['ts'].replace('.', '')}")
    history = await client.conversations_history(channel=BILLING, include_all_metadata=True)
    assert history["messages"][0]["metadata"] == metadata


async def test_a_ts_is_a_text_and_only_unique_within_its_channel(server: SlackServer) -> None:
    client = web_client(server)
    sent = [await client.chat_postMessage(channel=HELP, text=str(number)) for number in range(3)]
    stamps = [answer["ts"] for answer in sent]
    assert stamps == sorted(set(stamps))
    assert all(re.fullmatch(r"\d{10}\.\d{6}", ts) and str(float(ts)) != ts for ts in stamps)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NONE", "text": "hello"}, "channel_not_found"),
        ({"channel": HELP, "text": ""}, "no_text"),
        ({"channel": HELP, "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": HELP, "text": "x", "thread_ts": "1.000100"}, "thread_not_found"),
        ({"channel": HELP, "text": "x", "blocks": actions("x" * 76)}, "invalid_blocks"),
        ({"channel": "C0OLD", "text": "x"}, "is_archived"),
    ],
)
async def test_a_post_that_slack_would_refuse_is_refused(
    server: SlackServer, arguments: dict[str, object], error: str
) -> None:
    server.add_channel(Channel(id="C0OLD", name="old", is_archived=True))
    with pytest.raises(SlackApiError, match=error):
        await web_client(server).api_call("chat.postMessage", json=arguments)
    assert server.posts(HELP) == []


async def test_reactions_of_the_bot_are_kept_once_and_foreign_messages_cannot_be_updated(
    server: SlackServer,
) -> None:
    client = web_client(server)
    ts = await server.writes(ANN, HELP, "hello")
    await client.reactions_add(channel=HELP, timestamp=ts, name="eyes")
    with pytest.raises(SlackApiError, match="already_reacted"):
        await client.reactions_add(channel=HELP, timestamp=ts, name="eyes")
    with pytest.raises(SlackApiError, match="cant_update_message"):
        await client.chat_update(channel=HELP, ts=ts, text="mine now")
    assert server.reactions(HELP, ts) == {"eyes": [BOT_USER]}


async def test_people_groups_and_aliases_can_be_looked_up(server: SlackServer) -> None:
    server.add_user(User(id=LEAD, name="lead", locale="pt-BR", team_id="T0OTHER"))
    server.add_usergroup("S0LEADS", [LEAD])
    server.space.emoji["cash"] = "alias:moneybag"
    client = web_client(server)
    person = (await client.users_info(user=LEAD, include_locale=True))["user"]
    assert (person["locale"], person["is_stranger"]) == ("pt-BR", True)
    assert (await client.usergroups_users_list(usergroup="S0LEADS"))["users"] == [LEAD]
    assert (await client.emoji_list())["emoji"] == {"cash": "alias:moneybag"}
    await client.chat_postEphemeral(channel=HELP, user=LEAD, text="only you")
    assert [post.text for post in server.ephemerals(HELP, LEAD)] == ["only you"]
    assert server.posts(HELP) == []


async def test_a_rate_limit_raises_by_default_and_is_waited_for_with_the_retry_handler(
    server: SlackServer,
) -> None:
    server.fail("chat.postMessage", error="ratelimited", retry_after=1, times=2)
    with pytest.raises(SlackApiError, match="ratelimited"):
        await web_client(server).chat_postMessage(channel=HELP, text="once")
    patient = web_client(server)
    patient.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=2))
    began = asyncio.get_running_loop().time()
    await patient.chat_postMessage(channel=HELP, text="once")
    assert asyncio.get_running_loop().time() - began >= 1.0
    assert [post.text for post in server.posts(HELP)] == ["once"]
    assert len(server.calls_to("chat.postMessage")) == 3


async def test_a_lost_response_leaves_the_message_posted_and_the_default_retry_posts_it_again(
    server: SlackServer,
) -> None:
    server.fail("chat.postMessage", lose_response=True)
    await web_client(server).chat_postMessage(channel=HELP, text="twice")
    assert [post.text for post in server.posts(HELP)] == ["twice", "twice"]


async def test_an_outage_and_a_delay_can_be_planned(server: SlackServer) -> None:
    server.fail("chat.postMessage", status=503)
    server.fail("chat.postMessage", delay=0.3)
    with pytest.raises(SlackApiError, match="503"):
        await web_client(server).chat_postMessage(channel=HELP, text="lost")
    began = asyncio.get_running_loop().time()
    await web_client(server).chat_postMessage(channel=HELP, text="late")
    assert asyncio.get_running_loop().time() - began >= 0.3
    assert [post.text for post in server.posts(HELP)] == ["late"]


async def test_the_control_api_drives_the_server_from_another_process(server: SlackServer) -> None:
    async def control(verb: str, **arguments: object) -> tuple[int, dict[str, object]]:
        async with server.http.post(f"{server.url}/_control/{verb}", json=arguments) as answer:
            return answer.status, await answer.json()

    _, written = await control("writes", user=ANN, channel=HELP, text="hello")
    await web_client(server).chat_postMessage(channel=HELP, text="yes?", thread_ts=str(written["result"]))
    _, seen = await control("posts", channel=HELP)
    assert isinstance(seen["result"], list) and seen["result"][0]["text"] == "yes?"
    assert (await control("reacts", user=ANN))[0] == 400
    assert (await control("nonsense"))[0] == 404


# ── facts about Bolt that the bot rests on ──


async def test_bolt_runs_the_listener_again_for_a_repeated_event(server: SlackServer) -> None:
    seen = Seen()
    async with in_socket_mode(server, small_bot(server, seen)):
        await server.writes(ANN, HELP, "once")
        await server.until(lambda: server.deliveries and server.deliveries[0].acked)
        await server.repeats(server.deliveries[0].event_id)
        await server.until(lambda: len(seen.of("message")) == 2)


async def test_bolt_runs_middleware_before_the_acknowledgement_and_the_listener_after_it(
    server: SlackServer,
) -> None:
    app = AsyncApp(client=web_client(server), signing_secret=server.signing_secret)
    let_middleware, let_listener = asyncio.Event(), asyncio.Event()

    @app.middleware
    async def store(next: Callable[[], Awaitable[object]]) -> None:
        await let_middleware.wait()
        await next()

    @app.event("message")
    async def listen(event: Event) -> None:
        await let_listener.wait()

    server.courier.redeliver_after = 5.0
    async with in_socket_mode(server, app):
        await server.writes(ANN, HELP, "hello")
        await asyncio.sleep(0.2)
        assert not server.deliveries[0].acked
        let_middleware.set()
        await server.until(lambda: server.deliveries[0].acked)
        assert not let_listener.is_set()
        let_listener.set()


async def test_an_event_whose_listener_fails_is_acknowledged_all_the_same(server: SlackServer) -> None:
    app = AsyncApp(client=web_client(server), signing_secret=server.signing_secret)
    failed: list[str] = []

    @app.event("message")
    async def listen(event: Event) -> None:
        failed.append(str(event["ts"]))
        raise RuntimeError("the listener broke")

    async with in_socket_mode(server, app):
        ts = await server.writes(ANN, HELP, "hello")
        await server.until(lambda: server.deliveries[0].acked and failed)
        await asyncio.sleep(0.4)
    assert failed == [ts]
    assert server.deliveries[0].attempts == 1, "the event is lost: Slack does not send it again"


async def test_failing_middleware_leaves_the_event_unacknowledged_so_that_it_comes_again(
    server: SlackServer,
) -> None:
    app = AsyncApp(client=web_client(server), signing_secret=server.signing_secret)
    attempts: list[int] = []

    @app.middleware
    async def store(next: Callable[[], Awaitable[object]]) -> None:
        attempts.append(len(attempts))
        if len(attempts) == 1:
            raise ConnectionError("the database is down")
        await next()

    @app.event("message")
    async def listen(event: Event) -> None: ...

    async with in_socket_mode(server, app):
        await server.writes(ANN, HELP, "hello")
        await server.until(lambda: server.deliveries[0].acked)
    assert server.deliveries[0].attempts == 2


async def test_an_event_that_nobody_listens_to_is_never_acknowledged(server: SlackServer) -> None:
    app = AsyncApp(client=web_client(server), signing_secret=server.signing_secret)
    async with over_http(app) as url:
        route = server.sends_to(url)
        await server.writes(ANN, HELP, "hello")
        await server.until(lambda: len(route.statuses) == 2)
    assert route.statuses == [404, 404]


async def test_bolt_acknowledges_and_drops_what_the_bot_itself_did(server: SlackServer) -> None:
    seen = Seen()
    app = small_bot(server, seen)
    async with in_socket_mode(server, app):
        sent = await app.client.chat_postMessage(channel=HELP, text="card")
        await app.client.reactions_add(channel=HELP, timestamp=sent["ts"], name="eyes")
        await app.client.chat_update(channel=HELP, ts=sent["ts"], text="moved")
        await server.until(lambda: len(server.deliveries) == 3 and all(d.acked for d in server.deliveries))
        await server.writes(ANN, HELP, "mine")
        await server.until(lambda: seen.events)
    assert [event["text"] for event in seen.events] == ["mine"]


async def test_another_bots_message_reaches_the_listener(server: SlackServer) -> None:
    seen = Seen()
    async with in_socket_mode(server, small_bot(server, seen)):
        await server.writes("U0OTHERBOT", HELP, "beep", extra={"bot_id": "B0OTHER"})
        await server.until(lambda: seen.of("message"))
    assert seen.events[0]["bot_id"] == "B0OTHER"
>>>>>>> slack
