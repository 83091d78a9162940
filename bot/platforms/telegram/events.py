"""What Telegram sends, as facts: an Update in, Messages, Edits, Notes, Reactions, Presses and commands out. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import telegram
from telegram import MessageEntity, MessageReactionUpdated, ReactionType, ReactionTypeEmoji, Update, User
from telegram.constants import ChatType, ReactionEmoji

from bot.domain.messages import Edit, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.rich_text import Mark, Run, Style, runs, without_mention, written
from bot.platforms.telegram import NAME, room
from bot.platforms.telegram.media import media_of
from bot.platforms.telegram.pointed_at import forwarded, pointed_at, spoken

HEARD = (
    Update.MESSAGE,
    Update.EDITED_MESSAGE,
    Update.CHANNEL_POST,
    Update.CALLBACK_QUERY,
    Update.MESSAGE_REACTION,
    Update.MY_CHAT_MEMBER,
)
"""The kinds of update that we ask Telegram for. Reactions come to nobody who does not ask."""

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w+))?(?:\s+(.*))?$", re.DOTALL)
_SERVICE = tuple(
    """new_chat_members left_chat_member new_chat_title new_chat_photo delete_chat_photo group_chat_created
    supergroup_chat_created channel_chat_created message_auto_delete_timer_changed migrate_to_chat_id
    migrate_from_chat_id pinned_message users_shared chat_shared connected_website write_access_allowed
    proximity_alert_triggered boost_added chat_background_set forum_topic_created forum_topic_edited forum_topic_closed
    forum_topic_reopened general_forum_topic_hidden general_forum_topic_unhidden video_chat_scheduled video_chat_started
    video_chat_ended video_chat_participants_invited paid_message_price_changed direct_message_price_changed
    giveaway_created successful_payment refunded_payment passport_data gift unique_gift""".split()
)
"""Fields of a message that nobody wrote: Telegram tells what became of the chat."""
_FACTS = 10
"""More than one update can hold: who has Premium may change three reactions at once."""


@dataclass(frozen=True, slots=True)
class Command:
    """`/name argument`, or a press on a button of an answer to one: those are ours to answer, not a request."""

    name: str
    argument: str
    person: Person
    place: Place
    message: int
    """What is answered: the command; or our own message whose button was pressed, which is rewritten."""
    private: bool
    pressed: bool = False


@dataclass(frozen=True, slots=True)
class Migration:
    """A group has another id from now on."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Membership:
    """What we are in a chat from now on."""

    chat: str
    status: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply in a group that no setting calls a team's: only who keeps the record can say whose it is."""

    request: Message | None
    """What it is where what it replies to is nothing of a team's; None: it is not for us then."""
    note: Note
    """What it is otherwise."""
    ours: bool
    """It replies to something of ours."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """Somebody spoke to us whom we cannot help where or as they did: they are told why, in a sentence."""

    key: str
    """The sentence."""
    place: Place
    message: int
    language: str | None


Fact = Unheard | Answer | Message | Edit | Note | Reaction | Press | Command | Migration | Membership


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """Who we are in Telegram, and which rooms are the teams'."""

    id: int
    username: str
    rooms: frozenset[str] = frozenset()
    """The teams' groups and topics: what is said there is between colleagues, never a request."""
    send_prefix: str = "reply:"


def read(update: Update, identity: BotIdentity, leader: telegram.Message | None = None) -> list[Fact]:
    """What happened; nothing for what is not our business. The same update gives the same facts in the same order.

    `leader` is the piece of the same album that says for whom the album is.
    """
    if update.message_reaction is not None:
        return [*_reactions(update.update_id, update.message_reaction)]
    fact: Fact | None = None
    if update.message is not None:
        fact = _heard(update.message, identity, leader)
    elif update.edited_message is not None:
        return _edited(update.update_id, update.edited_message, identity)
    elif update.channel_post is not None:
        said = update.channel_post
        fact = _unheard("telegram_unheard_channel", said) if _is_mentioned(said, identity) else None
    elif update.callback_query is not None:
        fact = _press(update.update_id, update.callback_query)
    elif update.my_chat_member is not None:
        changed = update.my_chat_member
        fact = Membership(str(changed.chat.id), str(changed.new_chat_member.status))
    return [] if fact is None else [fact]


