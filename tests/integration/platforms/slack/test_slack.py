"""The Slack adapter through the real slack-bolt, against a local Slack."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import cast

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from bot.domain import ports
from bot.domain.decisions import Author, Reason
from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import Message, MessageRef, Person, Place, Press, Reaction
from bot.domain.posts import OTHER, Answer, Card, Content, FollowUp, Owed, Post, Question
from bot.domain.tasks import Label, Task
from bot.platforms import Routed, Surroundings
from bot.platforms.slack import Config, Mode, adapter, connect, parse
from bot.platforms.slack.adapter import Slack
from tests.servers.slack import BOT_USER, Channel, SlackServer, User

HELP, LOUNGE, BILLING, IT = "C0HELP", "C0LOUNGE", "C0BILLING", "C0IT"
ANN, LEAD, OTHER_LEAD, STRANGER, ROBOT = "U0ANN", "U0LEAD", "U0LEAD2", "U0STRANGER", "U0ROBOT"

TASK = Task(
    name="routing",
    question="Which team?",
    labels=tuple(
        Label(name, f"about {name}", deliver_to={"slack": Place("slack", room)})
        for name, room in (("billing", BILLING), ("it", IT))
    ),
    fallback="it",
)
NOWHERE = Surroundings(
    TASK,
    ("en", "pt-BR", "es"),
    "starter",
    cast(ports.Ledger, None),
    cast(ports.Transcript, None),
    cast(ports.Registry, None),
    cast(ports.Examples, None),
)


@dataclass(slots=True)
class Recorder:
    """An inbox in memory that can be down and slow; by ref, as the real one."""

    down: bool = False
    broken: bool = False
    slow: float = 0.0
    tried: int = 0
    messages: dict[MessageRef, Message] = field(default_factory=dict)
    reactions: list[Reaction] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)

    async def message(self, message: Message) -> None:
        await self._store()
        self.messages.setdefault(message.ref, message)

    async def reaction(self, reaction: Reaction) -> None:
        await self._store()
        self.reactions.append(reaction)

    async def press(self, press: Press) -> None:
        await self._store()
        self.presses.append(press)

    async def _store(self) -> None:
        self.tried += 1
        await asyncio.sleep(self.slow)
        if self.broken:
            raise RuntimeError("a bug")
        if self.down:
            raise Unreachable("database: down")

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages.values()]


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    async with SlackServer([HELP, LOUNGE, BILLING, IT], redeliver_after=0.5) as running:
        running.add_user(User(id=ANN, name="Ann", locale="pt-BR"))
        running.add_user(User(id=ROBOT, name="robot", is_bot=True))
        yield running


@pytest.fixture
def inbox() -> Recorder:
    return Recorder()


def config(server: SlackServer, mode: Mode = Mode.SOCKET, **changes: str) -> Config:
    secrets = {
        "SLACK_BOT_TOKEN": server.bot_token,
        "SLACK_APP_TOKEN": server.app_token,
        "SLACK_SIGNING_SECRET": server.signing_secret,
        "SLACK_API_BASE_URL": server.api_url,
    }
    table = {"mode": mode.value, "intake": [HELP], "leads": [LEAD, ROBOT, "S0LEADS"]}
    return parse(table, secrets | changes)


@asynccontextmanager
async def speaking(settings: Config) -> AsyncIterator[Slack]:
    async with connect(settings, NOWHERE) as platform:
        assert isinstance(platform, Slack)
        yield platform


@asynccontextmanager
async def listening(server: SlackServer, slack: Slack, inbox: Recorder) -> AsyncIterator[None]:
    task = asyncio.create_task(slack.listen(inbox), name="listen")
    try:
        await server.until(lambda: slack.healthy() or task.done())
        assert not task.done(), task.exception()
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert not slack.healthy()


@asynccontextmanager
async def site(server: SlackServer, slack: Slack) -> AsyncIterator[str]:
    """The adapter's routes in a web server, as `bot.http` mounts them."""
    assert isinstance(slack, Routed)
    web = uvicorn.Server(uvicorn.Config(Starlette(routes=list(slack.routes)), port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(web.serve())
    await server.until(lambda: web.started)
    port = web.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/slack/events"
    finally:
        web.should_exit = True
        await task


@pytest.fixture(params=list(Mode))
async def slack(request: pytest.FixtureRequest, server: SlackServer, inbox: Recorder) -> AsyncIterator[Slack]:
    """A listening adapter, once over each transport."""
    mode = Mode(request.param)
    async with speaking(config(server, mode)) as platform, listening(server, platform, inbox):
        if mode is Mode.SOCKET:
            yield platform
        else:
            async with site(server, platform) as url:
                server.sends_to(url)
                yield platform


def settled(server: SlackServer) -> Callable[[], bool]:
    return lambda: bool(server.deliveries) and all(delivery.acked for delivery in server.deliveries)


def owed(content: Content, place: Place | None = None, **changes: object) -> Owed:
    blank = Owed(41, Post(place or Place("slack", HELP), content), 1)
    return replace(blank, **changes)  # type: ignore[arg-type]


def card(source: MessageRef) -> Card:
    return Card(
        conversation=7,
        label="billing",
        excerpt="I was charged twice <!channel>",
        author="Ann",
        source=source,
        by=Author.MODEL,
        reason=Reason.CONFIDENT,
        confidence=0.9,
        adapter="routing-1",
        legend=(("moneybag", "billing"),),
    )


# ── in, over both transports ──


async def test_a_message_is_stored_with_its_writers_name_and_language_and_acknowledged(
    server: SlackServer, slack: Slack, inbox: Recorder
) -> None:
    ts = await server.writes(ANN, HELP, "I was charged twice &amp; again")
    await server.until(settled(server))
    [message] = inbox.messages.values()
    assert (message.ref, message.place) == (MessageRef("slack", HELP, ts), Place("slack", HELP, ts))
    assert message.author == Person("slack", ANN, "Ann", "pt-BR")
    assert message.text == "I was charged twice & again"
    assert server.deliveries[0].attempts == 1


async def test_what_could_not_be_stored_is_not_acknowledged_and_comes_again(
    server: SlackServer, slack: Slack, inbox: Recorder
) -> None:
    inbox.down = True
    await server.writes(ANN, HELP, "I was charged twice")
    await server.until(lambda: inbox.tried == 2)
    assert not server.deliveries[0].acked
    assert inbox.messages == {}
    inbox.down = False
    await server.until(settled(server))
    assert inbox.texts == ["I was charged twice"]


async def test_a_mistake_of_ours_is_not_acknowledged_either(
    server: SlackServer, slack: Slack, inbox: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.broken = True
    await server.writes(ANN, HELP, "the words themselves")
    await server.until(lambda: inbox.tried == 2)
    inbox.broken = False
    await server.until(settled(server))
    assert "RuntimeError" in caplog.text
    assert "the words themselves" not in caplog.text


async def test_the_acknowledgement_waits_for_the_store(server: SlackServer, slack: Slack, inbox: Recorder) -> None:
    inbox.slow = 0.2
    server.courier.redeliver_after = 5.0
    await server.writes(ANN, HELP, "hello")
    await server.until(lambda: inbox.tried == 1)
    await asyncio.sleep(0.05)
    assert not server.deliveries[0].acked
    await server.until(settled(server))


async def test_mention_and_message_of_one_post_and_every_repeat_are_one_message(
    server: SlackServer, slack: Slack, inbox: Recorder
) -> None:
    await server.writes(ANN, HELP, f"<@{BOT_USER}> I was charged twice")
    await server.until(lambda: len(server.deliveries) == 2 and settled(server)())
    await server.repeats(server.deliveries[0].event_id)
    assert inbox.texts == ["I was charged twice"]
    assert inbox.tried == 3


async def test_direct_messages_and_mentions_are_heard_and_small_talk_is_not(
    server: SlackServer, slack: Slack, inbox: Recorder
) -> None:
    await server.writes(ANN, LOUNGE, "nice weather")
    await server.writes(ANN, BILLING, f"<@{BOT_USER}> what a card")
    await server.writes("U0OTHERBOT", HELP, "beep", extra={"bot_id": "B0OTHER"})
    await server.writes(ANN, ANN, "privately")
    await server.writes(ANN, LOUNGE, f"<@{BOT_USER}> publicly")
    await server.until(lambda: len(server.deliveries) == 7 and settled(server)())
    assert sorted(inbox.texts) == ["privately", "publicly"]
    assert all(delivery.attempts == 1 for delivery in server.deliveries), "what is not our business is acknowledged"


async def test_a_reply_keeps_the_thread_of_its_conversation(server: SlackServer, slack: Slack, inbox: Recorder) -> None:
    root = await server.writes(ANN, HELP, "I was charged twice")
    await server.writes(ANN, HELP, "on Monday", thread_ts=root)
    await server.until(lambda: len(inbox.messages) == 2)
    assert {message.place.thread for message in inbox.messages.values()} == {root}


async def test_reactions_come_and_go_in_normal_form(server: SlackServer, slack: Slack, inbox: Recorder) -> None:
    receipt = await slack.say(owed(card(MessageRef("slack", HELP, "1.1")), Place("slack", BILLING)))
    await server.reacts(LEAD, BILLING, receipt.id, "thumbsup::skin-tone-3")
    await server.until(settled(server))
    await server.unreacts(LEAD, BILLING, receipt.id, "thumbsup::skin-tone-3")
    await server.until(lambda: len(inbox.reactions) == 2)
    assert [(r.ref, r.actor.id, r.emoji, r.added) for r in inbox.reactions] == [
        (receipt, LEAD, "+1", True),
        (receipt, LEAD, "+1", False),
    ]
    assert inbox.messages == {}, "the bot's own card is no request"


async def test_a_press_is_stored_with_its_value_and_acknowledged(
    server: SlackServer, slack: Slack, inbox: Recorder
) -> None:
    root = await server.writes(ANN, HELP, "hm")
    receipt = await slack.say(owed(Question(("billing", "it"), None), Place("slack", HELP, root)))
    await server.presses(ANN, HELP, receipt.id, "choose_1")
    await server.presses(ANN, HELP, receipt.id, "choose_other")
    await server.until(lambda: len(inbox.presses) == 2)
    await server.until(settled(server))
    assert [(press.ref, press.actor.id, press.value) for press in inbox.presses] == [
        (receipt, ANN, "1"),
        (receipt, ANN, OTHER),
    ]


async def test_an_event_nobody_asked_for_is_acknowledged(server: SlackServer, slack: Slack, inbox: Recorder) -> None:
    server.emits({"type": "member_joined_channel", "user": ANN, "channel": HELP})
    server.emits({"type": "something_new", "deep": {"er": [None]}})
    await server.edits(ANN, HELP, await server.writes(ANN, HELP, "first"), "second")
    await server.until(lambda: len(server.deliveries) == 4 and settled(server)())
    assert [delivery.attempts for delivery in server.deliveries] == [1, 1, 1, 1]
    assert inbox.texts == ["first"]


@pytest.mark.parametrize("fault", [{"delay": 5.0}, {"error": "missing_scope"}, {"status": 500}])
async def test_a_slack_that_does_not_say_who_writes_holds_up_nothing(
    server: SlackServer, slack: Slack, inbox: Recorder, fault: dict[str, object]
) -> None:
    server.courier.redeliver_after = 3.0
    server.fail("users.info", **fault)  # type: ignore[arg-type]
    await server.writes(ANN, HELP, "first")
    await server.until(lambda: inbox.texts == ["first"], timeout=2)
    await server.writes(ANN, HELP, "second")
    await server.until(lambda: inbox.texts == ["first", "second"], timeout=0.5)
    assert {message.author for message in inbox.messages.values()} == {Person("slack", ANN)}
    assert len(server.calls_to("users.info")) == 1, "a slow Slack is left alone for a while"
    await server.until(settled(server))
    assert [delivery.attempts for delivery in server.deliveries] == [1, 1]


async def test_the_same_writer_is_looked_up_once(server: SlackServer, slack: Slack, inbox: Recorder) -> None:
    for number in range(5):
        await server.writes(ANN, HELP, f"message {number}")
    await server.until(lambda: len(inbox.messages) == 5)
    assert {message.author.name for message in inbox.messages.values()} == {"Ann"}
    assert len(server.calls_to("users.info")) == 1


# ── each transport's own ──


async def test_the_socket_comes_back_and_what_was_said_in_the_gap_arrives(server: SlackServer, inbox: Recorder) -> None:
    async with speaking(config(server)) as slack, listening(server, slack, inbox):
        await server.sockets.disconnect("refresh_requested")
        await server.writes(ANN, HELP, "in the gap")
        await server.until(lambda: inbox.messages and len(server.calls_to("apps.connections.open")) == 2)
        assert slack.healthy()


async def test_a_connection_that_does_not_come_back_ends_the_listening(
    server: SlackServer, inbox: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "_DEAF_SECONDS", 1)
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


# ── out ──


@pytest.fixture
async def mouth(server: SlackServer) -> AsyncIterator[Slack]:
    """An adapter that only speaks."""
    async with speaking(config(server)) as platform:
        yield platform


async def test_an_answer_is_said_in_the_thread_once_and_carries_the_posts_id(server: SlackServer, mouth: Slack) -> None:
    root = await server.writes(ANN, HELP, "I was charged twice")
    receipt = await mouth.say(owed(Answer("billing", "es"), Place("slack", HELP, root)))
    [post] = server.posts(HELP)
    assert receipt == MessageRef("slack", HELP, post.ts)
    assert (post.thread_ts, post.text) == (root, "¡Gracias! Esto es para el equipo billing. Ya tiene tu solicitud.")
    assert post.metadata == {"event_type": "switchboard_post", "event_payload": {"post": 41}}
    sent = server.calls_to("chat.postMessage")[0].args
    assert (str(sent["unfurl_links"]), str(sent["unfurl_media"])) == ("False", "False")


async def test_a_card_links_to_the_conversation_and_pings_nobody(server: SlackServer, mouth: Slack) -> None:
    root = await server.writes(ANN, HELP, "I was charged twice <!channel>")
    await mouth.say(owed(card(MessageRef("slack", HELP, root)), Place("slack", BILLING)))
    [post] = server.posts(BILLING)
    assert f"/archives/{HELP}/p{root.replace('.', '')}|" in str(post.blocks)
    assert "<!channel>" not in post.text
    assert post.thread_ts is None


@pytest.mark.parametrize(
    "source",
    [MessageRef("slack", HELP, "1.1"), MessageRef("slack", "D0ANN", "1.1"), MessageRef("telegram", "5", "6")],
    ids=["unknown", "direct", "elsewhere"],
)
async def test_a_card_without_a_place_to_link_to_is_posted_all_the_same(
    server: SlackServer, mouth: Slack, source: MessageRef
) -> None:
    await mouth.say(owed(card(source), Place("slack", BILLING)))
    [post] = server.posts(BILLING)
    assert "See the conversation" not in str(post.blocks)


async def test_an_edit_rewrites_the_post_and_takes_its_buttons_away(server: SlackServer, mouth: Slack) -> None:
    asked = await mouth.say(owed(Question(("billing", "it"), None)))
    again = await mouth.say(owed(Question((), None, answered="it", chosen=True), edits=asked))
    assert again == asked
    [post] = server.posts(HELP)
    assert "You chose it." in post.text
    assert "button" not in str(post.blocks)


async def test_a_follow_up_goes_under_its_card(server: SlackServer, mouth: Slack) -> None:
    receipt = await mouth.say(owed(card(MessageRef("slack", "D0ANN", "1.1")), Place("slack", BILLING)))
    await mouth.say(owed(FollowUp("Ann", "and it is urgent"), Place("slack", BILLING), under=receipt))
    assert server.posts(BILLING)[1].thread_ts == receipt.id


async def test_a_rate_limit_is_handed_to_the_outbox_with_the_wait_that_slack_asked_for(
    server: SlackServer, mouth: Slack
) -> None:
    server.fail("chat.postMessage", retry_after=2)
    with pytest.raises(Unreachable, match="ratelimited") as caught:
        await mouth.say(owed(Answer("billing", None)))
    assert caught.value.retry_after == timedelta(seconds=2)
    assert len(server.calls_to("chat.postMessage")) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 200},
        {"status": 500},
        {"status": 503},
        {"error": "internal_error"},
        {"error": "fatal_error"},
        {"lose_response": True},
    ],
    ids=str,
)
async def test_a_passing_failure_is_unreachable_and_never_repeated_by_the_client(
    server: SlackServer, mouth: Slack, fault: dict[str, object]
) -> None:
    server.fail("chat.postMessage", **fault)  # type: ignore[arg-type]
    with pytest.raises(Unreachable):
        await mouth.say(owed(Answer("billing", None)))
    assert len(server.calls_to("chat.postMessage")) == 1


