"""Files: what people attach, what the bot uploads, and who may download."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from tests.servers.slack.state import SlackError
from tests.servers.wire import Args, Json, items, number, word


@dataclass(slots=True)
class StoredFile:
    """A file of the workspace; `shared` are its channels, `thread` the thread in the last of them."""

    id: str
    name: str
    content: bytes = b""
    mimetype: str = "application/octet-stream"
    shared: list[str] = field(default_factory=list)
    thread: str = ""
    external: str = ""
    """Its address at another company; empty: it is stored here."""


class Files:
    """The files, and the methods about them. `address()` is the server's own."""

    def __init__(self, address: Callable[[], str]) -> None:
        self.stored: dict[str, StoredFile] = {}
        self.signed_out = False
        """Every download returns the sign-in page."""
        self._address = address
        self._numbers = itertools.count(1)
        self.methods: Mapping[str, Callable[[Args], Json]] = {
            "files.info": self._info,
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._complete,
        }

    def add(self, name: str, content: bytes, mimetype: str, channel: str) -> StoredFile:
        """A person attaches a file there."""
        file = StoredFile(f"F{next(self._numbers):08d}", name, content, mimetype, [channel])
        self.stored[file.id] = file
        return file

    def described(self, file: StoredFile) -> Json:
        """As Slack describes it in messages and answers."""
        of = {letter: [place for place in file.shared if place.startswith(letter)] for letter in "CGD"}
        return {
            "id": file.id,
            "name": file.name,
            "title": file.name,
            "mimetype": file.mimetype,
            "size": len(file.content),
            "mode": "external" if file.external else "hosted",
            "is_external": bool(file.external),
            "permalink": f"https://test.slack.com/files/{file.id}",
            "url_private": file.external or f"{self._address()}/files/{file.id}",
            "channels": of["C"],
            "groups": of["G"],
            "ims": of["D"],
        }

    def serve(self, file: str, *, allowed: bool) -> web.Response:
        """The bytes, or the sign-in page for callers who may not have them."""
        if self.signed_out or not allowed:
            return web.Response(text="<html>Sign in</html>", content_type="text/html")
        found = self.stored.get(file)
        if found is None:
            return web.Response(status=404)
        return web.Response(body=found.content, content_type=found.mimetype)

    def receive(self, file: str, content: bytes) -> web.Response:
        self.stored[file].content = content
        return web.Response(text="OK")

    def _info(self, args: Args) -> Json:
        file = self.stored.get(word(args, "file"))
        if file is None:
            raise SlackError("file_not_found")
        return {"file": self.described(file)}

    def _upload_url(self, args: Args) -> Json:
        if number(args, "length") <= 0:
            raise SlackError("invalid_arguments")
        file = StoredFile(f"F{next(self._numbers):08d}", word(args, "filename"))
        self.stored[file.id] = file
        return {"upload_url": f"{self._address()}/upload/{file.id}", "file_id": file.id}

    def _complete(self, args: Args) -> Json:
        done = []
        for item in items(args, "files"):
            file = self.stored[word(item, "id")]
            file.shared.append(word(args, "channel_id"))
            file.thread = word(args, "thread_ts")
            done.append({"id": file.id, "title": file.name})
        return {"files": done}