def album(update: Update) -> str | None:
    """Which album of a group the message is a piece of; None when it is none, or private and so for us anyway."""
    said = update.message
    if said is None or said.media_group_id is None or said.chat.type == ChatType.PRIVATE:
        return None
    return f"{said.chat.id}:{said.media_group_id}"


def normal(written: str) -> str:
    """An emoji as settings and events are compared. Raises ValueError for what Telegram has not as a reaction."""
    emoji = bare(written.strip())
    if emoji not in _ALLOWED:
        some = " ".join(list(_ALLOWED)[:24])
        raise ValueError(
            f"{written!r} is no reaction in Telegram; choose from {some} "
            f"or the rest of the {len(_ALLOWED)}: https://core.telegram.org/bots/api#reactiontypeemoji"
        )
    return emoji


def bare(emoji: str) -> str:
    """Without the variation selector, by which one emoji is written in two ways."""
    # Some keyboards add the variation selector and some do not; Telegram itself is not of one mind.
    return emoji.replace("\ufe0f", "")


_ALLOWED = tuple(bare(emoji.value) for emoji in ReactionEmoji)


# --- what is written ---


def _heard(said: telegram.Message, identity: BotIdentity, leader: telegram.Message | None) -> Fact | None:
    """None for what bots and channels say, for what is not said to us, and for what is no saying at all."""
    if said.migrate_to_chat_id is not None:
        return Migration(str(said.chat.id), str(said.migrate_to_chat_id))
    if said.migrate_from_chat_id is not None:
        return Migration(str(said.migrate_from_chat_id), str(said.chat.id))
    author = _person(said.from_user)
    if author is None or said.sender_chat is not None:
        return _from_nobody(said, identity)
    if _is_in_a_room(said, identity):
        note = _note(said, author, identity, leader)
        return note or (_unheard("telegram_unheard_room", said) if _names_us(said, identity) else None)
    command = _COMMAND.match(said.text or "")
    if command is not None:
        return _command(said, author, command, identity)
    return _request(said, author, identity, leader)


def _request(
    said: telegram.Message, author: Person, identity: BotIdentity, leader: telegram.Message | None
) -> Message | Answer | Unheard | None:
    request = _message(said, author, identity, leader)
    if request is not None and not _spoken(said) and not request.media:
        return _unheard("telegram_unheard_content", said)
    note = None if said.chat.type == ChatType.PRIVATE else _note(said, author, identity, leader)
    if note is None:
        return request
    replied = _answered(leader or said)
    ours = replied is not None and replied.from_user is not None and replied.from_user.id == identity.id
    return Answer(request, note, ours)


def _from_nobody(said: telegram.Message, identity: BotIdentity) -> Unheard | None:
    """Whoever hides behind a group or a channel is told so. Bots get nothing, or two of them would talk for ever.

    Nor does a channel's post that Telegram itself copies into the channel's group: nobody said it there.
    """
    hides = said.sender_chat is not None and not said.is_automatic_forward
    if not hides or _is_in_a_room(said, identity) or not _is_for_us(said, identity):
        return None
    return _unheard("telegram_unheard_nobody", said)


def _unheard(key: str, said: telegram.Message) -> Unheard:
    language = said.from_user.language_code if said.from_user is not None and said.sender_chat is None else None
    return Unheard(key, _place(said), said.message_id, language)


def _message(
    said: telegram.Message, author: Person, identity: BotIdentity, leader: telegram.Message | None
) -> Message | None:
    text = _words(said, identity)
    if text is None or not (_is_for_us(said, identity) or (leader is not None and _is_for_us(leader, identity))):
        return None
    text = _with_what_it_points_at(said, text, identity)
    return Message(
        _ref(said, identity), _place(said), author, text, _moment(said.date, said.message_id), media_of(said)
    )


def _note(
    said: telegram.Message, author: Person, identity: BotIdentity, leader: telegram.Message | None
) -> Note | None:
    """What is said in a team's room in reply to something; other talk there is none of our business."""
    first = leader or said
    under, text = _answered(first), _words(said, identity)
    if under is None or text is None:
        return None
    at = _moment(said.date, said.message_id)
    # Of an album that is to be sent, only one piece says so.
    sent = leader is not None and _spoken(leader).lower().startswith(identity.send_prefix.lower())
    ref = MessageRef(NAME, str(said.chat.id), str(under.message_id))
    own = MessageRef(NAME, str(said.chat.id), str(said.message_id))
    return Note(own, ref, author, text, at, media_of(said), send=sent)


