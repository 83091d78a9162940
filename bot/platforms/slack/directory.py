"""The workspace's people, user groups and channels, fetched from Slack and cached."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from cachetools import LRUCache
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import Refused, Unreachable
from bot.platforms.slack.payload import Payload, each, inner, word
from bot.platforms.slack.web_api import Declined, as_object, ask, look

log = logging.getLogger(__name__)

_MEMBERS_FOR = timedelta(minutes=5).total_seconds()
_PROFILE_FOR = timedelta(hours=1).total_seconds()
_CHANNEL_FOR = timedelta(minutes=10).total_seconds()
_NOBODY = ("user_not_found", "users_not_found", "user_not_visible")
_SLOW_FOR = timedelta(minutes=1).total_seconds()
_MOST = 10_000
"""The most people, groups and channels in the cache, each; those fetched longest ago are dropped first. Outdated
entries stay until then, for when Slack cannot be reached."""
_MOST_WAITING = 8
"""How many lookups of people may delay the storing of messages at a time."""


@dataclass(frozen=True, slots=True)
class BotUser:
    """The bot's identity, by Slack."""

    user: str
    bot: str
    team: str
    enterprise: str = ""
    """The organisation that our workspace belongs to; empty when it belongs to none."""
    url: str = ""
    """The workspace's address in a browser."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What Slack tells about a person; all empty when Slack refuses to tell."""

    name: str = ""
    language: str | None = None
    """IETF tag; None when unknown."""
    is_bot: bool = False
    external: bool = False
    """Whether the person belongs to another company."""
    known: bool = False
    gone: bool = False
    """Whether the account is closed."""


@dataclass(frozen=True, slots=True)
class Room:
    """What Slack tells about a channel."""

    name: str
    member: bool
    archived: bool
    shared: bool
    """Whether the channel is shared with another company."""


