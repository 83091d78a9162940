"""Slack's events as facts: an event in, a fact or a piece of news out. Pure."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.messages import Deletion, Edit, Media, MediaKind, Message, MessageRef, Note, Person, Place, Reaction
from bot.platforms.slack.emoji import normal
from bot.platforms.slack.message_content import message_text
from bot.platforms.slack.payload import NAME, Payload, each, inner, moment, readable, word

_SPOKEN = (None, "file_share", "thread_broadcast", "me_message")
"""Subtypes in which a person says something; the others are edits, deletions and housekeeping."""
_SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """Our identity in Slack, and the channels in which everything is addressed to us."""

    user: str
    """Our own user id."""
    intake: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()
    """The teams' channels: what is said in them is between colleagues, never a request."""
    team: str = ""
    """Our workspace's id. While it is empty, no event marks its author as of another company."""

    def renamed(self, before: str, after: str) -> "BotIdentity":
        """The identity with a channel's new id; a team's room stays one."""
        intake, rooms = (
            frozenset(after if one == before else one for one in known) for known in (self.intake, self.rooms)
        )
        return replace(self, intake=intake, rooms=rooms)


@dataclass(frozen=True, slots=True)
class ThreadReply:
    """A reply in a thread outside the teams' channels; only the record tells whether the thread is a team's."""

    message: Message
    ours: bool = False
    """Whether the thread begins with a post of ours."""
    addressed: bool = False
    """Whether it is a request in a thread that is nobody's: it mentions us, or every message of the channel is one."""

    @property
    def root(self) -> MessageRef:
        """The thread's first message."""
        place = self.message.place
        return MessageRef(NAME, place.chat, place.thread or self.message.ref.id)


@dataclass(frozen=True, slots=True)
class SpokenToInARoom:
    """A mention of us in a team's channel outside any thread: no request, and the author is told so."""

    message: Message


@dataclass(frozen=True, slots=True)
class MentionedByEdit:
    """An edit that added a mention of us; if the message was not known before, it becomes a request."""

    edit: Edit
    message: Message | ThreadReply


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """Somebody wrote "@us route TEAM" in a thread, where slash commands do not work."""

    root: MessageRef
    """The thread's first message: a card, or a person's request."""
    ref: MessageRef
    actor: Person
    team: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Renamed:
    """A channel has a new id."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Regrouped:
    """The members of a user group changed."""

    group: str


@dataclass(frozen=True, slots=True)
class NewEmoji:
    """The workspace's own emoji changed."""


@dataclass(frozen=True, slots=True)
class Reshared:
    """Something about a channel changed: with whom it is shared, whether it is archived."""

    channel: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """Our token was revoked, or the app removed."""

    how: str


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """Somebody opened the app's Home tab."""

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
    """The fact or news in an event of any kind that Slack delivers; None for malformed payloads, never an error."""
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
    """The files of a message and of what was forwarded in it, without those deleted since.

    Of another company's file Slack only says that it exists: it has no name until `files.info` is asked.
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
    """A forwarded message's files, each with the forwarded message's author where Slack names no owner."""
    nested = [file for one in each(attachment, "message_blocks") for file in each(inner(one, "message"), "files")]
    author = word(attachment, "author_id")
    return [{"user": author, **file} for file in [*each(attachment, "files"), *nested]]


def _said(event: Payload, identity: BotIdentity) -> Fact | News | None:
    """What a person said; None for bots, for what is not addressed to us, and for events without anything said."""
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
    # The user id is enough: it is unique in the one workspace that a token belongs to.
    message = Message(ref, Place(NAME, channel, thread or ts), author, text, at, files)
    addressed = _is_for_us(event, channel, identity)
    if replies and event.get("channel_type") != "im":
        return ThreadReply(message, word(event, "parent_user_id") == identity.user, addressed)
    return message if addressed else None


def spoken_to_us(message: Payload, channel: str, identity: BotIdentity) -> Message | None:
    """A channel's message as if it had mentioned us; None when no person wrote it or it is in a team's channel."""
    said = _said({**message, "channel": channel, "type": "app_mention"}, identity)
    if isinstance(said, ThreadReply):
        return said.message
    return said if isinstance(said, Message) else None


def _is_person(event: Payload, user: str, identity: BotIdentity) -> bool:
    # Other bots' messages come without a subtype, too; answering them would make two bots talk for ever.
    if event.get("subtype") not in _SPOKEN or event.get("hidden") or event.get("bot_id"):
        return False
    return user not in ("", identity.user, _SLACKBOT)


def _is_outsider(event: Payload, identity: BotIdentity) -> bool:
    teams = {word(event, key) for key in ("user_team", "source_team", "team")} - {""}
    return bool(identity.team and teams and teams != {identity.team})


def _is_for_us(event: Payload, channel: str, identity: BotIdentity) -> bool:
    """Whether it is addressed to us. Both events of a mention (itself and its message) pass: they have the same ref."""
    addressed = event.get("type") == "app_mention" or event.get("channel_type") == "im"
    return addressed or channel in identity.intake


def _ordered(raw: str, identity: BotIdentity) -> str:
    """The team in "@us route TEAM"; empty when the text is not of this form."""
    found = re.fullmatch(rf"\s*<@{re.escape(identity.user)}(?:\|[^<>]*)?>[,:]?\s+route\s+(.+?)\s*", raw, re.IGNORECASE)
    return readable(found[1], identity.user) if found and identity.user else ""


def _revision(event: Payload, identity: BotIdentity) -> Edit | Deletion | MentionedByEdit | None:
    """An edit or deletion.

    Previews of links and our own updates are no edits: only a change by the author is one, or when Slack shows the
    message that it points at.
    """
    message, before, channel = inner(event, "message"), inner(event, "previous_message"), word(event, "channel")
    ts = word(message, "ts") or word(event, "deleted_ts")
    at = moment(word(event, "event_ts") or word(event, "ts"))
    author = word(before, "user") or word(message, "user")
    if at is None or not channel or not moment(ts) or before.get("bot_id") or message.get("bot_id"):
        return None
    if author == identity.user:
        return None
    ref = MessageRef(NAME, channel, ts)
    # A deleted message with replies leaves a tombstone, which arrives as a change.
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
    )  # a mention of us is not part of our own text
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
            # A person's own token (`oauth`) is not ours.
            return Revoked(kind) if inner(event, "tokens").get("bot") else None
        case "app_uninstalled":
            return Revoked(kind)
        case "app_home_opened":
            return HomeOpened(word(event, "user")) if word(event, "tab") == "home" else None
        case _:
            return Reshared(word(event, "channel")) if kind in _ABOUT_A_CHANNEL else None


def medium(file: Payload) -> Media:
    """An attachment, from Slack's description of the file."""
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