def _edited(number: int, said: telegram.Message, identity: BotIdentity) -> list[Fact]:
    """The new words; and the message itself, where it speaks to us by now: it may not have done so before."""
    edits = _edits(number, said, identity)
    again = _heard(said, identity, None) if edits and said.migrate_to_chat_id is None else None
    return [*edits, *([again] if isinstance(again, Message | Answer) else [])]


def _edits(number: int, said: telegram.Message, identity: BotIdentity) -> list[Edit]:
    """None for what has no words to change: a location that moves, a voice message that is listened to.

    In a topic, two: what was said there may be kept as a request of the topic or as a note of the group.
    """
    words = _words(said, identity)
    if _person(said.from_user) is None or said.sender_chat is not None or words is None or said.location is not None:
        return []
    if not _is_in_a_room(said, identity):
        words = _with_what_it_points_at(said, words, identity)
    refs = {_ref(said, identity), MessageRef(NAME, str(said.chat.id), str(said.message_id))}
    at, media = _moment(said.edit_date or said.date, number), media_of(said) or None
    return [Edit(ref, words, at, media) for ref in sorted(refs, key=lambda ref: ref.chat)]


def _command(said: telegram.Message, author: Person, found: re.Match[str], identity: BotIdentity) -> Command | None:
    """None for another bot's; in a group, where several bots may listen, also for one that names nobody."""
    private = said.chat.type == ChatType.PRIVATE
    name, bot, argument = found[1].lower(), found[2], (found[3] or "").strip()
    if (bot is None and not private) or (bot is not None and bot.lower() != identity.username.lower()):
        return None
    return Command(name, argument, author, _place(said), said.message_id, private)


def _person(user: User | None) -> Person | None:
    if user is None or user.is_bot:
        return None
    return Person(NAME, str(user.id), user.full_name, user.language_code)


def _topic(said: telegram.Message) -> int | None:
    # Without the mark, a thread is just a chain of replies in a group.
    return said.message_thread_id if said.is_topic_message else None


def _place(said: telegram.Message) -> Place:
    return Place(NAME, room(said.chat.id, _topic(said)))


def _ref(said: telegram.Message, identity: BotIdentity) -> MessageRef:
    """A request's by the chat or topic it was made in; a note's by the group alone, as reactions name it."""
    chat = str(said.chat.id) if _is_in_a_room(said, identity) else _place(said).chat
    return MessageRef(NAME, chat, str(said.message_id))


def _is_in_a_room(said: telegram.Message, identity: BotIdentity) -> bool:
    return not identity.rooms.isdisjoint({_place(said).chat, str(said.chat.id)})


def _is_for_us(said: telegram.Message, identity: BotIdentity) -> bool:
    if said.chat.type == ChatType.PRIVATE or _is_mentioned(said, identity):
        return True
    replied = _answered(said)
    return replied is not None and replied.from_user is not None and replied.from_user.id == identity.id


def _is_mentioned(said: telegram.Message, identity: BotIdentity) -> bool:
    """By our user name, or picked from a list by the name that is shown."""
    return _mention(identity).search(_spoken(said)) is not None or bool(_picked(said, identity))


def _names_us(said: telegram.Message, identity: BotIdentity) -> bool:
    """By a mention, or by a command that says for whom it is."""
    command = _COMMAND.match(said.text or "")
    named = command is not None and (command[2] or "").lower() == identity.username.lower()
    return named or _is_mentioned(said, identity)


def _picked(said: telegram.Message, identity: BotIdentity) -> list[str]:
    """How we are called where somebody picked us by the name that is shown: such a mention has no user name in it."""
    sort: list[str | None] = [MessageEntity.TEXT_MENTION]
    found = said.parse_entities(sort) if said.text else said.parse_caption_entities(sort) if said.caption else {}
    return [words for entity, words in found.items() if entity.user is not None and entity.user.id == identity.id]


