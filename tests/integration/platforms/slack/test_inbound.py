"""What people write, react and press arrives as facts, stored before it is acknowledged, over either transport."""

import pytest

from bot.domain.messages import MessageRef, Person, Place
from bot.domain.posts import OTHER, Question
from bot.domain.rich_text import Style, plain, runs
from bot.platforms.slack import inbound, kept_events
from bot.platforms.slack.adapter import Slack
from tests.integration.platforms.slack.parts import (
    ANN,
    BILLING,
    HELP,
    LEAD,
    LOUNGE,
    Recorder,
    card,
    item,
    settled,
)
from tests.servers.slack import BOT_USER, SlackServer


async def test_a_message_is_stored_with_its_writers_name_and_language_and_acknowledged(
    server: SlackServer, slack: Slack, inbox: Recorder
) -> None:
    ts = await server.writes(ANN, HELP, "I was charged twice &amp; again")
    await server.until(settled(server))
    # The name is looked up after the message is stored
    await server.until(lambda: all(message.author.name for message in inbox.messages.values()))
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


async def _acknowledges_what_comes_behind(server: SlackServer) -> None:
    """Wait until a later event, with nothing to store, is acknowledged: ours would have been acknowledged first."""
    server.emits({"type": "member_joined_channel", "user": ANN, "channel": HELP})
    behind = server.deliveries[-1]
    await server.until(lambda: behind.acked)


async def test_the_acknowledgement_waits_for_the_store(server: SlackServer, slack: Slack, inbox: Recorder) -> None:
    inbox.free.clear()
    server.courier.redeliver_after = 5.0
    await server.writes(ANN, HELP, "hello")
    await server.until(lambda: inbox.tried == 1)
    await _acknowledges_what_comes_behind(server)
    assert not server.deliveries[0].acked
    inbox.free.set()
    await server.until(settled(server))
    assert server.deliveries[0].attempts == 1


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
    receipt = await slack.say(item(card(MessageRef("slack", HELP, "1.1")), Place("slack", BILLING)))
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
    receipt = await slack.say(item(Question(("billing", "it"), None), Place("slack", HELP, root)))
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
    await server.until(lambda: [message.author.name for message in inbox.messages.values()] == ["Ann"] * 5)
    assert len(server.calls_to("users.info")) == 1


async def test_what_takes_too_long_to_store_is_turned_down_before_slack_loses_patience(
    server: SlackServer,
    slack: Slack,
    inbox: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(inbound, "_EVENT_SECONDS", 0.2)
    server.courier.redeliver_after = 2.0
    inbox.free.clear()
    await server.writes(ANN, HELP, "a stuck pool")
    await server.until(lambda: "event not stored, so not acknowledged: it will come again" in caplog.messages)
    await _acknowledges_what_comes_behind(server)
    assert not server.deliveries[0].acked and inbox.messages == {}
    inbox.free.set()
    await server.until(settled(server))
    assert inbox.texts == ["a stuck pool"]


async def test_what_is_stored_too_late_for_slack_is_acknowledged_when_it_comes_again_and_stored_once(
    server: SlackServer,
    slack: Slack,
    inbox: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(kept_events, "ANSWER_SECONDS", 0.1)
    inbox.free.clear()
    await server.writes(ANN, HELP, "a slow database")
    await server.until(lambda: "event not acknowledged in time: it will come again" in caplog.messages)
    assert inbox.messages == {}
    inbox.free.set()
    await server.until(settled(server))
    assert (inbox.texts, inbox.tried) == (["a slow database"], 1)
    assert server.deliveries[0].attempts > 1
    assert "a slow database" not in caplog.text


# --- what an event says by ids alone, or points at ---


async def test_people_groups_and_channels_are_called_by_name(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    await server.writes(ANN, HELP, f"<@{ANN}> and <!subteam^S0LEADS> know, see <#{LOUNGE}>; <@U0NOBODY> does not")
    await server.until(settled(server))
    lounge = server.space.channel(LOUNGE).name
    assert [plain(text) for text in inbox.texts] == [f"@Ann and @leads know, see #{lounge}; @someone does not"]


async def test_who_calls_us_into_a_thread_speaks_of_what_it_begins_with(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    root = await server.writes(ANN, LOUNGE, "I was charged twice for order 4711", kind="message_only")
    await server.writes(LEAD, LOUNGE, f"<@{BOT_USER}> can you help her please?", thread_ts=root)
    await server.until(settled(server))
    [message] = inbox.messages.values()
    assert (plain(message.text), message.author.id) == (
        "I was charged twice for order 4711\ncan you help her please?",
        LEAD,
    )
    assert runs(message.text)[0].value(Style.CITED) == "Ann"


async def test_files_of_what_a_thread_begins_with_come_along(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    file = server.files.add("bill.png", b"x", "image/png", LOUNGE)
    shown: dict[str, object] = {"subtype": "file_share", "files": [server.files.described(file)]}
    root = await server.writes(ANN, LOUNGE, "look at this", kind="message_only", extra=shown)
    await server.writes(LEAD, LOUNGE, f"<@{BOT_USER}> can you help her please?", thread_ts=root)
    await server.until(settled(server))
    [message] = inbox.messages.values()
    assert [(one.name, one.cited, one.by) for one in message.media] == [("bill.png", True, ANN)]
    assert [mark.by for mark in runs(message.text)[0].marks] == [ANN]


async def test_a_file_of_another_company_has_its_name_and_link(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    file = server.files.add("contract.pdf", b"x", "application/pdf", HELP)
    stub = {"id": file.id, "mode": "file_access", "file_access": "check_file_info"}
    await server.writes(ANN, HELP, "please look", extra={"subtype": "file_share", "files": [stub]})
    await server.until(settled(server))
    [message] = inbox.messages.values()
    assert [(one.name, one.link) for one in message.media] == [
        ("contract.pdf", f"https://test.slack.com/files/{file.id}")
    ]


async def test_a_message_is_stored_before_anybody_is_asked_who_wrote_it(
    server: SlackServer, slack: Slack, inbox: Recorder
) -> None:
    server.fail("users.info", delay=0.5)
    await server.writes(ANN, HELP, "first")
    await server.until(settled(server))
    assert [message.author for message in inbox.messages.values()] == [Person("slack", ANN)]
    await server.until(lambda: [message.author.name for message in inbox.messages.values()] == ["Ann"])
    await server.writes(ANN, HELP, "second")
    await server.until(lambda: [message.author.name for message in inbox.messages.values()] == ["Ann", "Ann"])
    assert len(server.calls_to("users.info")) == 1
