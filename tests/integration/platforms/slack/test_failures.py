"""A permanent refusal by Slack is not retried and says what to change; a temporary one is retried."""

from datetime import timedelta

import pytest

from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import Place
from bot.domain.posts import Answer
from bot.platforms.slack.adapter import Slack
from tests.integration.platforms.slack.parts import BILLING, Recorder, card, config, item, speaking
from tests.servers.slack import Channel, SlackServer


async def test_a_rate_limit_is_handed_to_the_outbox_with_the_wait_that_slack_asked_for(
    server: SlackServer, mouth: Slack
) -> None:
    server.fail("chat.postMessage", retry_after=2)
    with pytest.raises(Unreachable, match="ratelimited") as caught:
        await mouth.say(item(Answer("billing", None)))
    assert caught.value.retry_after == timedelta(seconds=2)
    assert len(server.calls_to("chat.postMessage")) == 1


async def test_a_wait_longer_than_any_number_of_ours_is_none(server: SlackServer, mouth: Slack) -> None:
    server.fail("chat.postMessage", retry_after=10**20)
    with pytest.raises(Unreachable, match="ratelimited") as caught:
        await mouth.say(item(Answer("billing", None)))
    assert caught.value.retry_after is None


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
        await mouth.say(item(Answer("billing", None)))
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
        await mouth.say(item(Answer("billing", None)))


async def test_a_channel_the_bot_is_not_in_says_what_to_do(server: SlackServer, mouth: Slack) -> None:
    server.add_channel(Channel(id="C0SECRET", name="secret", has_bot=False))
    with pytest.raises(Refused, match="not_in_channel; invite the bot"):
        await mouth.say(item(Answer("billing", None), Place("slack", "C0SECRET")))


@pytest.mark.parametrize("error", ["cant_update_message", "message_not_found", "edit_window_closed"])
async def test_an_edit_of_what_has_vanished_is_as_good_as_done(server: SlackServer, mouth: Slack, error: str) -> None:
    receipt = await mouth.say(item(Answer("billing", None)))
    server.fail("chat.update", error=error)
    assert await mouth.say(item(Answer("it", None), edits=receipt)) == receipt


async def test_another_refusal_of_an_edit_is_a_refusal(server: SlackServer, mouth: Slack) -> None:
    receipt = await mouth.say(item(Answer("billing", None)))
    server.fail("chat.update", error="is_archived")
    with pytest.raises(Refused, match="is_archived"):
        await mouth.say(item(Answer("it", None), edits=receipt))


@pytest.mark.parametrize(
    ("channel", "remedy"),
    [
        (Channel(id=BILLING, name="billing", is_archived=True), "is_archived; the channel is archived; unarchive it"),
        (Channel(id=BILLING, name="billing", has_bot=False), "not_in_channel; invite the bot"),
        (None, "channel_not_found; check the channel's ID"),
    ],
    ids=["archived", "bot removed", "gone"],
)
async def test_a_teams_room_that_cannot_be_posted_in_names_the_setting_to_mend(
    server: SlackServer, mouth: Slack, channel: Channel | None, remedy: str
) -> None:
    if channel is None:
        del server.space.channels[BILLING]
    else:
        server.add_channel(channel)
    with pytest.raises(Refused, match=remedy) as caught:
        await mouth.say(item(card(), Place("slack", BILLING)))
    assert "tasks.routing.labels.billing.deliver_to.slack" in str(caught.value)


@pytest.mark.parametrize("error", ["invalid_auth", "account_inactive", "token_revoked"])
async def test_a_token_that_was_taken_back_is_named(server: SlackServer, mouth: Slack, error: str) -> None:
    server.fail("chat.postMessage", error=error)
    with pytest.raises(Unreachable, match=rf"SLACK_BOT_TOKEN \({error}\)"):
        await mouth.say(item(Answer("billing", None)))


async def test_a_slack_that_is_gone_is_unreachable(server: SlackServer, inbox: Recorder) -> None:
    async with speaking(config(server, SLACK_API_BASE_URL="http://127.0.0.1:9/api/")) as slack:
        with pytest.raises(Unreachable):
            await slack.say(item(Answer("billing", None)))
        with pytest.raises(Unreachable):
            await slack.listen(inbox)
