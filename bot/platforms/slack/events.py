"""What happens in Slack, as facts: an event in, a fact or a piece of news out. Pure."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.messages import Deletion, Edit, Media, MediaKind, Message, MessageRef, Note, Person, Place, Reaction
from bot.platforms.slack.emoji import normal
from bot.platforms.slack.payload import NAME, Payload, each, inner, moment, readable, word

_SPOKEN = (None, "file_share", "thread_broadcast", "me_message")
"""Subtypes in which a person says something; all others are edits, deletions and housekeeping."""
_SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """Who we are in Slack and where everything that is said is meant for us."""

    user: str
    """Our own user id."""
    intake: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()
    """The teams' channels: what is said there is between colleagues, never a request."""
    team: str = ""
    """Our workspace's id; empty: nobody counts as of another company by what an event says."""

    def renamed(self, before: str, after: str) -> "BotIdentity":
        """The same ears where a channel has another id: a team's room stays one."""
        intake, rooms = (
            frozenset(after if one == before else one for one in known) for known in (self.intake, self.rooms)
        )
        return replace(self, intake=intake, rooms=rooms)


@dataclass(frozen=True, slots=True)
class ThreadReply:
    """A reply in a thread that may be a conversation's: only who keeps the record can say."""

    message: Message

    @property
    def root(self) -> MessageRef:
        """The thread's first message."""
        place = self.message.place
        return MessageRef(NAME, place.chat, place.thread or self.message.ref.id)


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """Somebody wrote "@us route TEAM" in a thread: slash commands do not work there."""

    root: MessageRef
    """The thread's first message: a card, or what a person asked."""
    ref: MessageRef
    actor: Person
    team: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Renamed:
    """A channel has another id from now on."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Regrouped:
    """The people of a user group are others than we remember."""

    group: str


@dataclass(frozen=True, slots=True)
class NewEmoji:
    """The workspace's own emoji changed."""


@dataclass(frozen=True, slots=True)
class Reshared:
    """Something about a channel changed: who shares it, whether it is archived."""

    channel: str


@dataclass(frozen=True, slots=True)
class Dismissed:
    """Our token was taken back, or the app removed."""

    how: str


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """Somebody looks at the app's home."""

    user: str


Fact = Message | Reaction | Edit | Deletion | Note
News = ThreadReply | RouteRequest | Renamed | Regrouped | NewEmoji | Reshared | Dismissed | HomeOpened

_ABOUT_A_CHANNEL = (
    "channel_archive channel_unarchive group_archive group_unarchive channel_shared channel_unshared "
    "member_joined_channel channel_left group_left"
).split()


def read(payload: Payload, ears: BotIdentity) -> Fact | News | None:
    """What happened, of all the events that Slack delivers. Malformed payloads are None, never an error."""
    event = inner(payload, "event")
    kind = event.get("type")
    if kind == "message" and event.get("subtype") in ("message_changed", "message_deleted"):
        return _revision(event, ears)
    if kind in ("message", "app_mention"):
        return _said(event, ears)
    if kind in ("reaction_added", "reaction_removed"):
        return _reaction(event, ears)
    return _news(word(event, "type"), event)


def media(message: Payload) -> tuple[Media, ...]:
    """The files that came with a message; those that were deleted since are left out."""
    kept = (file for file in each(message, "files") if file.get("mode") not in ("tombstone", "hidden_by_limit"))
    return tuple(_medium(file) for file in kept if word(file, "id"))


def _said(event: Payload, ears: BotIdentity) -> Fact | News | None:
    """None for what bots say, for what is not said to us, and for what is no saying at all."""
    user, channel, ts = word(event, "user"), word(event, "channel"), word(event, "ts")
    at = moment(ts)
    if at is None or not channel or not _is_person(event, user, ears):
        return None
    author = Person(NAME, user, external=_is_outsider(event, ears))
    ref, thread = MessageRef(NAME, channel, ts), word(event, "thread_ts")
    raw, root = word(event, "text"), MessageRef(NAME, channel, thread)
    replies = thread not in ("", ts)
    if replies and (team := _ordered(raw, ears)):
        return RouteRequest(root, ref, author, team, at)
    text, files = readable(raw, ears.user), media(event)
    if channel in ears.rooms:
        return Note(ref, root, author, text, at, files) if replies else None
    # An id is enough: within the one workspace that a token belongs to, Slack gives no two people the same.
    message = Message(ref, Place(NAME, channel, thread or ts), author, text, at, files)
    if _is_for_us(event, channel, ears):
        return message
    return ThreadReply(message) if replies else None


