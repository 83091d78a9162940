"""The state of a bot's chats in Telegram: people, messages, reactions, button presses."""

import time
from dataclasses import dataclass, field, replace

from tests.servers.wire import Json, number, truth

BOT = 123456
BOT_NAME = "switchboard_bot"
ANONYMOUS = 1087968824
"""The bot in whose name Telegram shows messages of anonymous administrators."""


class ApiError(Exception):
    """The Bot API refuses, with its error_code, description and parameters."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


def bad_request(description: str) -> ApiError:
    return ApiError(400, f"Bad Request: {description}")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person or bot; `blocked` means that they blocked our bot."""

    id: int
    first_name: str
    username: str | None = None
    language_code: str | None = "en"
    is_bot: bool = False
    blocked: bool = False

    def payload(self) -> Json:
        found: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        optional = {"username": self.username, "language_code": self.language_code}
        return found | {name: value for name, value in optional.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A chat; `statuses` are the members' (creator, administrator, member, left, kicked), ours included."""

    id: int
    type: str
    title: str = ""
    statuses: dict[int, str] = field(default_factory=dict)
    topics: frozenset[int] = frozenset()
    closed: frozenset[int] = frozenset()
    """Topics in which nobody may write."""
    reactions: tuple[str, ...] | None = None
    """The emoji that are allowed; None: all."""
    moved_to: int | None = None
    """The supergroup that this group has become."""
    is_protected: bool = False
    """Nothing in it may be copied."""

    def payload(self) -> Json:
        return {"id": self.id, "type": self.type} | (
            {"first_name": self.title} if self.type == "private" else {"title": self.title}
        )

    @property
    def bot_status(self) -> str:
        return self.statuses.get(BOT, "left")


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message as it stands; `edits` are its earlier versions, oldest first, `buttons` its reply_markup."""

    chat: int
    message_id: int
    sender: int
    date: int
    text: str
    entities: tuple[Json, ...] = ()
    buttons: Json = field(default_factory=dict)
    reply_to: int | None = None
    thread: int | None = None
    edits: "tuple[Post, ...]" = ()
    extra: Json = field(default_factory=dict)
    quiet: bool = False

    @property
    def spoken(self) -> str:
        """The text or the caption."""
        return self.text or str(self.extra.get("caption", ""))


class Account:
    """Everything the server knows. A supergroup and a channel count their messages for themselves, all private chats
    and basic groups of the bot together."""

    def __init__(self) -> None:
        self.users = {
            BOT: User(id=BOT, first_name="Switchboard", username=BOT_NAME, language_code=None, is_bot=True),
            ANONYMOUS: User(id=ANONYMOUS, first_name="Group", username="GroupAnonymousBot", is_bot=True),
        }
        self.chats: dict[int, Chat] = {}
        self.posts: dict[tuple[int, int], Post] = {}
        self.reactions: dict[tuple[int, int], dict[int, list[Json]]] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        self.commands: dict[tuple[str, str], list[Json]] = {}
        self._counts: dict[int | None, int] = {}

    def user(self, user_id: int) -> User:
        """The person; an unknown one is added."""
        return self.users.setdefault(user_id, User(id=user_id, first_name=f"Person {user_id}"))

    def private(self, user_id: int) -> Chat:
        """The person's chat with the bot, started if there is none yet."""
        statuses = {user_id: "member", BOT: "member"}
        name = self.user(user_id).first_name
        return self.chats.setdefault(user_id, Chat(id=user_id, type="private", title=name, statuses=statuses))

    def chat(self, chat_id: int) -> Chat:
        if chat_id not in self.chats:
            raise bad_request("chat not found")
        found = self.chats[chat_id]
        if found.moved_to is not None:
            why = "Bad Request: group chat was upgraded to a supergroup chat"
            raise ApiError(400, why, migrate_to_chat_id=found.moved_to)
        return found

    def writable(self, chat_id: int, thread: int | None) -> Chat:
        """The chat, if the bot may write there (and the topic exists)."""
        if chat_id in self.users and chat_id not in self.chats:
            raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
        chat = self.chat(chat_id)
        if chat.type == "private" and self.user(chat_id).blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        if chat.bot_status in {"left", "kicked"}:
            raise ApiError(403, f"Forbidden: bot was kicked from the {chat.type} chat")
        if thread is not None and thread not in chat.topics:
            raise bad_request("message thread not found")
        if thread in chat.closed:
            raise bad_request("TOPIC_CLOSED")
        return chat

    def target(self, chat: int, reply: Json) -> int | None:
        """The message that is replied to; None if there is none, or if it is gone and need not exist."""
        wanted = number(reply, "message_id") or None
        if wanted is None or (chat, wanted) in self.posts:
            return wanted
        if not truth(reply, "allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
        return None

    def next_id(self, chat: int) -> int:
        found = self.chats.get(chat)
        sequence = chat if found is not None and found.type in {"supergroup", "channel"} else None
        self._counts[sequence] = self._counts.get(sequence, 0) + 1
        return self._counts[sequence]

    def add(self, post: Post) -> Post:
        self.posts[post.chat, post.message_id] = post
        return post

    def edit(self, post: Post, text: str, entities: tuple[Json, ...], buttons: Json) -> Post:
        earlier = (*post.edits, replace(post, edits=()))
        return self.add(replace(post, text=text, entities=entities, buttons=buttons, edits=earlier))

    def payload(self, post: Post) -> Json:
        """The message as the Bot API writes it."""
        found: Json = {
            "message_id": post.message_id,
            "date": post.date,
            "chat": self.chats[post.chat].payload(),
            "from": self.users[post.sender].payload(),
        }
        replied = self.posts.get((post.chat, post.reply_to or 0))
        optional: Json = {
            "text": post.text,
            "entities": list(post.entities),
            "reply_markup": post.buttons,
            "message_thread_id": post.thread,
            "is_topic_message": post.thread is not None,
            "reply_to_message": self.payload(replace(replied, reply_to=None)) if replied else None,
            "sender_chat": self.chats[post.chat].payload() if post.sender == ANONYMOUS else None,
            "edit_date": int(time.time()) if post.edits else None,
        }
        return found | {name: value for name, value in optional.items() if value} | post.extra
