"""The Slack server against the real slack_sdk: what it answers, refuses, and how it misbehaves on request."""

import asyncio
import re

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler

from tests.integration.servers.slack_bot import ANN, BILLING, HELP, LEAD, actions, web_client
from tests.servers.slack import BOT_USER, Channel, SlackServer, User


async def test_a_wrong_token_and_an_unknown_method_are_refused(slack: SlackServer) -> None:
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await web_client(slack, "xoxb-other").auth_test()
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await web_client(slack).apps_connections_open(app_token=slack.bot_token)
    with pytest.raises(SlackApiError, match="unknown_method"):
        await web_client(slack).api_call("chat.shout")
    assert slack.bot_token not in repr(slack.calls)


async def test_posts_keep_their_edits_metadata_and_permalink(slack: SlackServer) -> None:
    client = web_client(slack)
    metadata = {"event_type": "card", "event_payload": {"conversation": 7}}
    sent = await client.chat_postMessage(channel=BILLING, text="card", metadata=metadata)
    await client.chat_update(channel=BILLING, ts=sent["ts"], text="moved", blocks=actions("undo"))
    [post] = slack.posts(BILLING)
    assert (post.text, post.metadata, [old.text for old in post.edits]) == ("moved", metadata, ["card"])
    link = await client.chat_getPermalink(channel=BILLING, message_ts=sent["ts"])
    assert link["permalink"].endswith(f"/{BILLING}/p{sent['ts'].replace('.', '')}")
    history = await client.conversations_history(channel=BILLING, include_all_metadata=True)
    assert history["messages"][0]["metadata"] == metadata


async def test_a_ts_is_a_text_and_only_unique_within_its_channel(slack: SlackServer) -> None:
    client = web_client(slack)
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
    slack: SlackServer, arguments: dict[str, object], error: str
) -> None:
    slack.add_channel(Channel(id="C0OLD", name="old", is_archived=True))
    with pytest.raises(SlackApiError, match=error):
        await web_client(slack).api_call("chat.postMessage", json=arguments)
    assert slack.posts(HELP) == []


async def test_reactions_of_the_bot_are_kept_once_and_foreign_messages_cannot_be_updated(
    slack: SlackServer,
) -> None:
    client = web_client(slack)
    ts = await slack.writes(ANN, HELP, "hello")
    await client.reactions_add(channel=HELP, timestamp=ts, name="eyes")
    with pytest.raises(SlackApiError, match="already_reacted"):
        await client.reactions_add(channel=HELP, timestamp=ts, name="eyes")
    with pytest.raises(SlackApiError, match="cant_update_message"):
        await client.chat_update(channel=HELP, ts=ts, text="mine now")
    assert slack.reactions(HELP, ts) == {"eyes": [BOT_USER]}


async def test_people_groups_and_aliases_can_be_looked_up(slack: SlackServer) -> None:
    slack.add_user(User(id=LEAD, name="lead", locale="pt-BR", team_id="T0OTHER"))
    slack.add_usergroup("S0LEADS", [LEAD])
    slack.space.emoji["cash"] = "alias:moneybag"
    client = web_client(slack)
    person = (await client.users_info(user=LEAD, include_locale=True))["user"]
    assert (person["locale"], person["is_stranger"]) == ("pt-BR", True)
    assert (await client.usergroups_users_list(usergroup="S0LEADS"))["users"] == [LEAD]
    assert (await client.emoji_list())["emoji"] == {"cash": "alias:moneybag"}
    await client.chat_postEphemeral(channel=HELP, user=LEAD, text="only you")
    assert [post.text for post in slack.ephemerals(HELP, LEAD)] == ["only you"]
    assert slack.posts(HELP) == []


async def test_a_rate_limit_raises_by_default_and_is_waited_for_with_the_retry_handler(
    slack: SlackServer,
) -> None:
    slack.fail("chat.postMessage", error="ratelimited", retry_after=1, times=2)
    with pytest.raises(SlackApiError, match="ratelimited"):
        await web_client(slack).chat_postMessage(channel=HELP, text="once")
    patient = web_client(slack)
    patient.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=2))
    began = asyncio.get_running_loop().time()
    await patient.chat_postMessage(channel=HELP, text="once")
    assert asyncio.get_running_loop().time() - began >= 1.0
    assert [post.text for post in slack.posts(HELP)] == ["once"]
    assert len(slack.calls_to("chat.postMessage")) == 3


async def test_a_lost_response_leaves_the_message_posted_and_the_default_retry_posts_it_again(
    slack: SlackServer,
) -> None:
    slack.fail("chat.postMessage", lose_response=True)
    await web_client(slack).chat_postMessage(channel=HELP, text="twice")
    assert [post.text for post in slack.posts(HELP)] == ["twice", "twice"]


async def test_an_outage_and_a_delay_can_be_planned(slack: SlackServer) -> None:
    slack.fail("chat.postMessage", status=503)
    slack.fail("chat.postMessage", delay=0.3)
    with pytest.raises(SlackApiError, match="503"):
        await web_client(slack).chat_postMessage(channel=HELP, text="lost")
    began = asyncio.get_running_loop().time()
    await web_client(slack).chat_postMessage(channel=HELP, text="late")
    assert asyncio.get_running_loop().time() - began >= 0.3
    assert [post.text for post in slack.posts(HELP)] == ["late"]


async def test_the_control_api_drives_the_server_from_another_process(slack: SlackServer) -> None:
    async def control(verb: str, **arguments: object) -> tuple[int, dict[str, object]]:
        async with slack.http.post(f"{slack.url}/_control/{verb}", json=arguments) as answer:
            return answer.status, await answer.json()

    _, written = await control("writes", user=ANN, channel=HELP, text="hello")
    await web_client(slack).chat_postMessage(channel=HELP, text="yes?", thread_ts=str(written["result"]))
    _, seen = await control("posts", channel=HELP)
    assert isinstance(seen["result"], list) and seen["result"][0]["text"] == "yes?"
    assert (await control("reacts", user=ANN))[0] == 400
    assert (await control("nonsense"))[0] == 404