class Directory:
    """Answers from Slack, or from the cache of earlier answers."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._us: BotUser | None = None
        self._profiles: LRUCache[str, tuple[float, Profile]] = LRUCache(_MOST)
        self._members: LRUCache[str, tuple[float, frozenset[str]]] = LRUCache(_MOST)
        self._rooms: LRUCache[str, tuple[float, Room]] = LRUCache(_MOST)
        self._asking: LRUCache[str, asyncio.Lock] = LRUCache(_MOST)
        self._groups: dict[str, str] = {}
        self._groups_until = 0.0
        self._complained: set[str] = set()
        self._waiting = 0

    async def us(self) -> BotUser:
        """The bot's identity; Slack is asked once. Raises Refused for a bad token, Unreachable."""
        if self._us is None:
            answer = await ask(self._client.auth_test())
            names = (word(answer, key) for key in ("user_id", "bot_id", "team_id", "enterprise_id", "url"))
            self._us = BotUser(*names)
        return self._us

    def forget_us(self) -> None:
        """Another token speaks now: it is asked anew who we are."""
        self._us = None

    async def permalink(self, channel: str, ts: str) -> str:
        """The message's address in a browser; empty when Slack has none for it. Raises Unreachable, Refused.

        Where the workspace's address is known, it is put together without a call, because Slack limits those.
        """
        base = (await self.us()).url
        if base.startswith("https://"):
            return f"{base.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
        answer = await look(lambda: self._client.chat_getPermalink(channel=channel, message_ts=ts))
        return word(answer, "permalink")

    async def profile(self, user: str) -> Profile:
        """What Slack tells about the person; an empty profile when it refuses to tell. Raises Unreachable."""
        # One call a person, however many of their messages wait for the answer: Slack limits calls.
        async with self._asking.setdefault(user, asyncio.Lock()):
            until, known = self._profiles.get(user, (0.0, Profile()))
            if _now() < until:
                return known
            us = await self.us()
            try:
                known = _profile(await look(lambda: self._client.users_info(user=user, include_locale=True)), us)
            except Refused as error:
                self._complain("users.info", error)
                # A person unknown to Slack may do nothing; any other refusal is our token's fault
                known = Profile(gone=isinstance(error, Declined) and error.code in _NOBODY)
            self._profiles[user] = (_now() + _PROFILE_FOR, known)
            return known

    def recalled(self, user: str) -> Profile | None:
        """The cached profile, without a call; None when Slack should be asked."""
        until, known = self._profiles.get(user, (0.0, Profile()))
        return known if _now() < until else None

    async def profile_within(self, user: str, seconds: float) -> Profile:
        """The profile, or the last known one when Slack is slow or unreachable; Slack is then not asked for a minute.

        While `_MOST_WAITING` lookups wait already, further callers get the last known profile at once.
        """
        last = self._profiles.get(user, (0.0, Profile()))[1]
        if self._waiting >= _MOST_WAITING and self.recalled(user) is None:
            return last
        self._waiting += 1
        try:
            async with asyncio.timeout(seconds):
                return await self.profile(user)
        except (TimeoutError, Unreachable):
            self._profiles[user] = (_now() + _SLOW_FOR, last)
            return last
        finally:
            self._waiting -= 1

    async def members(self, group: str) -> frozenset[str]:
        """The group's members; none when Slack refuses to tell. Raises Unreachable when they were never known."""
        until, known = self._members.get(group, (0.0, None))
        if known is not None and _now() < until:
            return known
        try:
            answer = await look(lambda: self._client.usergroups_users_list(usergroup=group))
            users = answer.get("users")
            known = frozenset(str(user) for user in users) if isinstance(users, list) else frozenset()
        except Refused as error:
            self._complain(f"platforms.slack.leads: the group {group}; list the people's own IDs (U…) instead", error)
            known = frozenset()
        except Unreachable:
            if known is None:
                raise
        self._members[group] = (_now() + _MEMBERS_FOR, known)
        return known

    async def room(self, channel: str) -> Room:
        """The channel. Raises Refused when it does not exist for us, Unreachable when it was never known."""
        until, known = self._rooms.get(channel, (0.0, None))
        if known is not None and _now() < until:
            return known
        try:
            known = _room(inner(await look(lambda: self._client.conversations_info(channel=channel)), "channel"))
        except Unreachable:
            if known is None:
                raise
        self._rooms[channel] = (_now() + _CHANNEL_FOR, known)
        return known

    async def group_name(self, group: str) -> str:
        """The group's name after its @; empty when Slack refuses to tell. Raises Unreachable."""
        if _now() >= self._groups_until:
            try:
                listed = each(await look(lambda: self._client.usergroups_list(include_disabled=True)), "usergroups")
                self._groups = {word(one, "id"): word(one, "handle") or word(one, "name") for one in listed}
            except Refused as error:
                self._complain("usergroups.list", error)
            self._groups_until = _now() + _PROFILE_FOR
        return self._groups.get(group, "")

    async def emoji(self) -> Mapping[str, object]:
        """The workspace's own emoji and aliases; none when Slack refuses to tell. Raises Unreachable."""
        try:
            return as_object((await look(self._client.emoji_list)).get("emoji"))
        except Refused as error:
            self._complain("emoji.list", error)
            return {}

    def forget_group(self, group: str) -> None:
        """Mark the group's members as outdated, because they changed."""
        # Kept as outdated, for when Slack cannot be reached.
        if group in self._members:
            self._members[group] = (0.0, self._members[group][1])

    def forget_room(self, channel: str) -> None:
        """Mark the channel as outdated, because something about it changed."""
        self._rooms.pop(channel, None)

    def _complain(self, about: str, error: Refused) -> None:
        if about not in self._complained:
            self._complained.add(about)
            log.warning("Slack refuses a lookup", extra={"about": about, "problem": str(error)})


def _profile(answer: Payload, us: BotUser) -> Profile:
    user = inner(answer, "user")
    profile = inner(user, "profile")
    shown = (word(profile, "display_name"), word(profile, "real_name"), word(user, "real_name"), word(user, "name"))
    return Profile(
        name=next(filter(None, shown), ""),
        language=word(user, "locale") or None,
        is_bot=user.get("is_bot") is True,
        external=_is_outsider(user, us),
        known=True,
        gone=user.get("deleted") is True,
    )


def _is_outsider(user: Payload, us: BotUser) -> bool:
    if user.get("is_stranger") is True:
        return True
    enterprise = word(inner(user, "enterprise_user"), "enterprise_id")
    if us.enterprise and enterprise == us.enterprise:
        return False
    return word(user, "team_id") not in ("", us.team)


def _room(channel: Payload) -> Room:
    shared = channel.get("is_ext_shared") is True or channel.get("is_pending_ext_shared") is True
    member = channel.get("is_member") is True or channel.get("is_im") is True
    return Room(word(channel, "name"), member, channel.get("is_archived") is True, shared)


def _now() -> float:
    return asyncio.get_running_loop().time()