@pytest.mark.parametrize(
    "error",
    "not_in_channel is_archived channel_not_found msg_too_long invalid_blocks missing_scope restricted_action".split(),
)
async def test_what_slack_will_never_take_is_refused_with_its_code(
    server: SlackServer, mouth: Slack, error: str
) -> None:
    server.fail("chat.postMessage", error=error)
    with pytest.raises(Refused, match=f"chat.postMessage: {error}"):
        await mouth.say(owed(Answer("billing", None)))


async def test_a_channel_the_bot_is_not_in_says_what_to_do(server: SlackServer, mouth: Slack) -> None:
    server.add_channel(Channel(id="C0SECRET", name="secret", has_bot=False))
    with pytest.raises(Refused, match="not_in_channel; invite the bot"):
        await mouth.say(owed(Answer("billing", None), Place("slack", "C0SECRET")))


@pytest.mark.parametrize("error", ["cant_update_message", "message_not_found", "edit_window_closed"])
async def test_an_edit_that_cannot_be_is_refused(server: SlackServer, mouth: Slack, error: str) -> None:
    receipt = await mouth.say(owed(Answer("billing", None)))
    server.fail("chat.update", error=error)
    with pytest.raises(Refused, match=error):
        await mouth.say(owed(Answer("it", None), edits=receipt))


