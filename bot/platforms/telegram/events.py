"""Reads Telegram's updates as facts: messages, edits, notes, reactions, presses and commands. Pure."""

import re
from datetime import datetime, timedelta

import telegram
from telegram import MessageReactionUpdated, Update, User
from telegram.constants import ChatType

from bot.domain.messages import Edit, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.platforms.telegram import NAME, room
from bot.platforms.telegram.addressed import (
    COMMAND,
    answered,
    is_for_us,
    is_mentioned,
    names_us,
    raw_words,
    without_us,
)
from bot.platforms.telegram.content import spoken
from bot.platforms.telegram.emoji import of_reactions
from bot.platforms.telegram.facts import Answer, BotIdentity, Command, Fact, Membership, Migration, Unheard
from bot.platforms.telegram.media import media_of
from bot.platforms.telegram.pointed_at import forwarded, pointed_at, pointed_at_media

HEARD = (
    Update.MESSAGE,
    Update.EDITED_MESSAGE,
    Update.CHANNEL_POST,
    Update.CALLBACK_QUERY,
    Update.MESSAGE_REACTION,
    Update.MY_CHAT_MEMBER,
)
"""The kinds of update that we ask Telegram for. Reactions are only sent to bots that ask."""

_SERVICE = tuple(
    """new_chat_members left_chat_member new_chat_title new_chat_photo delete_chat_photo group_chat_created
    supergroup_chat_created channel_chat_created message_auto_delete_timer_changed migrate_to_chat_id
    migrate_from_chat_id pinned_message users_shared chat_shared connected_website write_access_allowed
    proximity_alert_triggered boost_added chat_background_set forum_topic_created forum_topic_edited forum_topic_closed
    forum_topic_reopened general_forum_topic_hidden general_forum_topic_unhidden video_chat_scheduled video_chat_started
    video_chat_ended video_chat_participants_invited paid_message_price_changed direct_message_price_changed
    giveaway_created successful_payment refunded_payment passport_data gift unique_gift""".split()
)
"""Fields of messages that nobody wrote: Telegram reports a change of the chat."""
_FACTS = 10
"""More facts than one update can hold: with Premium, a person may change three reactions at once."""


def read(update: Update, identity: BotIdentity, leader: telegram.Message | None = None) -> list[Fact]:
    """The facts in an update, none if it does not concern us; always the same, in the same order, for the same update.

    `leader` is the message of the same album that shows that the album is for us.
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
        fact = _unheard("telegram_unheard_channel", said) if is_mentioned(said, identity) else None
    elif update.callback_query is not None:
        fact = _press(update.update_id, update.callback_query)
    elif update.my_chat_member is not None:
        changed = update.my_chat_member
        fact = Membership(str(changed.chat.id), str(changed.new_chat_member.status))
    return [] if fact is None else [fact]


def said_to_us(said: telegram.Message, identity: BotIdentity) -> Message | None:
    """A group's message as if it had been addressed to us; None when no person wrote it or it is in a team's room."""
    author, text = _person(said.from_user), _words(said, identity)
    if author is None or said.sender_chat is not None or text is None or _is_in_a_room(said, identity):
        return None
    media = media_of(said)
    return Message(_ref(said, identity), _place(said), author, text, _moment(said.date, said.message_id), media)


def album(update: Update) -> str | None:
    """The album of a group that the message belongs to; None when there is none, or the chat is private."""
    said = update.message
    if said is None or said.media_group_id is None or said.chat.type == ChatType.PRIVATE:
        return None
    return f"{said.chat.id}:{said.media_group_id}"


# --- what is written ---


def _heard(said: telegram.Message, identity: BotIdentity, leader: telegram.Message | None) -> Fact | None:
    """The fact in a message; None for bots and channels, for what is not addressed to us, and for service messages."""
    if said.migrate_to_chat_id is not None:
        return Migration(str(said.chat.id), str(said.migrate_to_chat_id))
    if said.migrate_from_chat_id is not None:
        return Migration(str(said.migrate_from_chat_id), str(said.chat.id))
    author = _person(said.from_user)
    if author is None or said.sender_chat is not None:
        return _from_nobody(said, identity)
    if _is_in_a_room(said, identity):
        note = _note(said, author, identity, leader)
        return note or (_unheard("telegram_unheard_room", said) if names_us(said, identity) else None)
    command = COMMAND.match(said.text or "")
    if command is not None:
        return _command(said, author, command, identity)
    return _request(said, author, identity, leader)


def _request(
    said: telegram.Message, author: Person, identity: BotIdentity, leader: telegram.Message | None
) -> Message | Answer | Unheard | None:
    request = _message(said, author, identity, leader)
    if request is not None and not (raw_words(said) or request.text or request.media):
        return _unheard("telegram_unheard_content", said)
    note = None if said.chat.type == ChatType.PRIVATE else _note(said, author, identity, leader)
    if note is None:
        return request
    replied = answered(leader or said)
    ours = replied is not None and replied.from_user is not None and replied.from_user.id == identity.id
    return Answer(request, note, ours)


def _from_nobody(said: telegram.Message, identity: BotIdentity) -> Unheard | None:
    """An explanation for a message to us that was sent in the name of a group or channel; else None.

    Bots get none, or two of them would talk for ever. Nor does a channel's post that Telegram itself copies into the
    channel's group: nobody said it there.
    """
    hides = said.sender_chat is not None and not said.is_automatic_forward
    if not hides or _is_in_a_room(said, identity) or not is_for_us(said, identity):
        return None
    return _unheard("telegram_unheard_nobody", said)


def _unheard(key: str, said: telegram.Message) -> Unheard:
    language = said.from_user.language_code if said.from_user is not None and said.sender_chat is None else None
    return Unheard(key, _place(said), said.message_id, language)


def _message(
    said: telegram.Message, author: Person, identity: BotIdentity, leader: telegram.Message | None
) -> Message | None:
    text = _words(said, identity)
    if text is None or not (is_for_us(said, identity) or (leader is not None and is_for_us(leader, identity))):
        return None
    text = _with_what_it_points_at(said, text, identity)
    media = (*media_of(said), *pointed_at_media(said, identity.id))
    return Message(_ref(said, identity), _place(said), author, text, _moment(said.date, said.message_id), media)


def _note(
    said: telegram.Message, author: Person, identity: BotIdentity, leader: telegram.Message | None
) -> Note | None:
    """The note in a reply; None for a message that replies to nothing, which in a team's room does not concern us."""
    first = leader or said
    under, text = answered(first), _words(said, identity)
    if under is None or text is None:
        return None
    at = _moment(said.date, said.message_id)
    # In an album that is to be sent, only one message has the prefix.
    sent = leader is not None and raw_words(leader).lower().startswith(identity.send_prefix.lower())
    ref = MessageRef(NAME, str(said.chat.id), str(under.message_id))
    own = MessageRef(NAME, str(said.chat.id), str(said.message_id))
    return Note(own, ref, author, text, at, media_of(said), send=sent)


