"""What Telegram sends, as facts: an Update in, Messages, Edits, Notes, Reactions, Presses and commands out. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import telegram
from telegram import MessageReactionUpdated, ReactionType, ReactionTypeEmoji, Update, User
from telegram.constants import ChatType, ReactionEmoji

from bot.domain.messages import Edit, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.platforms.telegram import NAME, room
from bot.platforms.telegram.media import media_of

HEARD = (
    Update.MESSAGE,
    Update.EDITED_MESSAGE,
    Update.CALLBACK_QUERY,
    Update.MESSAGE_REACTION,
    Update.MY_CHAT_MEMBER,
)
"""The kinds of update that we ask Telegram for. Reactions come to nobody who does not ask."""

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w+))?(?:\s+(.*))?$", re.DOTALL)
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


Fact = Answer | Message | Edit | Note | Reaction | Press | Command | Migration | Membership


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """Who we are in Telegram, and which rooms are the teams'."""

    id: int
    username: str
    rooms: frozenset[str] = frozenset()
    """The teams' groups and topics: what is said there is between colleagues, never a request."""
    send_prefix: str = "reply:"


def read(update: Update, ears: BotIdentity, leader: telegram.Message | None = None) -> list[Fact]:
    """What happened; nothing for what is not our business. The same update gives the same facts in the same order.

    `leader` is the piece of the same album that says for whom the album is.
    """
    if update.message_reaction is not None:
        return [*_reactions(update.update_id, update.message_reaction)]
    fact: Fact | None = None
    if update.message is not None:
        fact = _heard(update.message, ears, leader)
    elif update.edited_message is not None:
        return [*_edits(update.update_id, update.edited_message, ears)]
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


def _heard(said: telegram.Message, ears: BotIdentity, leader: telegram.Message | None) -> Fact | None:
    """None for what bots and channels say, for what is not said to us, and for what is no saying at all."""
    if said.migrate_to_chat_id is not None:
        return Migration(str(said.chat.id), str(said.migrate_to_chat_id))
    if said.migrate_from_chat_id is not None:
        return Migration(str(said.migrate_from_chat_id), str(said.chat.id))
    author = _person(said.from_user)
    if author is None or said.sender_chat is not None:
        return None
    if _is_in_a_room(said, ears):
        return _note(said, author, ears, leader)
    command = _COMMAND.match(said.text or "")
    if command is not None:
        return _command(said, author, command, ears)
    return _request(said, author, ears, leader)


def _request(
    said: telegram.Message, author: Person, ears: BotIdentity, leader: telegram.Message | None
) -> Message | Answer | None:
    request = _message(said, author, ears, leader)
    note = None if said.chat.type == ChatType.PRIVATE else _note(said, author, ears, leader)
    if note is None:
        return request
    replied = _answered(leader or said)
    ours = replied is not None and replied.from_user is not None and replied.from_user.id == ears.id
    return Answer(request, note, ours)


def _message(
    said: telegram.Message, author: Person, ears: BotIdentity, leader: telegram.Message | None
) -> Message | None:
    text = _words(said, ears)
    if text is None or not (_is_for_us(said, ears) or (leader is not None and _is_for_us(leader, ears))):
        return None
    return Message(_ref(said, ears), _place(said), author, text, _moment(said.date, said.message_id), media_of(said))


def _note(said: telegram.Message, author: Person, ears: BotIdentity, leader: telegram.Message | None) -> Note | None:
    """What is said in a team's room in reply to something; other talk there is none of our business."""
    first = leader or said
    under, text = _answered(first), _words(said, ears)
    if under is None or text is None:
        return None
    at = _moment(said.date, said.message_id)
    # Of an album that is to be sent, only one piece says so.
    sent = leader is not None and _spoken(leader).lower().startswith(ears.send_prefix.lower())
    ref = MessageRef(NAME, str(said.chat.id), str(under.message_id))
    own = MessageRef(NAME, str(said.chat.id), str(said.message_id))
    return Note(own, ref, author, text, at, media_of(said), send=sent)


def _edits(number: int, said: telegram.Message, ears: BotIdentity) -> list[Edit]:
    """None for what has no words to change: a location that moves, a voice message that is listened to.

    In a topic, two: what was said there may be kept as a request of the topic or as a note of the group.
    """
    words = _words(said, ears)
    if _person(said.from_user) is None or said.sender_chat is not None or words is None or said.location is not None:
        return []
    refs = {_ref(said, ears), MessageRef(NAME, str(said.chat.id), str(said.message_id))}
    at = _moment(said.edit_date or said.date, number)
    return [Edit(ref, words, at) for ref in sorted(refs, key=lambda ref: ref.chat)]


def _command(said: telegram.Message, author: Person, found: re.Match[str], ears: BotIdentity) -> Command | None:
    """None for another bot's; in a group, where several bots may listen, also for one that names nobody."""
    private = said.chat.type == ChatType.PRIVATE
    name, bot, argument = found[1].lower(), found[2], (found[3] or "").strip()
    if (bot is None and not private) or (bot is not None and bot.lower() != ears.username.lower()):
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


def _ref(said: telegram.Message, ears: BotIdentity) -> MessageRef:
    """A request's by the chat or topic it was made in; a note's by the group alone, as reactions name it."""
    chat = str(said.chat.id) if _is_in_a_room(said, ears) else _place(said).chat
    return MessageRef(NAME, chat, str(said.message_id))


def _is_in_a_room(said: telegram.Message, ears: BotIdentity) -> bool:
    return not ears.rooms.isdisjoint({_place(said).chat, str(said.chat.id)})


def _is_for_us(said: telegram.Message, ears: BotIdentity) -> bool:
    if said.chat.type == ChatType.PRIVATE or _mention(ears).search(_spoken(said)) is not None:
        return True
    replied = _answered(said)
    return replied is not None and replied.from_user is not None and replied.from_user.id == ears.id


def _answered(said: telegram.Message) -> telegram.Message | None:
    """The message this one replies to. In a topic whoever says anything "replies" to its opening: that is none."""
    replied = said.reply_to_message
    return None if replied is None or replied.forum_topic_created is not None else replied


def _words(said: telegram.Message, ears: BotIdentity) -> str | None:
    """What was said, without our own name; empty where it was not in words.

    None for what Telegram itself says in a chat (somebody joined).
    """
    spoken = _spoken(said)
    if not spoken and said.effective_attachment is None:
        return None
    return re.sub(r"[ \t]{2,}", " ", _mention(ears).sub(" ", spoken)).strip()


def _spoken(said: telegram.Message) -> str:
    return said.text or said.caption or ""


def _mention(ears: BotIdentity) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w@/.])@{re.escape(ears.username)}\b[,:]?", re.IGNORECASE)


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
