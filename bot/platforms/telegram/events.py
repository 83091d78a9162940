"""What Telegram sends, as facts: an Update in, Messages, Reactions and Presses out. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import telegram
from telegram import MessageReactionUpdated, ReactionType, ReactionTypeEmoji, Update, User
from telegram.constants import ChatType, ReactionEmoji

from bot.domain.messages import Message, MessageRef, Person, Place, Press, Reaction
from bot.platforms.telegram import NAME, room

HEARD = (Update.MESSAGE, Update.CALLBACK_QUERY, Update.MESSAGE_REACTION)
"""The kinds of update that we ask Telegram for. Reactions come to nobody who does not ask."""

Fact = Message | Reaction | Press

_GREETINGS = ("start", "help")
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w+)?(?:\s|$)")
_FACTS = 10
"""More than one update can hold: who has Premium may change three reactions at once."""


@dataclass(frozen=True, slots=True)
class Ears:
    """Who we are in Telegram and where nothing that is said is meant for us."""

    id: int
    username: str
    rooms: frozenset[str] = frozenset()
    """The teams' groups and topics: what is said there is between colleagues, never a request."""


def read(update: Update, ears: Ears) -> list[Fact]:
    """What happened; nothing for what is not our business. The same update gives the same facts in the same order."""
    fact: Fact | None = None
    if update.message is not None:
        fact = _message(update.message, ears)
    elif update.callback_query is not None:
        fact = _press(update.update_id, update.callback_query)
    elif update.message_reaction is not None:
        return [*_reactions(update.update_id, update.message_reaction)]
    return [] if fact is None else [fact]


def normal(written: str) -> str:
    """An emoji as settings and events are compared. Raises ValueError for what Telegram has not as a reaction."""
    emoji = _bare(written.strip())
    if emoji not in _ALLOWED:
        some = " ".join(list(_ALLOWED)[:24])
        raise ValueError(
            f"{written!r} is no reaction in Telegram; choose from {some} "
            f"or the rest of the {len(_ALLOWED)}: https://core.telegram.org/bots/api#reactiontypeemoji"
        )
    return emoji


def _bare(emoji: str) -> str:
    # Some keyboards add the variation selector and some do not; Telegram itself is not of one mind.
    return emoji.replace("\ufe0f", "")


_ALLOWED = tuple(_bare(emoji.value) for emoji in ReactionEmoji)


def _message(said: telegram.Message, ears: Ears) -> Message | None:
    """None for what bots and channels say, for what is not said to us, and for what is no saying at all."""
    author, place = _person(said.from_user), _place(said)
    if author is None or said.sender_chat is not None or not _is_for_us(said, place.chat, ears):
        return None
    text = _words(said, ears)
    if text is None:
        return None
    ref = MessageRef(NAME, place.chat, str(said.message_id))
    return Message(ref, place, author, text, _moment(said.date, said.message_id))


def _person(user: User | None) -> Person | None:
    if user is None or user.is_bot:
        return None
    return Person(NAME, str(user.id), user.full_name, user.language_code)


def _place(said: telegram.Message) -> Place:
    # Without the mark, a thread is just a chain of replies in a group.
    topic = said.message_thread_id if said.is_topic_message else None
    return Place(NAME, room(said.chat.id, topic))


def _is_for_us(said: telegram.Message, where: str, ears: Ears) -> bool:
    if said.chat.type == ChatType.PRIVATE:
        return True
    if where in ears.rooms or str(said.chat.id) in ears.rooms:
        return False
    return _mention(ears).search(_spoken(said)) is not None or _answers_us(said, ears)


def _answers_us(said: telegram.Message, ears: Ears) -> bool:
    replied = said.reply_to_message
    # In a topic whoever says anything "replies" to the topic's opening, which may have been ours.
    if replied is None or replied.forum_topic_created is not None or replied.from_user is None:
        return False
    return replied.from_user.id == ears.id


def _words(said: telegram.Message, ears: Ears) -> str | None:
    """What was said, without our own name; empty where it was not in words.

    None for commands that we do not know, and for what Telegram itself says in a chat (somebody joined).
    """
    spoken = _spoken(said)
    command = _COMMAND.match(spoken)
    if command is not None:
        return "" if command[1].lower() in _GREETINGS else None
    if not spoken and said.effective_attachment is None:
        return None
    return re.sub(r"[ \t]{2,}", " ", _mention(ears).sub(" ", spoken)).strip()


def _spoken(said: telegram.Message) -> str:
    return said.text or said.caption or ""


def _mention(ears: Ears) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w@/.])@{re.escape(ears.username)}\b[,:]?", re.IGNORECASE)


def _press(number: int, query: telegram.CallbackQuery) -> Press | None:
    """None for a button that is older than Telegram remembers: its question was decided long ago."""
    actor, question = _person(query.from_user), query.message
    if actor is None or query.data is None or question is None or not question.is_accessible:
        return None
    ref = MessageRef(NAME, str(question.chat.id), str(question.message_id))
    # A press has no time of its own. The question's will do: the same update must stay the same fact.
    return Press(ref, actor, query.data, _moment(question.date, number * _FACTS))


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
    plain = [_bare(one.emoji) for one in reactions if isinstance(one, ReactionTypeEmoji)]
    return [emoji for emoji in plain if emoji in _ALLOWED]


def _moment(date: datetime, number: int) -> datetime:
    """Telegram counts whole seconds; what happened within one is told apart, and kept in order, by its number."""
    return date + timedelta(microseconds=number % 1_000_000)
