"""The state of a Slack workspace: people, channels, messages, reactions."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.servers.wire import Json

TEAM = "T0TEAM"
APP = "A0BOT"
BOT_USER = "U0BOT"
BOT_ID = "B0BOT"


class SlackError(Exception):
    """The Web API refuses; the message is its error code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person or bot; with a team_id other than the workspace's, a stranger from Slack Connect."""

    id: str
    name: str
    locale: str = "en-US"
    team_id: str = TEAM
    is_bot: bool = False
    deleted: bool = False
    enterprise_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A place to talk; kind is Slack's channel_type: channel, group, im or mpim."""

    id: str
    name: str
    kind: str = "channel"
    has_bot: bool = True
    is_archived: bool = False
    is_shared: bool = False
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """The present state of a message; `edits` are its earlier versions, oldest first."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: tuple[Json, ...] = ()
    thread_ts: str | None = None
    metadata: Json | None = None
    bot_id: str | None = None
    seen_by: str | None = None
    edited_ts: str | None = None
    edits: "tuple[Post, ...]" = ()
    extra: Json = field(default_factory=dict)

    def payload(self) -> Json:
        """The message as Slack writes it inside events and answers."""
        found: Json = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text, "team": TEAM}
        optional = {"thread_ts": self.thread_ts, "bot_id": self.bot_id, "metadata": self.metadata}
        found.update({name: value for name, value in optional.items() if value is not None})
        if self.blocks:
            found["blocks"] = list(self.blocks)
        if self.edited_ts:
            found["edited"] = {"user": self.user, "ts": self.edited_ts}
        return found | self.extra


class Workspace:
    """The state behind the server; its methods raise SlackError with Slack's own codes."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.users = {BOT_USER: User(id=BOT_USER, name="switchboard", is_bot=True)}
        self.channels: dict[str, Channel] = {}
        self.usergroups: dict[str, list[str]] = {}
        self.emoji: dict[str, str] = {}
        self.posts: dict[tuple[str, str], Post] = {}
        self.ephemerals: dict[tuple[str, str], Post] = {}
        self.reactions: dict[tuple[str, str], dict[str, list[str]]] = {}
        self._clock = clock
        self._counts: dict[str, int] = {}

    def new_ts(self, channel: str) -> str:
        """A message's key: increases within a channel, may also exist in another, and is changed by float()."""
        count = self._counts[channel] = self._counts.get(channel, 0) + 1
        return f"{int(self._clock()) + count // 10_000}.{count % 10_000 * 100:06d}"

    def now_ts(self) -> str:
        return f"{self._clock():.6f}"

    def user(self, user_id: str) -> User:
        """The person; an unknown one is added as an ordinary member."""
        return self.users.setdefault(user_id, User(id=user_id, name=user_id.lower()))

    def channel(self, channel_id: str) -> Channel:
        if channel_id not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[channel_id]

    def direct(self, user_id: str) -> Channel:
        """The person's direct-message channel with the bot, opened if there is none yet."""
        for channel in self.channels.values():
            if channel.user == user_id:
                return channel
        opened = Channel(id="D" + user_id[1:], name=user_id, kind="im", user=user_id)
        self.channels[opened.id] = opened
        return opened

    def post(self, channel: str, ts: str) -> Post:
        if (channel, ts) not in self.posts:
            raise SlackError("message_not_found")
        return self.posts[channel, ts]

    def add(self, post: Post) -> Post:
        if post.thread_ts and (post.channel, post.thread_ts) not in self.posts:
            raise SlackError("thread_not_found")
        self.posts[post.channel, post.ts] = post
        return post

    def edit(self, post: Post, text: str, blocks: tuple[Json, ...]) -> Post:
        earlier = (*post.edits, replace(post, edits=()))
        edited = replace(post, text=text, blocks=blocks, edited_ts=self.now_ts(), edits=earlier)
        self.posts[post.channel, post.ts] = edited
        return edited

    def react(self, user: str, channel: str, ts: str, name: str) -> None:
        people = self.reactions.setdefault((channel, self.post(channel, ts).ts), {}).setdefault(name, [])
        if user in people:
            raise SlackError("already_reacted")
        people.append(user)

    def unreact(self, user: str, channel: str, ts: str, name: str) -> None:
        people = self.reactions.get((channel, self.post(channel, ts).ts), {}).get(name, [])
        if user not in people:
            raise SlackError("no_reaction")
        people.remove(user)
