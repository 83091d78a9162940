"""What happens in Slack, as facts: an event in, a fact or a piece of news out. Pure."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.messages import Deletion, Edit, Media, MediaKind, Message, MessageRef, Note, Person, Place, Reaction
from bot.platforms.slack.emoji import normal
from bot.platforms.slack.message_content import message_text
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
        """The same identity where a channel has another id: a team's room stays one."""
        intake, rooms = (
            frozenset(after if one == before else one for one in known) for known in (self.intake, self.rooms)
        )
        return replace(self, intake=intake, rooms=rooms)


@dataclass(frozen=True, slots=True)
class ThreadReply:
    """A reply in a thread outside the teams' channels: whose it is, only who keeps the record can say."""

    message: Message
    ours: bool = False
    """The thread begins with something of ours."""
    addressed: bool = False
    """It is meant for us where the thread is nobody's: we are mentioned, or every message there is a request."""

    @property
    def root(self) -> MessageRef:
        """The thread's first message."""
        place = self.message.place
        return MessageRef(NAME, place.chat, place.thread or self.message.ref.id)


@dataclass(frozen=True, slots=True)
class SpokenToInARoom:
    """Somebody mentioned us in a team's channel, in no thread: that is no request, and they are told so."""

    message: Message


@dataclass(frozen=True, slots=True)
class MentionedByEdit:
    """Somebody changed a message so that it speaks to us: where it was not known before, it is a request now."""

    edit: Edit
    message: Message | ThreadReply


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
class Revoked:
    """Our token was taken back, or the app removed."""

    how: str


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """Somebody looks at the app's home."""

    user: str


Fact = Message | Reaction | Edit | Deletion | Note
News = (
    ThreadReply
    | SpokenToInARoom
    | MentionedByEdit
    | RouteRequest
    | Renamed
    | Regrouped
    | NewEmoji
    | Reshared
    | Revoked
    | HomeOpened
)

_ABOUT_A_CHANNEL = (
    "channel_archive channel_unarchive group_archive group_unarchive channel_shared channel_unshared "
    "member_joined_channel channel_left group_left"
).split()


def read(payload: Payload, identity: BotIdentity) -> Fact | News | None:
    """What happened, of all the events that Slack delivers. Malformed payloads are None, never an error."""
    event = inner(payload, "event")
    kind = event.get("type")
    if kind == "message" and event.get("subtype") in ("message_changed", "message_deleted"):
        return _revision(event, identity)
    if kind in ("message", "app_mention"):
        return _said(event, identity)
    if kind in ("reaction_added", "reaction_removed"):
        return _reaction(event, identity)
    return _news(word(event, "type"), event)


def media(message: Payload) -> tuple[Media, ...]:
    """The files that came with a message, or with what was forwarded in it; those deleted since are left out.

    Of a file of another company Slack says no more than that there is one: it has no name yet, see `files.info`.
    """
    shared = [(file, True) for one in each(message, "attachments") for file in _shared_files(one)]
    kept = [(file, cited) for file, cited in [*((file, False) for file in each(message, "files")), *shared]]
    found: dict[str, Media] = {}
    for file, cited in kept:
        if word(file, "id") and file.get("mode") != "tombstone":
            by = word(file, "user") if cited else ""
            found.setdefault(word(file, "id"), replace(medium(file), cited=cited, by=by))
    return tuple(found.values())


def _shared_files(attachment: Payload) -> list[Payload]:
    """Of a forwarded message, each with who wrote that where Slack does not say whose the file is."""
    nested = [file for one in each(attachment, "message_blocks") for file in each(inner(one, "message"), "files")]
    author = word(attachment, "author_id")
    return [{"user": author, **file} for file in [*each(attachment, "files"), *nested]]


def _said(event: Payload, identity: BotIdentity) -> Fact | News | None:
    """None for what bots say, for what is not said to us, and for what is no saying at all."""
    user, channel, ts = word(event, "user"), word(event, "channel"), word(event, "ts")
    at = moment(ts)
    if at is None or not channel or not _is_person(event, user, identity):
        return None
    author = Person(NAME, user, external=_is_outsider(event, identity))
    ref, thread = MessageRef(NAME, channel, ts), word(event, "thread_ts")
    raw, root = word(event, "text"), MessageRef(NAME, channel, thread)
    replies = thread not in ("", ts)
    if replies and (team := _ordered(raw, identity)):
        return RouteRequest(root, ref, author, team, at)
    text, files = message_text(event, identity.user), media(event)
    if channel in identity.rooms:
        if replies:
            return Note(ref, root, author, text, at, files)
        here = Message(ref, Place(NAME, channel, ts), author, text, at, files)
        return SpokenToInARoom(here) if event.get("type") == "app_mention" else None
    # An id is enough: within the one workspace that a token belongs to, Slack gives no two people the same.
    message = Message(ref, Place(NAME, channel, thread or ts), author, text, at, files)
    addressed = _is_for_us(event, channel, identity)
    if replies and event.get("channel_type") != "im":
        return ThreadReply(message, word(event, "parent_user_id") == identity.user, addressed)
    return message if addressed else None


