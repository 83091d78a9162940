"""Forms and Home tabs: opened with a trigger that expires quickly, submitted, published."""

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.servers.slack import blocks as limits
from tests.servers.slack.state import SlackError
from tests.servers.wire import Args, Json, items, mapping, word

TRIGGER_SECONDS = 3.0


@dataclass(slots=True)
class View:
    """A form that a person has open."""

    id: str
    user: str
    content: Json

    def filled(self, answer: str) -> Json:
        """The submitted view, with that answer in its first field."""
        values: Json = {}
        for block in items(self.content, "blocks"):
            if block.get("type") == "input":
                element = mapping(block, "element")
                values = {word(block, "block_id"): {word(element, "action_id"): _state(element, answer)}}
        return self.content | {"id": self.id, "state": {"values": values}}


class Views:
    """The views, and the methods that make them."""

    def __init__(self) -> None:
        self.forms: dict[str, View] = {}
        self.homes: dict[str, Json] = {}
        self.trigger_seconds = TRIGGER_SECONDS
        self._triggers: dict[str, tuple[float, str]] = {}
        self._numbers = itertools.count(1)
        self.methods: Mapping[str, Callable[[Args], Json]] = {"views.open": self._open, "views.publish": self._publish}

    def trigger(self, user: str) -> str:
        """Valid for one form, for three seconds."""
        trigger = f"{next(self._numbers)}.{time.time():.0f}.trigger"
        self._triggers[trigger] = (time.monotonic(), user)
        return trigger

    def _open(self, args: Args) -> Json:
        began, user = self._triggers.pop(word(args, "trigger_id"), (0.0, ""))
        if not user:
            raise SlackError("invalid_trigger_id")
        if time.monotonic() - began > self.trigger_seconds:
            raise SlackError("expired_trigger_id")
        content = mapping(args, "view")
        limits.check_form(content)
        view = View(f"V{next(self._numbers):08d}", user, content)
        self.forms[view.id] = view
        return {"view": {"id": view.id}}

    def _publish(self, args: Args) -> Json:
        content = mapping(args, "view")
        if content.get("type") != "home":
            raise SlackError("invalid_arguments")
        limits.check(items(content, "blocks"), most=100, total=250_000)
        self.homes[word(args, "user_id")] = content
        return {"view": {"id": "V0HOME"}}


def _state(element: Json, answer: str) -> Json:
    kind = word(element, "type")
    if kind == "static_select":
        return {"type": kind, "selected_option": {"value": answer}}
    return {"type": kind, "value": answer}
