"""The part of the Bot API about files: sending, copying and fetching them."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from tests.servers.telegram.formatting import utf16
from tests.servers.telegram.state import BOT, Account, Chat, Post, bad_request
from tests.servers.wire import Args, Json, Upload, items, mapping, number, truth, word

MAX_BYTES = 20_000_000
KINDS = ("photo", "document", "voice", "audio", "video", "sticker")


def attachment(kind: str, file_id: str, size: int, name: str = "") -> Json:
    """A message's attachment as the Bot API writes it."""
    file: Json = {"file_id": file_id, "file_unique_id": file_id, "file_size": size}
    if kind == "photo":
        return {
            "photo": [
                file | {"width": 9, "height": 9, "file_id": f"{file_id}-small"},
                file | {"width": 90, "height": 90},
            ]
        }
    shapes: Mapping[str, Json] = {
        "voice": {"duration": 1},
        "audio": {"duration": 1},
        "video": {"duration": 1, "width": 9, "height": 9},
        "sticker": {"type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False},
    }
    named: Json = {"file_name": name} if name and kind in ("document", "audio", "video") else {}
    return {kind: file | shapes.get(kind, {}) | named}


class Attachments:
    """Answers those calls."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.methods: Mapping[str, Callable[[Args], Awaitable[object]]] = {
            "copyMessage": self._copy,
            "getFile": self._file,
            "sendDocument": self._sender("document"),
            "sendMediaGroup": self._group,
            "sendPhoto": self._sender("photo"),
            "sendVoice": self._sender("voice"),
        }

    def _sender(self, kind: str) -> Callable[[Args], Awaitable[object]]:
        async def send(args: Args) -> object:
            post = self._post(args, self._stored(kind, args[kind]) | _caption(args))
            return self._account.payload(self._account.add(post))

        return send

    async def _group(self, args: Args) -> object:
        album = items(args, "media")
        if len(album) not in range(2, 11):
            raise bad_request("group of 2 to 10 is required")
        sent, group = [], f"sent-{len(self._account.posts)}"
        for one in album:
            given = word(one, "media")
            file = args[given.removeprefix("attach://")] if given.startswith("attach://") else given
            extra = self._stored(word(one, "type"), file) | {"media_group_id": group}
            sent.append(self._account.payload(self._account.add(self._post(args, extra))))
        return sent

    async def _copy(self, args: Args) -> object:
        origin = self._account.chat(number(args, "from_chat_id"))
        post = self._account.posts.get((origin.id, number(args, "message_id")))
        if post is None:
            raise bad_request("message to copy not found")
        if origin.is_protected:
            raise bad_request("message can't be copied")
        extra = {name: value for name, value in post.extra.items() if name != "media_group_id"}
        if "caption" in args:
            extra.pop("caption", None)
        made = replace(self._post(args, extra | _caption(args)), text=post.text, entities=post.entities)
        return {"message_id": self._account.add(made).message_id}

    async def _file(self, args: Args) -> object:
        file_id = word(args, "file_id")
        if file_id not in self._account.files:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        path, content = self._account.files[file_id]
        if len(content) > MAX_BYTES:
            raise bad_request("file is too big")
        return {"file_id": file_id, "file_unique_id": file_id, "file_size": len(content), "file_path": path}

    def _stored(self, kind: str, given: object) -> Json:
        """The attachment of a known file, or of one that is sent in the call."""
        if isinstance(given, Upload):
            file_id = f"upload-{len(self._account.files)}"
            self._account.files[file_id] = (f"{kind}s/{file_id}", given.content)
            return attachment(kind, file_id, len(given.content), given.name)
        if str(given) not in self._account.files:
            raise bad_request("wrong file identifier/HTTP URL specified")
        return attachment(kind, str(given), len(self._account.files[str(given)][1]))

    def _post(self, args: Args, extra: Json) -> Post:
        thread = number(args, "message_thread_id") or None
        chat: Chat = self._account.writable(number(args, "chat_id"), thread)
        return Post(
            chat=chat.id,
            message_id=self._account.next_id(chat.id),
            sender=BOT,
            date=int(time.time()),
            text="",
            reply_to=self._account.target(chat.id, mapping(args, "reply_parameters")),
            thread=thread,
            extra=extra,
            quiet=truth(args, "disable_notification"),
        )


def _caption(args: Args) -> Json:
    caption = word(args, "caption")
    if utf16(caption) > 1024:
        raise bad_request("message caption is too long")
    return {"caption": caption} if caption else {}