def spoken_to_us(message: Payload, channel: str, identity: BotIdentity) -> Message | None:
    """A message of that channel as if it had been said to us; None: no person said it, or not out there."""
    said = _said({**message, "channel": channel, "type": "app_mention"}, identity)
    if isinstance(said, ThreadReply):
        return said.message
    return said if isinstance(said, Message) else None


def _is_person(event: Payload, user: str, identity: BotIdentity) -> bool:
    # Other bots' messages come without a subtype, too; answering them is how two bots talk for ever.
    if event.get("subtype") not in _SPOKEN or event.get("hidden") or event.get("bot_id"):
        return False
    return user not in ("", identity.user, _SLACKBOT)


def _is_outsider(event: Payload, identity: BotIdentity) -> bool:
    teams = {word(event, key) for key in ("user_team", "source_team", "team")} - {""}
    return bool(identity.team and teams and teams != {identity.team})


def _is_for_us(event: Payload, channel: str, identity: BotIdentity) -> bool:
    """A mention and the message event of one post have one ref, so both may pass."""
    addressed = event.get("type") == "app_mention" or event.get("channel_type") == "im"
    return addressed or channel in identity.intake


def _ordered(raw: str, identity: BotIdentity) -> str:
    """The team of "@us route TEAM"; empty when it is no such order."""
    found = re.fullmatch(rf"\s*<@{re.escape(identity.user)}(?:\|[^<>]*)?>[,:]?\s+route\s+(.+?)\s*", raw, re.IGNORECASE)
    return readable(found[1], identity.user) if found and identity.user else ""


def _revision(event: Payload, identity: BotIdentity) -> Edit | Deletion | MentionedByEdit | None:
    """An edit only where its author changed it, or the message that it points at was shown: a link's preview is none,
    nor are our own updates."""
    message, before, channel = inner(event, "message"), inner(event, "previous_message"), word(event, "channel")
    ts = word(message, "ts") or word(event, "deleted_ts")
    at = moment(word(event, "event_ts") or word(event, "ts"))
    author = word(before, "user") or word(message, "user")
    if at is None or not channel or not moment(ts) or before.get("bot_id") or message.get("bot_id"):
        return None
    if author == identity.user:
        return None
    ref = MessageRef(NAME, channel, ts)
    # Of a deleted message with replies a tombstone is left, which comes as a change.
    if event.get("subtype") == "message_deleted" or message.get("subtype") == "tombstone":
        return Deletion(ref, at)
    edit = _edit(ref, message, before, at, identity)
    mention = f"<@{identity.user}"
    if (
        edit is None
        or channel in identity.rooms
        or mention in word(before, "text")
        or mention not in word(message, "text")
    ):
        return edit
    spoken = {key: event[key] for key in ("channel", "channel_type") if key in event}
    said = _said({**message, **spoken, "type": "app_mention", "subtype": None}, identity)
    return MentionedByEdit(edit, said) if isinstance(said, Message | ThreadReply) else edit


def _edit(ref: MessageRef, message: Payload, before: Payload, at: datetime, identity: BotIdentity) -> Edit | None:
    text, files = message_text(message, identity.user), media(message)
    edited = moment(word(inner(message, "edited"), "ts"))
    same = {one.id for one in files} == {one.id for one in media(before)}
    shown = any(one.get("is_msg_unfurl") is True for one in each(message, "attachments"))
    typed = edited is not None and word(message, "text") != word(
        before, "text"
    )  # a mention of us is in no words of ours
    reworded = text != message_text(before, identity.user) and (edited is not None or shown)
    if same and not reworded and not typed:
        return None
    return Edit(ref, text, edited or at, None if same else files)


def _reaction(event: Payload, identity: BotIdentity) -> Reaction | None:
    item, user, at = inner(event, "item"), word(event, "user"), moment(word(event, "event_ts"))
    channel, ts = word(item, "channel"), word(item, "ts")
    if at is None or item.get("type") != "message" or not channel or not ts or user in ("", identity.user):
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
            return Revoked(kind) if inner(event, "tokens").get("bot") else None
        case "app_uninstalled":
            return Revoked(kind)
        case "app_home_opened":
            return HomeOpened(word(event, "user")) if word(event, "tab") == "home" else None
        case _:
            return Reshared(word(event, "channel")) if kind in _ABOUT_A_CHANNEL else None


def medium(file: Payload) -> Media:
    """An attachment by what Slack says of the file."""
    size = file.get("size")
    return Media(
        platform=NAME,
        id=word(file, "id"),
        kind=_kind(file),
        name=word(file, "name") or word(file, "title"),
        size=size if isinstance(size, int) else 0,
        link=next(filter(_is_link, (word(file, key) for key in ("permalink", "external_url", "url_private"))), None),
    )


def _is_link(address: str) -> bool:
    return re.fullmatch(r"https?://[^\s<>|]+", address) is not None


def _kind(file: Payload) -> MediaKind:
    if word(file, "subtype") == "slack_audio":
        return MediaKind.VOICE
    by_type = {"image": MediaKind.PHOTO, "audio": MediaKind.AUDIO, "video": MediaKind.VIDEO}
    return by_type.get(word(file, "mimetype").partition("/")[0], MediaKind.DOCUMENT)