def _answered(said: telegram.Message) -> telegram.Message | None:
    """The message this one replies to. In a topic whoever says anything "replies" to its opening: that is none."""
    replied = said.reply_to_message
    return None if replied is None or replied.forum_topic_created is not None else replied


def _words(said: telegram.Message, identity: BotIdentity) -> str | None:
    """What was said, without our own name; empty where it was not in words.

    None for what Telegram itself says in a chat (somebody joined).
    """
    if not _spoken(said) and said.effective_attachment is None and _is_service(said):
        return None
    return forwarded(said, _without_us(spoken(said), identity))


def _without_us(text: str, identity: BotIdentity) -> str:
    """The text without mentions of us, by our name in Telegram or by a mark."""
    us, pattern = str(identity.id), _mention(identity)
    found = []
    for run in runs(text):
        at = 0
        for name in pattern.finditer(run.text):
            found += [Run(run.text[at : name.start()], run.marks), Run(name[0], (*run.marks, Mark(Style.MENTION, us)))]
            at = name.end()
        found.append(Run(run.text[at:], run.marks))
    return without_mention(written(run for run in found if run.text), us)


def _with_what_it_points_at(said: telegram.Message, text: str, identity: BotIdentity) -> str:
    cited = pointed_at(said, identity.id)
    return f"{cited}\n{text}".strip() if cited else text


def _is_service(said: telegram.Message) -> bool:
    """Whether it is news of the chat (somebody joined, a message was pinned), and not something that somebody sent."""
    return any(getattr(said, kind, None) for kind in _SERVICE)


def _spoken(said: telegram.Message) -> str:
    return said.text or said.caption or ""


def _mention(identity: BotIdentity) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w@/.])@{re.escape(identity.username)}\b[,:]?", re.IGNORECASE)


# --- what is pressed and put on messages ---


def _press(number: int, query: telegram.CallbackQuery) -> Press | Command | None:
    """None for a button that is older than Telegram remembers: its question was decided long ago."""
    actor, question = _person(query.from_user), query.message
    if actor is None or query.data is None or not isinstance(question, telegram.Message):
        return None
    if not question.is_accessible:
        return None
    if query.data.startswith("/"):
        return _pressed_command(actor, question, query.data)
    ref = MessageRef(NAME, str(question.chat.id), str(question.message_id))
    # A press has no time of its own. The question's will do: the same update must stay the same fact.
    return Press(ref, actor, query.data, _moment(question.date, number * _FACTS))


def _pressed_command(actor: Person, question: telegram.Message, value: str) -> Command | None:
    """None for a forgery: the button must be there. Its value begins with whom it is for."""
    rows = question.reply_markup.inline_keyboard if question.reply_markup else ()
    if not any(button.callback_data == value for row in rows for button in row):
        return None
    name, whom, argument = (*value.removeprefix("/").split(" ", 2), "", "")[:3]
    if whom != actor.id:
        return None
    private = question.chat.type == ChatType.PRIVATE
    return Command(name, argument, actor, _place(question), question.message_id, private, pressed=True)


def _reactions(number: int, changed: MessageReactionUpdated) -> list[Reaction]:
    """Old and new lists as what was taken away, then what was put on; nothing by an anonymous administrator."""
    actor = _person(changed.user)
    if actor is None:
        return []
    before, after = _emoji(changed.old_reaction), _emoji(changed.new_reaction)
    changes = [(emoji, False) for emoji in before if emoji not in after]
    changes += [(emoji, True) for emoji in after if emoji not in before]
    ref = MessageRef(NAME, str(changed.chat.id), str(changed.message_id))
    return [
        Reaction(ref, actor, emoji, added, _moment(changed.date, number * _FACTS + position))
        for position, (emoji, added) in enumerate(changes)
    ]


def _emoji(reactions: Sequence[ReactionType]) -> list[str]:
    """Those that can mean a team: no custom emoji, no paid stars, nothing newer than this library."""
    plain = [bare(one.emoji) for one in reactions if isinstance(one, ReactionTypeEmoji)]
    return [emoji for emoji in plain if emoji in _ALLOWED]


def _moment(date: datetime, number: int) -> datetime:
    """Telegram counts whole seconds; what happened within one is told apart, and kept in order, by its number."""
    return date + timedelta(microseconds=number % 1_000_000)
