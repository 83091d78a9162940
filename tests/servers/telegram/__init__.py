"""Telegram on this machine: the Bot API by polling or webhook, and the people who write to the bot."""

import itertools
import time
from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from tests.servers.control import add_control
from tests.servers.local import Call, Fault, LocalServer
from tests.servers.telegram.attachments import attachment
from tests.servers.telegram.bot_api import RIGHTS, BotApi
from tests.servers.telegram.formatting import written
from tests.servers.telegram.state import ANONYMOUS, BOT, BOT_NAME, Account, ApiError, Chat, Post, User
from tests.servers.telegram.updates import Feed, Webhook, push
from tests.servers.wire import Json, read_args

__all__ = ["ANONYMOUS", "BOT", "BOT_NAME", "Chat", "Post", "TelegramServer", "User", "Webhook"]

TOKEN = "123456:test-token"
GROUP_TYPES = frozenset({"group", "supergroup"})


class TelegramServer(LocalServer):
    """What a bot sees of Telegram (`api_url`, `file_url`, `token`) and what people do there (`writes` …).

    `sees_everything` is the bot's privacy mode switched off.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        token: str = TOKEN,
        sees_everything: bool = False,
        webhook_retry_seconds: float = 0.2,
        feed: Feed | None = None,
    ) -> None:
        super().__init__(port)
        self.token = token
        self.account = Account()
        self.feed = feed or Feed()
        self._api = BotApi(self.account, self.feed, sees_everything=sees_everything)
        self._sees_everything = sees_everything
        self._webhook_retry_seconds = webhook_retry_seconds
        self._queries = itertools.count(1)

    # ── set-up ──

    @property
    def api_url(self) -> str:
        return f"{self.url}/bot"

    @property
    def file_url(self) -> str:
        return f"{self.url}/file/bot"

    def add_user(self, user: User) -> None:
        """A person, or their new state."""
        self.account.users[user.id] = user

    def add_group(
        self,
        chat: int,
        title: str = "group",
        bot: str = "administrator",
        topics: Sequence[int] = (),
        kind: str = "supergroup",
    ) -> None:
        """A group and the bot's status in it; adding it again changes that, and removes its members."""
        self.account.chats[chat] = Chat(id=chat, type=kind, title=title, statuses={BOT: bot}, topics=frozenset(topics))

    def add_member(self, chat: int, user: int, status: str = "member") -> None:
        self.account.chats[chat].statuses[self.account.user(user).id] = status

    def add_file(self, file_id: str, path: str, content: bytes) -> None:
        self.account.files[file_id] = (path, content)

    # ── what people do ──

    async def writes(
        self,
        user: int,
        text: str,
        chat: int | None = None,
        *,
        reply_to: int | None = None,
        thread: int | None = None,
        extra: Json | None = None,
    ) -> int:
        """A person writes, by default privately; returns the message_id. `extra` is voice, caption and so on.

        In a group the bot receives it only as its privacy mode allows: as administrator, or if addressed.
        """
        place = self.account.private(user) if chat is None else self.account.chat(chat)
        self.account.user(user)
        place.statuses.setdefault(user, "member")
        post = Post(
            chat=place.id,
            message_id=self.account.next_id(place.id),
            sender=user,
            date=int(time.time()),
            text=text,
            entities=tuple(written(text)),
            reply_to=reply_to,
            thread=thread,
            extra=extra or {},
        )
        self.account.add(post)
        if self._hears(place, post):
            self.feed.add("message", self.account.payload(post))
        return post.message_id

    async def shows(
        self,
        user: int,
        kind: str,
        content: bytes | str = b"",
        chat: int | None = None,
        *,
        caption: str = "",
        name: str = "",
        album: str = "",
        reply_to: int | None = None,
        thread: int | None = None,
    ) -> int:
        """A person sends a file; the parts of an album have the same album name."""
        file_id, kept = f"{kind}-{len(self.account.files)}", content.encode() if isinstance(content, str) else content
        self.add_file(file_id, f"{kind}s/{file_id}", kept)
        words: Json = {"caption": caption} if caption else {}
        group: Json = {"media_group_id": album} if album else {}
        extra = attachment(kind, file_id, len(kept), name) | words | group
        return await self.writes(user, "", chat, reply_to=reply_to, thread=thread, extra=extra)

    async def writes_anonymously(self, chat: int, text: str, reply_to: int | None = None) -> int:
        """An administrator who remains anonymous writes."""
        return await self.writes(ANONYMOUS, text, chat, reply_to=reply_to)

    async def edits(self, user: int, chat: int, message_id: int, text: str) -> None:
        """A person changes their text, or the caption of what they sent."""
        post = self.account.posts[chat, message_id]
        if post.sender != user:
            raise LookupError(f"{user} did not write that")
        if "caption" in post.extra:
            post, text = replace(post, extra=post.extra | {"caption": text}), ""
        edited = self.account.edit(post, text, tuple(written(text)), post.buttons)
        if self._hears(self.account.chats[chat], edited):
            self.feed.add("edited_message", self.account.payload(edited))

    async def replaces(self, user: int, message_id: int, kind: str, content: bytes) -> None:
        """A person replaces the file that they sent privately; its caption stays."""
        post = self.account.posts[user, message_id]
        file_id = f"{kind}-{len(self.account.files)}"
        self.add_file(file_id, f"{kind}s/{file_id}", content)
        words = {"caption": post.extra["caption"]} if "caption" in post.extra else {}
        post = replace(post, extra=attachment(kind, file_id, len(content), "") | words)
        edited = self.account.edit(post, "", (), post.buttons)
        self.feed.add("edited_message", self.account.payload(edited))

    async def reacts(
        self,
        user: int | None,
        chat: int,
        message_id: int,
        new: Sequence[str | Json],
        old: Sequence[str | Json] | None = None,
    ) -> None:
        """Change a person's reactions from old (by default the present ones) to new, in one update.

        No user is an anonymous administrator. The bot receives it only as administrator of a group; in private chats
        never, since sources disagree on whether Telegram sends those.
        """
        place = self.account.chat(chat)
        actor = chat if user is None else self.account.user(user).id
        reactions = self.account.reactions.setdefault((chat, message_id), {})
        before = reactions.get(actor, []) if old is None else [_reaction(one) for one in old]
        reactions[actor] = [_reaction(one) for one in new]
        update: Json = {
            "chat": place.payload(),
            "message_id": message_id,
            "date": int(time.time()),
            "old_reaction": before,
            "new_reaction": reactions[actor],
        }
        who = {"actor_chat": place.payload()} if user is None else {"user": self.account.users[actor].payload()}
        if place.type in GROUP_TYPES and place.bot_status == "administrator":
            self.feed.add("message_reaction", update | who)

    async def presses(self, user: int, chat: int, message_id: int, data: str) -> str:
        """Press an inline button, existing or forged; returns the query's id. LookupError: no message."""
        post = self.account.posts[chat, message_id]
        query = str(next(self._queries))
        self._api.answers[query] = None
        update: Json = {
            "id": query,
            "from": self.account.user(user).payload(),
            "message": self.account.payload(post),
            "chat_instance": str(chat),
            "data": data,
        }
        self.feed.add("callback_query", update)
        return query

    async def blocks(self, user: int) -> None:
        """A person blocks the bot: writing to them is Forbidden from now on."""
        place = self.account.private(user)
        self.account.users[user] = replace(self.account.users[user], blocked=True)
        bot = self.account.users[BOT].payload()
        update: Json = {
            "chat": place.payload(),
            "from": self.account.users[user].payload(),
            "date": int(time.time()),
            "old_chat_member": {"status": "member", "user": bot},
            "new_chat_member": {"status": "kicked", "user": bot, "until_date": 0},
        }
        self.feed.add("my_chat_member", update)

    async def makes_bot(self, chat: int, status: str, by: int) -> None:
        """A person changes the bot's status in a group: an administrator, a member, kicked."""
        place, bot = self.account.chat(chat), self.account.users[BOT].payload()
        before, place.statuses[BOT] = place.bot_status, status
        rights: Json = {**dict.fromkeys(RIGHTS, True), "can_be_edited": False, "is_anonymous": False}
        limits: dict[str, Json] = {"administrator": rights, "kicked": {"until_date": 0}}
        update: Json = {
            "chat": place.payload(),
            "from": self.account.user(by).payload(),
            "date": int(time.time()),
            "old_chat_member": {"status": before, "user": bot} | limits.get(before, {}),
            "new_chat_member": {"status": status, "user": bot} | limits.get(status, {}),
        }
        self.feed.add("my_chat_member", update)

    async def migrates(self, chat: int, new: int, user: int) -> None:
        """A group becomes a supergroup, with another id."""
        old = self.account.chat(chat)
        self.account.chats[new] = replace(old, id=new, type="supergroup")
        self._says(chat, user, {"migrate_to_chat_id": new})
        self.account.chats[chat] = replace(old, moved_to=new)
        self._says(new, user, {"migrate_from_chat_id": chat})

    def closes(self, chat: int, topic: int) -> None:
        """A topic is closed for everybody."""
        place = self.account.chat(chat)
        self.account.chats[chat] = replace(place, closed=place.closed | {topic})

    def allows(self, chat: int, *emoji: str) -> None:
        """Only these emoji are allowed as reactions in a chat."""
        self.account.chats[chat] = replace(self.account.chat(chat), reactions=emoji)

    def protects(self, chat: int) -> None:
        """Nothing in a chat may be copied any more."""
        self.account.chats[chat] = replace(self.account.chat(chat), is_protected=True)

    def _says(self, chat: int, user: int, service: Json) -> None:
        """Telegram itself writes in a chat on somebody's behalf."""
        number, now = self.account.next_id(chat), int(time.time())
        post = Post(chat=chat, message_id=number, sender=self.account.user(user).id, date=now, text="", extra=service)
        self.feed.add("message", self.account.payload(self.account.add(post)))

    def sends(self, kind: str, payload: object) -> int | None:
        """Any update at all, even one that cannot be parsed; its id, or None if nobody requested it."""
        return self.feed.add(kind, payload)

    # ── what can be seen ──

    def posts(self, chat: int) -> list[Post]:
        """What the bot has written there and not deleted, oldest first."""
        return [post for post in self.account.posts.values() if post.chat == chat and post.sender == BOT]

    def answers(self, query: str) -> Json | None:
        """The bot's answer to a press; None while there is none."""
        return self._api.answers[query]

    def reactions(self, chat: int, message_id: int) -> dict[int, list[Json]]:
        """The reactions on the message, by person (the bot included)."""
        return {who: list(those) for who, those in self.account.reactions.get((chat, message_id), {}).items() if those}

    # ── its parts ──

    def web_app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        verbs = (self.writes, self.edits, self.reacts, self.presses, self.blocks, self.sends, self.add_group)
        happenings = (self.shows, self.makes_bot, self.migrates, self.closes, self.writes_anonymously)
        seen = (*happenings, self.add_member, self.posts, self.answers, self.reactions, self.fail)
        add_control(app, {verb.__name__: verb for verb in (*verbs, *seen)})
        self.in_background(push(self.feed, self.http, self._webhook_retry_seconds), "telegram webhook")
        return app

    def refusal(self, fault: Fault) -> web.Response:
        limited = fault.retry_after is not None
        code = fault.status or (429 if limited else 400)
        description = fault.error or (f"Too Many Requests: retry after {fault.retry_after}" if limited else "Error")
        return _refused(ApiError(code, description, **({"retry_after": fault.retry_after or 0} if limited else {})))

    async def closing(self) -> None:
        self.feed.close()

    def _hears(self, chat: Chat, post: Post) -> bool:
        if chat.type not in GROUP_TYPES:
            return True
        if chat.bot_status in {"left", "kicked"}:
            return False
        replied = self.account.posts.get((post.chat, post.reply_to or 0))
        addressed = f"@{BOT_NAME}" in post.spoken or post.text.startswith("/")
        to_bot = replied is not None and replied.sender == BOT
        return chat.bot_status == "administrator" or self._sees_everything or addressed or to_bot

    async def _call(self, request: web.Request) -> web.Response:
        args, method = await read_args(request), request.match_info["method"]

        async def act() -> web.Response:
            try:
                return web.json_response({"ok": True, "result": await self._result(request, method, args)})
            except ApiError as error:
                return _refused(error)

        return await self.answered(request, Call(method, args, time.monotonic()), act)

    async def _result(self, request: web.Request, method: str, args: Json) -> object:
        if request.match_info["token"] != self.token:
            raise ApiError(401, "Unauthorized")
        if method not in self._api.methods:
            raise ApiError(404, "Not Found: method not found")
        return await self._api.methods[method](args)

    async def _download(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != self.token:
            raise web.HTTPUnauthorized
        for path, content in self.account.files.values():
            if path == request.match_info["path"]:
                return web.Response(body=content)
        raise web.HTTPNotFound


def _reaction(reaction: str | Json) -> Json:
    return {"type": "emoji", "emoji": reaction} if isinstance(reaction, str) else dict(reaction)


def _refused(error: ApiError) -> web.Response:
    body: Json = {"ok": False, "error_code": error.code, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    return web.json_response(body, status=error.code)