def _edited(number: int, said: telegram.Message, identity: BotIdentity) -> list[Fact]:
    """The new words; and also the message, if it is addressed to us now: it may not have been before."""
    edits = _edits(number, said, identity)
    again = _heard(said, identity, None) if edits and said.migrate_to_chat_id is None else None
    return [*edits, *([again] if isinstance(again, Message | Answer) else [])]


def _edits(number: int, said: telegram.Message, identity: BotIdentity) -> list[Edit]:
    """The edits; none for what has no words to change: a location that moves, a voice message that is listened to.

    In a topic there are two: the message may be known as a request of the topic or as a note of the group.
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
    """The command; None when it is for another bot or, in a group, names no bot, since several may listen."""
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
    # Without this flag, a thread is just a chain of replies in a group.
    return said.message_thread_id if said.is_topic_message else None


def _place(said: telegram.Message) -> Place:
    return Place(NAME, room(said.chat.id, _topic(said)))


def _ref(said: telegram.Message, identity: BotIdentity) -> MessageRef:
    """A message's ref: for requests with the chat or topic, for notes with the group alone, as reactions have it."""
    chat = str(said.chat.id) if _is_in_a_room(said, identity) else _place(said).chat
    return MessageRef(NAME, chat, str(said.message_id))


def _is_in_a_room(said: telegram.Message, identity: BotIdentity) -> bool:
    return not identity.rooms.isdisjoint({_place(said).chat, str(said.chat.id)})


def _words(said: telegram.Message, identity: BotIdentity) -> str | None:
    """What was said, without our own name; empty where it has no words.

    None for service messages (somebody joined).
    """
    if not raw_words(said) and said.effective_attachment is None and _is_service(said):
        return None
    return forwarded(said, without_us(spoken(said), identity))


def _with_what_it_points_at(said: telegram.Message, text: str, identity: BotIdentity) -> str:
    cited = pointed_at(said, identity.id)
    return f"{cited}\n{text}".strip() if cited else text


def _is_service(said: telegram.Message) -> bool:
    """Whether it reports a change of the chat (somebody joined, a message was pinned) instead of what somebody sent."""
    return any(getattr(said, kind, None) for kind in _SERVICE)


# --- what is pressed and put on messages ---


def _press(number: int, query: telegram.CallbackQuery) -> Press | Command | None:
    """The press; None for a button older than Telegram remembers, whose question was decided long ago."""
    actor, question = _person(query.from_user), query.message
    if actor is None or query.data is None or not isinstance(question, telegram.Message):
        return None
    if not question.is_accessible:
        return None
    if query.data.startswith("/"):
        return _pressed_command(actor, question, query.data)
    ref = MessageRef(NAME, str(question.chat.id), str(question.message_id))
    # A press has no time of its own. The question's is used: the same update must give the same fact.
    return Press(ref, actor, query.data, _moment(question.date, number * _FACTS))


def _pressed_command(actor: Person, question: telegram.Message, value: str) -> Command | None:
    """The command of a button; None for a forgery: the message must have the button, which names whom it is for."""
    rows = question.reply_markup.inline_keyboard if question.reply_markup else ()
    if not any(button.callback_data == value for row in rows for button in row):
        return None
    name, whom, argument = (*value.removeprefix("/").split(" ", 2), "", "")[:3]
    if whom != actor.id:
        return None
    private = question.chat.type == ChatType.PRIVATE
    return Command(name, argument, actor, _place(question), question.message_id, private, pressed=True)


def _reactions(number: int, changed: MessageReactionUpdated) -> list[Reaction]:
    """The changes between the old and the new list, removals first; none for an anonymous administrator."""
    actor = _person(changed.user)
    if actor is None:
        return []
    before, after = of_reactions(changed.old_reaction), of_reactions(changed.new_reaction)
    changes = [(emoji, False) for emoji in before if emoji not in after]
    changes += [(emoji, True) for emoji in after if emoji not in before]
    ref = MessageRef(NAME, str(changed.chat.id), str(changed.message_id))
    return [
        Reaction(ref, actor, emoji, added, _moment(changed.date, number * _FACTS + position))
        for position, (emoji, added) in enumerate(changes)
    ]


def _moment(date: datetime, number: int) -> datetime:
    """Telegram's time in whole seconds, with `number` as microseconds to order what happened within one."""
    return date + timedelta(microseconds=number % 1_000_000)