@pytest.mark.parametrize("error", ["invalid_auth", "account_inactive", "token_revoked"])
async def test_a_token_that_was_taken_back_is_named(server: SlackServer, mouth: Slack, error: str) -> None:
    server.fail("chat.postMessage", error=error)
    with pytest.raises(Refused, match=rf"SLACK_BOT_TOKEN \({error}\)"):
        await mouth.say(owed(Answer("billing", None)))


async def test_a_slack_that_is_gone_is_unreachable(server: SlackServer, inbox: Recorder) -> None:
    async with speaking(config(server, SLACK_API_BASE_URL="http://127.0.0.1:9/api/")) as slack:
        with pytest.raises(Unreachable):
            await slack.say(owed(Answer("billing", None)))
        with pytest.raises(Unreachable):
            await slack.listen(inbox)


# ── who may correct ──


def person(user: str) -> Person:
    return Person("slack", user)


async def test_leads_by_id_and_by_group_may_correct_and_nobody_else(server: SlackServer, mouth: Slack) -> None:
    server.add_user(User(id=LEAD, name="lead"))
    server.add_user(User(id=OTHER_LEAD, name="lead 2"))
    server.add_usergroup("S0LEADS", [OTHER_LEAD])
    assert await mouth.may_correct(person(LEAD))
    assert await mouth.may_correct(person(OTHER_LEAD))
    assert not await mouth.may_correct(person(STRANGER))
    assert not await mouth.may_correct(Person("telegram", LEAD))
    assert len(server.calls_to("usergroups.users.list")) == 1, "members are remembered for a while"


