"""Our calls and the manifest's scopes, tested with another implementation of Slack: the npm package `emulate`.

What it does not know (user groups, custom emoji, Socket Mode, events, commands) is tested only in test_scopes.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.platforms.slack.manifest import SCOPES
from tests.servers.slack.emulate import NotHere, emulated
from tests.servers.slack.scopes import METHODS
from tests.servers.wire import Json

UNKNOWN = {"app_mentions:read", "commands", "emoji:read", "usergroups:read"}
"""Scopes of events, of interactions, and of methods that the package does not have."""
OF_EVENTS = {"reactions:read"}
"""We call nothing that needs it."""
ADMIN, ALL = "xoxb-admin", "xoxb-all"
METADATA = {"event_type": "switchboard_post", "event_payload": {"post": 1, "kind": "Card"}}


@dataclass
class Elsewhere:
    """The emulated workspace: its address and what was created in it."""

    url: str
    channels: dict[str, str]
    """Kind -> id."""
    person: str
    file: str
    ts: str

    async def call(self, token: str, method: str, arguments: Json) -> Json:
        """The answer. Raises SlackApiError."""
        client = AsyncWebClient(token=token, base_url=f"{self.url}/api/")
        answer = (await client.api_call(method, json=arguments)).data
        assert isinstance(answer, dict)
        return answer


@pytest.fixture(scope="module")
async def elsewhere() -> AsyncIterator[Elsewhere]:
    everything = [*SCOPES, "channels:manage", "groups:write"]
    tokens = {ADMIN: everything, ALL: list(SCOPES)}
    tokens |= {without(missing): sorted(set(SCOPES) - {missing}) for missing in SCOPES}
    async with AsyncExitStack() as stack:
        try:
            url = await stack.enter_async_context(emulated(tokens))
        except NotHere as reason:
            pytest.skip(str(reason))
        yield await furnished(Elsewhere(url, {}, "", "", ""))


async def test_every_call_is_taken_with_the_manifests_scopes(elsewhere: Elsewhere) -> None:
    assert await lacking(elsewhere, ALL) == {}


@pytest.mark.parametrize("missing", sorted(set(SCOPES) - UNKNOWN - OF_EVENTS))
async def test_each_scope_is_missed(elsewhere: Elsewhere, missing: str) -> None:
    assert missing in set((await lacking(elsewhere, without(missing))).values())


def test_all_our_methods_but_those_it_does_not_know_are_tried() -> None:
    nowhere = dict.fromkeys(("public", "private", "direct"), "")
    tried = {method for method, _ in calls(Elsewhere("", nowhere, "", "", ""))}
    unknown = {"apps.connections.open", "emoji.list", "usergroups.list", "usergroups.users.list", "views.open"}
    not_ours = {"chat.delete", "reactions.add", "reactions.get", "reactions.remove"}
    once = {"files.completeUploadExternal"}
    assert METHODS.keys() - tried == unknown | not_ours | once


def without(missing: str) -> str:
    """The token that lacks this scope."""
    return f"xoxb-no-{missing.replace(':', '-')}"


async def furnished(place: Elsewhere) -> Elsewhere:
    """With channels of each kind, a person, a file and a message."""
    for sort, private in (("public", False), ("private", True)):
        made = await place.call(ADMIN, "conversations.create", {"name": f"room-{sort}", "is_private": private})
        place.channels[sort] = _id(made, "channel")
    people = await place.call(ADMIN, "users.list", {})
    members = people["members"]
    assert isinstance(members, list)
    place.person = next(str(member["id"]) for member in members if member["name"] == "ann")
    place.channels["direct"] = _id(await place.call(ADMIN, "conversations.open", {"users": place.person}), "channel")
    public = place.channels["public"]
    await place.call(ADMIN, "conversations.invite", {"channel": public, "users": place.person})
    place.ts = str((await place.call(ADMIN, "chat.postMessage", {"channel": public, "text": "card"}))["ts"])
    place.file = await _uploaded(place)
    return place


def calls(place: Elsewhere) -> list[tuple[str, Json]]:
    """All calls that we make and the package knows."""
    public, ts = place.channels["public"], place.ts
    found: list[tuple[str, Json]] = [
        ("auth.test", {}),
        ("chat.postMessage", {"channel": public, "text": "card", "metadata": METADATA}),
        ("chat.update", {"channel": public, "ts": ts, "text": "moved"}),
        ("chat.postEphemeral", {"channel": public, "user": place.person, "text": "no"}),
        ("chat.getPermalink", {"channel": public, "message_ts": ts}),
        ("conversations.open", {"users": place.person}),
        ("conversations.replies", {"channel": public, "ts": ts, "include_all_metadata": True}),
        ("users.info", {"user": place.person, "include_locale": True}),
        ("files.info", {"file": place.file}),
        ("files.getUploadURLExternal", {"filename": "b.txt", "length": 1}),
        ("views.publish", {"user_id": place.person, "view": {"type": "home", "blocks": []}}),
    ]
    for channel in place.channels.values():
        found += [(f"conversations.{verb}", {"channel": channel}) for verb in ("info", "history")]
    return found


async def lacking(place: Elsewhere, token: str) -> dict[str, str]:
    """Call -> the scope that it lacked. Any other refusal is a mistake of this test."""
    lacked = {}
    for method, arguments in calls(place):
        try:
            await place.call(token, method, arguments)
        except SlackApiError as error:
            if error.response["error"] != "missing_scope":
                raise
            lacked[f"{method} {arguments.get('channel', '')}"] = str(error.response["needed"])
    return lacked


async def _uploaded(place: Elsewhere) -> str:
    begun = await place.call(ADMIN, "files.getUploadURLExternal", {"filename": "a.txt", "length": 1})
    client = AsyncWebClient(token=ADMIN, base_url=f"{place.url}/api/")
    address = str(begun["upload_url"]).replace("localhost", "127.0.0.1")
    await client._upload_file(url=address, data=b"x", logger=client._logger, timeout=5, proxy=None, ssl=None)
    share: Json = {"files": [{"id": begun["file_id"], "title": "a"}], "channel_id": place.channels["public"]}
    await place.call(ADMIN, "files.completeUploadExternal", share)
    return str(begun["file_id"])


def _id(answer: Json, key: str) -> str:
    found = answer[key]
    assert isinstance(found, dict)
    return str(found["id"])
