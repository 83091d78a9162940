"""Behaviour of slack_bolt on which the bot relies."""

import asyncio
from collections.abc import Awaitable, Callable

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from tests.integration.servers.slack_bot import (
    ANN,
    HELP,
    Event,
    Seen,
    in_socket_mode,
    over_http,
    small_bot,
    web_client,
)
from tests.servers.slack import SlackServer


async def test_bolt_runs_the_listener_again_for_a_repeated_event(slack: SlackServer) -> None:
    seen = Seen()
    async with in_socket_mode(slack, small_bot(slack, seen)):
        await slack.writes(ANN, HELP, "once")
        await slack.until(lambda: slack.deliveries and slack.deliveries[0].acked)
        await slack.repeats(slack.deliveries[0].event_id)
        await slack.until(lambda: len(seen.of("message")) == 2)


async def test_bolt_runs_middleware_before_the_acknowledgement_and_the_listener_after_it(
    slack: SlackServer,
) -> None:
    app = AsyncApp(client=web_client(slack), signing_secret=slack.signing_secret)
    let_middleware, let_listener = asyncio.Event(), asyncio.Event()
    stored: list[object] = []

    @app.middleware
    async def store(payload: Event, next: Callable[[], Awaitable[object]]) -> None:
        stored.append(payload["text"])
        if payload["text"] == "hello":
            await let_middleware.wait()
        await next()

    @app.event("message")
    async def listen(event: Event) -> None:
        await let_listener.wait()

    slack.courier.redeliver_after = 5.0
    async with in_socket_mode(slack, app):
        await slack.writes(ANN, HELP, "hello")
        await slack.until(lambda: stored == ["hello"])
        await slack.writes(ANN, HELP, "behind it")
        await slack.until(lambda: slack.deliveries[1].acked)
        assert not slack.deliveries[0].acked
        let_middleware.set()
        await slack.until(lambda: slack.deliveries[0].acked)
        assert not let_listener.is_set()
        let_listener.set()


async def test_an_event_whose_listener_fails_is_acknowledged_all_the_same(slack: SlackServer) -> None:
    app = AsyncApp(client=web_client(slack), signing_secret=slack.signing_secret)
    failed: list[str] = []

    @app.event("message")
    async def listen(event: Event) -> None:
        failed.append(str(event["ts"]))
        raise RuntimeError("the listener broke")

    async with in_socket_mode(slack, app):
        both = [await slack.writes(ANN, HELP, "hello")]
        await slack.until(lambda: slack.deliveries[0].acked and failed)
        both.append(await slack.writes(ANN, HELP, "behind it"))
        await slack.until(lambda: slack.deliveries[1].acked and len(failed) > 1)
    assert failed == both
    assert slack.deliveries[0].attempts == 1, "the event is lost: Slack does not send it again"


async def test_failing_middleware_leaves_the_event_unacknowledged_so_that_it_comes_again(
    slack: SlackServer,
) -> None:
    app = AsyncApp(client=web_client(slack), signing_secret=slack.signing_secret)
    attempts: list[int] = []

    @app.middleware
    async def store(next: Callable[[], Awaitable[object]]) -> None:
        attempts.append(len(attempts))
        if len(attempts) == 1:
            raise ConnectionError("the database is down")
        await next()

    @app.event("message")
    async def listen(event: Event) -> None: ...

    async with in_socket_mode(slack, app):
        await slack.writes(ANN, HELP, "hello")
        await slack.until(lambda: slack.deliveries[0].acked)
    assert slack.deliveries[0].attempts == 2


async def test_failing_middleware_is_a_server_error_over_http_so_that_slack_tries_again(
    slack: SlackServer,
) -> None:
    app = AsyncApp(client=web_client(slack), signing_secret=slack.signing_secret)
    retries: list[object] = []

    @app.middleware
    async def store(req: AsyncBoltRequest, next: Callable[[], Awaitable[object]]) -> None:
        retries.append(req.headers.get("x-slack-retry-num"))
        if len(retries) == 1:
            raise ConnectionError("the database is down")
        await next()

    @app.event("message")
    async def listen(event: Event) -> None: ...

    async with over_http(app) as url:
        route = slack.sends_to(url)
        await slack.writes(ANN, HELP, "hello")
        await slack.until(lambda: slack.deliveries[0].acked)
    assert route.statuses == [500, 200]
    assert retries == [None, ["1"]]


async def test_the_users_edit_and_deletion_arrive_as_subtypes_of_message(slack: SlackServer) -> None:
    seen = Seen()
    async with in_socket_mode(slack, small_bot(slack, seen)):
        ts = await slack.writes(ANN, HELP, "helo")
        await slack.edits(ANN, HELP, ts, "hello")
        await slack.deletes(ANN, HELP, ts)
        await slack.until(lambda: len(seen.events) == 3)
    changed = next(event for event in seen.events if event.get("subtype") == "message_changed")
    deleted = next(event for event in seen.events if event.get("subtype") == "message_deleted")
    message, previous = changed["message"], changed["previous_message"]
    assert isinstance(message, dict) and isinstance(previous, dict)
    assert (previous["text"], message["text"], message["ts"]) == ("helo", "hello", ts)
    assert deleted["deleted_ts"] == ts


async def test_an_event_that_nobody_listens_to_is_never_acknowledged(slack: SlackServer) -> None:
    app = AsyncApp(client=web_client(slack), signing_secret=slack.signing_secret)
    async with over_http(app) as url:
        route = slack.sends_to(url)
        await slack.writes(ANN, HELP, "hello")
        await slack.until(lambda: len(route.statuses) == 2)
    assert route.statuses == [404, 404]


async def test_bolt_acknowledges_and_drops_what_the_bot_itself_did(slack: SlackServer) -> None:
    seen = Seen()
    app = small_bot(slack, seen)
    async with in_socket_mode(slack, app):
        sent = await app.client.chat_postMessage(channel=HELP, text="card")
        await app.client.reactions_add(channel=HELP, timestamp=sent["ts"], name="eyes")
        await app.client.chat_update(channel=HELP, ts=sent["ts"], text="moved")
        await slack.until(lambda: len(slack.deliveries) == 3 and all(d.acked for d in slack.deliveries))
        await slack.writes(ANN, HELP, "mine")
        await slack.until(lambda: seen.events)
    assert [event["text"] for event in seen.events] == ["mine"]


async def test_another_bots_message_reaches_the_listener(slack: SlackServer) -> None:
    seen = Seen()
    async with in_socket_mode(slack, small_bot(slack, seen)):
        await slack.writes("U0OTHERBOT", HELP, "beep", extra={"bot_id": "B0OTHER"})
        await slack.until(lambda: seen.of("message"))
    assert seen.events[0]["bot_id"] == "B0OTHER"
