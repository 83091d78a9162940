"""What people do with commands, shortcuts, buttons and forms."""

from collections.abc import Callable, Sequence

from tests.servers.slack import events
from tests.servers.slack.answering import Answers
from tests.servers.slack.blocks import elements
from tests.servers.slack.delivery import Delivery
from tests.servers.slack.scopes import INTERACTIONS
from tests.servers.slack.state import BOT_USER, Post, Workspace
from tests.servers.slack.views import View, Views
from tests.servers.wire import Json, items, word

Send = Callable[[str, Json, str], Delivery]
Blocks = Sequence[Json]


class Clicks:
    """Delivers interactions to the app; `send` delivers one, `grants` says whether the app has a scope."""

    def __init__(
        self, space: Workspace, views: Views, answers: Answers, send: Send, grants: Callable[[str], bool]
    ) -> None:
        self._space, self._views, self._answers = space, views, answers
        self._send, self._grants = send, grants

    async def command(self, user: str, channel: str, text: str) -> Delivery | None:
        """A person types /switchboard; None if Slack knows no such command."""
        if not self._grants(INTERACTIONS):
            return None
        place = self._space.direct(user).id if channel == user else channel
        key, url = self._answers.address(self._nothing(place, user), user)
        person = self._space.user(user)
        payload = events.command(person, place, text, self._views.trigger(user), url)
        return self._send("slash_commands", payload, f"command-{key}")

    async def shortcut(
        self, user: str, channel: str, ts: str, callback: str = "send_to_team", wait: float | None = None
    ) -> Delivery | None:
        """A person picks the shortcut on a message. `wait` is the lifetime of the trigger, where it matters."""
        if not self._grants(INTERACTIONS):
            return None
        post = self._space.post(channel, ts)
        key, url = self._answers.address(self._nothing(channel, user), user)
        if wait is not None:
            self._views.trigger_seconds = wait
        payload = events.shortcut(self._space.user(user), post, callback, self._views.trigger(user), url)
        return self._send("interactive", payload, f"shortcut-{key}")

    async def submit(self, user: str, view: View, answer: str) -> Delivery:
        """A person fills in the form and submits it."""
        payload = events.submission(self._space.user(user), view.filled(answer))
        return self._send("interactive", payload, f"form-{view.id}")

    async def press(self, user: str, channel: str, ts: str, action_id: str, value: str | None = None) -> Delivery:
        """Press a button of a message; a value picks among several, or forges one that does not exist.

        Raises LookupError if the message has no such button and no value was given.
        """
        post = self._space.ephemerals.get((channel, ts)) or self._space.post(channel, ts)
        found = [button for button in elements(post.blocks) if button.get("action_id") == action_id]
        chosen = [button for button in found if value is None or button.get("value") == value]
        if not chosen and value is None:
            raise LookupError(f"no button {action_id} on this message")
        forged: Json = {"type": "button", "action_id": action_id, "block_id": "forged", "value": value}
        key, url = self._answers.address(post, user)
        payload = events.press(
            self._space.user(user),
            self._space.channel(channel),
            post,
            chosen[0] if chosen else forged,
            url,
            self._space.now_ts(),
            self._views.trigger(user),
        )
        return self._send("interactive", payload, f"press-{key}")

    async def press_home(self, user: str, action_id: str, picked: str = "", block_id: str = "") -> Delivery:
        """Press a button of one's Home tab, or pick from a menu there. Raises LookupError if it does not exist."""
        shown = items(self._views.homes.get(user, {}), "blocks")
        found = [e for e in elements(shown) if e.get("action_id") == action_id]
        chosen = [e for e in found if block_id in ("", word(e, "block_id"))]
        if not chosen:
            raise LookupError(f"no {action_id} in this Home tab")
        return await self.forge_home(user, chosen[0], picked)

    async def forge_home(self, user: str, element: Json, picked: str) -> Delivery:
        """As if that element were in one's Home tab."""
        payload = events.home_press(self._space.user(user), element, picked, self._space.now_ts())
        return self._send("interactive", payload, f"home-{self._space.now_ts()}")

    def _nothing(self, channel: str, user: str) -> Post:
        """Used where an answer address belongs to no message."""
        return Post(channel=channel, ts="0", user=BOT_USER, text="", seen_by=user)