async def test_a_bot_may_not_correct_even_if_it_is_listed(server: SlackServer, mouth: Slack) -> None:
    assert not await mouth.may_correct(person(ROBOT))


async def test_a_group_that_slack_will_not_show_leaves_the_listed_people(
    server: SlackServer, mouth: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    server.fail("usergroups.users.list", error="plan_upgrade_required")
    for _ in range(3):
        assert not await mouth.may_correct(person(OTHER_LEAD))
    assert await mouth.may_correct(person(LEAD))
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1 + 1, caplog.text


async def test_an_outage_turns_no_lead_away(server: SlackServer, mouth: Slack) -> None:
    server.add_user(User(id=OTHER_LEAD, name="lead 2"))
    server.add_usergroup("S0LEADS", [OTHER_LEAD])
    server.fail("usergroups.users.list", retry_after=3)
    with pytest.raises(Unreachable):
        await mouth.may_correct(person(OTHER_LEAD))
    assert await mouth.may_correct(person(OTHER_LEAD))


# ── what is written down ──


async def test_no_text_name_or_token_reaches_the_log(
    server: SlackServer, slack: Slack, inbox: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    inbox.down = True
    await server.writes(ANN, HELP, "the words themselves")
    await server.until(lambda: inbox.tried == 1)
    inbox.down = False
    await server.until(settled(server))
    server.fail("chat.postMessage", error="not_in_channel")
    with pytest.raises(Refused):
        await slack.say(owed(FollowUp("Ann", "the words themselves")))
    await server.sockets.disconnect("warning")
    await asyncio.sleep(0.2)
    written = caplog.text + str([record.__dict__ for record in caplog.records])
    for secret in ("the words themselves", "'Ann'", server.bot_token, server.app_token, server.signing_secret):
        assert secret not in written