def _is_person(event: Payload, user: str, ears: BotIdentity) -> bool:
    # Other bots' messages come without a subtype, too; answering them is how two bots talk for ever.
    if event.get("subtype") not in _SPOKEN or event.get("hidden") or event.get("bot_id"):
        return False
    return user not in ("", ears.user, _SLACKBOT)


def _is_outsider(event: Payload, ears: BotIdentity) -> bool:
    teams = {word(event, key) for key in ("user_team", "source_team", "team")} - {""}
    return bool(ears.team and teams and teams != {ears.team})


def _is_for_us(event: Payload, channel: str, ears: BotIdentity) -> bool:
    """A mention and the message event of one post have one ref, so both may pass."""
    addressed = event.get("type") == "app_mention" or event.get("channel_type") == "im"
    return addressed or channel in ears.intake


def _ordered(raw: str, ears: BotIdentity) -> str:
    """The team of "@us route TEAM"; empty when it is no such order."""
    found = re.fullmatch(rf"\s*<@{re.escape(ears.user)}(?:\|[^<>]*)?>[,:]?\s+route\s+(.+?)\s*", raw, re.IGNORECASE)
    return readable(found[1], ears.user) if found and ears.user else ""


def _revision(event: Payload, ears: BotIdentity) -> Edit | Deletion | None:
    """An edit only where words changed by their author's hand: a link's preview and our own updates are none."""
    message, before, channel = inner(event, "message"), inner(event, "previous_message"), word(event, "channel")
    ts = word(message, "ts") or word(event, "deleted_ts")
    at = moment(word(event, "event_ts") or word(event, "ts"))
    author = word(before, "user") or word(message, "user")
    if at is None or not channel or not moment(ts) or before.get("bot_id") or message.get("bot_id"):
        return None
    if author == ears.user:
        return None
    ref = MessageRef(NAME, channel, ts)
    # Of a deleted message with replies a tombstone is left, which comes as a change.
    if event.get("subtype") == "message_deleted" or message.get("subtype") == "tombstone":
        return Deletion(ref, at)
    edited = moment(word(inner(message, "edited"), "ts"))
    if edited is None or word(message, "text") == word(before, "text"):
        return None
    return Edit(ref, readable(word(message, "text"), ears.user), edited)


def _reaction(event: Payload, ears: BotIdentity) -> Reaction | None:
    item, user, at = inner(event, "item"), word(event, "user"), moment(word(event, "event_ts"))
    channel, ts = word(item, "channel"), word(item, "ts")
    if at is None or item.get("type") != "message" or not channel or not ts or user in ("", ears.user):
        return None
    try:
        name = normal(word(event, "reaction"))
    except ValueError:
        return None
    added = event.get("type") == "reaction_added"
    return Reaction(MessageRef(NAME, channel, ts), Person(NAME, user), name, added, at)


def _news(kind: str, event: Payload) -> News | None:
    match kind:
        case "channel_id_changed":
            before, after = word(event, "old_channel_id"), word(event, "new_channel_id")
            return Renamed(before, after) if before and after else None
        case "subteam_updated":
            return Regrouped(word(inner(event, "subteam"), "id"))
        case "subteam_members_changed":
            return Regrouped(word(event, "subteam_id"))
        case "emoji_changed":
            return NewEmoji()
        case "tokens_revoked":
            # A person's own token (`oauth`) is none of ours.
            return Dismissed(kind) if inner(event, "tokens").get("bot") else None
        case "app_uninstalled":
            return Dismissed(kind)
        case "app_home_opened":
            return HomeOpened(word(event, "user")) if word(event, "tab") == "home" else None
        case _:
            return Reshared(word(event, "channel")) if kind in _ABOUT_A_CHANNEL else None


def _medium(file: Payload) -> Media:
    size, link = file.get("size"), word(file, "permalink")
    return Media(
        platform=NAME,
        id=word(file, "id"),
        kind=_kind(file),
        name=word(file, "name") or word(file, "title"),
        size=size if isinstance(size, int) else 0,
        link=link if re.fullmatch(r"https?://[^\s<>|]+", link) else None,
    )


def _kind(file: Payload) -> MediaKind:
    if word(file, "subtype") == "slack_audio":
        return MediaKind.VOICE
    by_type = {"image": MediaKind.PHOTO, "audio": MediaKind.AUDIO, "video": MediaKind.VIDEO}
    return by_type.get(word(file, "mimetype").partition("/")[0], MediaKind.DOCUMENT)
