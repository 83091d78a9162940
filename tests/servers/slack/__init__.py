"""A Slack workspace on this machine: Web API, Socket Mode, signed events, and the people who write in it."""

import itertools
import time
from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from tests.servers.control import add_control
from tests.servers.local import Call, Fault, LocalServer
from tests.servers.slack import events
from tests.servers.slack.blocks import buttons
from tests.servers.slack.delivery import Courier, Delivery, SignedHttp, SocketMode, Transport
from tests.servers.slack.state import BOT_USER, Channel, Post, SlackError, User, Workspace
from tests.servers.slack.web_api import WebApi
from tests.servers.wire import Json, items, read_args, truth, word

__all__ = ["BOT_USER", "Channel", "Delivery", "Post", "SlackServer", "User"]

BOT_TOKEN = "xoxb-test"
APP_TOKEN = "xapp-test"
SIGNING_SECRET = "signing-secret"


class SlackServer(LocalServer):
    """What a bot sees of Slack (`api_url`, three secrets) and what people do there (`writes`, `reacts` …)."""

    def __init__(
        self,
        channels: Sequence[str] = (),
        *,
        port: int = 0,
        redeliver_after: float = 3.0,
        retries: int = 3,
        bot_token: str = BOT_TOKEN,
        app_token: str = APP_TOKEN,
        signing_secret: str = SIGNING_SECRET,
    ) -> None:
        super().__init__(port)
        self.bot_token, self.app_token, self.signing_secret = bot_token, app_token, signing_secret
        self.space = Workspace()
        self.sockets = SocketMode()
        self.http_events: SignedHttp | None = None
        self.courier = Courier(self._transport, redeliver_after, retries)
        self._api = WebApi(self.space, self.emits)
        self._event_numbers = itertools.count(1)
        self._answer_urls: dict[str, tuple[Post, str]] = {}
        for channel in channels:
            self.add_channel(Channel(id=channel, name=channel.lower()))

    # ── how it is set up ──

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def deliveries(self) -> list[Delivery]:
        """Every event and interaction so far, with what became of it."""
        return self.courier.deliveries

    def add_channel(self, channel: Channel) -> None:
        """A new channel, or the new state of one that exists."""
        self.space.channels[channel.id] = channel

    def add_user(self, user: User) -> None:
        self.space.users[user.id] = user

    def add_usergroup(self, group: str, members: Sequence[str]) -> None:
        self.space.usergroups[group] = list(members)

    def sends_to(self, url: str, *, secret: str | None = None, skew: int = 0) -> SignedHttp:
        """Deliver by signed HTTP from now on, rather than over Socket Mode."""
        self.http_events = SignedHttp(url, secret or self.signing_secret, self.http, skew)
        return self.http_events

    # ── what people do ──

    async def writes(
        self,
        user: str,
        channel: str,
        text: str,
        thread_ts: str | None = None,
        kind: str = "message",
        extra: Json | None = None,
    ) -> str:
        """Somebody writes; returns the ts. The user's own id as channel means their direct messages.

        "message" is what Slack does: a message event, and an app_mention too where the text mentions the bot
        outside direct messages. "message_only" and "app_mention" send just the one. `extra` fields (subtype,
        files, bot_id …) become part of the message.
        """
        place = self.space.direct(user) if channel == user else self.space.channel(channel)
        self.space.user(user)
        post = self.space.add(
            Post(
                channel=place.id,
                ts=self.space.new_ts(place.id),
                user=user,
                text=text,
                thread_ts=thread_ts,
                extra=extra or {},
            )
        )
        mentioned = f"<@{BOT_USER}>" in text and place.kind != "im" and kind == "message"
        if kind in {"message", "message_only"}:
            self.emits(events.message(post, place), place)
        if kind == "app_mention" or mentioned:
            self.emits(events.mention(post), place)
        return post.ts

    async def edits(self, user: str, channel: str, ts: str, text: str) -> None:
        post, place = self._written_by(user, channel, ts), self.space.channel(channel)
        self.emits(events.changed(self.space.edit(post, text, post.blocks), place, self.space.now_ts()), place)

    async def deletes(self, user: str, channel: str, ts: str) -> None:
        post, place = self._written_by(user, channel, ts), self.space.channel(channel)
        del self.space.posts[channel, ts]
        self.emits(events.deleted(post, place, self.space.now_ts()), place)

    async def reacts(self, user: str, channel: str, ts: str, name: str) -> None:
        """Raises SlackError("already_reacted") for a second time."""
        self.space.react(self.space.user(user).id, channel, ts, name)
        self._reacted("reaction_added", user, channel, ts, name)

    async def unreacts(self, user: str, channel: str, ts: str, name: str) -> None:
        """Raises SlackError("no_reaction") when there is none to take back."""
        self.space.unreact(user, channel, ts, name)
        self._reacted("reaction_removed", user, channel, ts, name)

    async def presses(self, user: str, channel: str, ts: str, action_id: str, value: str | None = None) -> None:
        """Press a button of a message; a value picks among several, or forges one that is not there.

        Raises LookupError when the message has no such button and no value was given.
        """
        post = self.space.ephemerals.get((channel, ts)) or self.space.post(channel, ts)
        found = [button for button in buttons(post.blocks) if button.get("action_id") == action_id]
        chosen = [button for button in found if value is None or button.get("value") == value]
        if not chosen and value is None:
            raise LookupError(f"no button {action_id} on this message")
        forged: Json = {"type": "button", "action_id": action_id, "block_id": "forged", "value": value}
        key = f"{len(self._answer_urls) + 1}"
        self._answer_urls[key] = (post, user)
        payload = events.press(
            self.space.user(user),
            self.space.channel(channel),
            post,
            chosen[0] if chosen else forged,
            f"{self.url}/answer/{key}",
            self.space.now_ts(),
        )
        self._send("interactive", payload, f"press-{key}")

    def emits(self, event: Json, channel: Channel | None = None) -> None:
        """Any event at all; one of a channel that the bot is not in stays unseen, as in Slack."""
        if channel is not None and not channel.has_bot:
            return
        event_id = f"Ev{next(self._event_numbers):08d}"
        shared = channel is not None and channel.is_shared
        self._send("events_api", events.callback(event, event_id, time.time(), shared=shared), event_id)

    async def repeats(self, event_id: str) -> None:
        """Deliver an event once more, though it was acknowledged."""
        found = next(delivery for delivery in self.deliveries if delivery.event_id == event_id)
        found.failures.append("timeout")
        await self.courier.once(found)

    # ── what can be seen ──

    def posts(self, channel: str) -> list[Post]:
        """What the bot has posted there and not deleted, oldest first."""
        return [post for post in self.space.posts.values() if post.channel == channel and post.user == BOT_USER]

    def ephemerals(self, channel: str, user: str) -> list[Post]:
        """What only this person was shown there."""
        found = self.space.ephemerals.values()
        return [post for post in found if post.channel == channel and post.seen_by == user]

    def reactions(self, channel: str, ts: str) -> dict[str, list[str]]:
        """Emoji name -> who has it on the message."""
        found = self.space.reactions.get((channel, ts), {})
        return {name: list(people) for name, people in found.items() if people}

    # ── what it is made of ──

    def web_app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_get("/link", self.sockets.serve)
        app.router.add_post("/answer/{key}", self._answer)
        verbs = (self.writes, self.edits, self.deletes, self.reacts, self.unreacts, self.presses)
        seen = (self.posts, self.ephemerals, self.reactions, self.fail, self.repeats)
        add_control(app, {verb.__name__: verb for verb in (*verbs, *seen)} | {"add_channel": self._control_channel})
        return app

    def refusal(self, fault: Fault) -> web.Response:
        if fault.error is None and fault.retry_after is None:
            return web.Response(status=fault.status or 500, text="upstream error")
        limited = fault.retry_after is not None or fault.error == "ratelimited"
        headers = {"Retry-After": str(fault.retry_after or 1)} if limited else {}
        body = {"ok": False, "error": fault.error or "ratelimited"}
        return web.json_response(body, status=fault.status or (429 if limited else 200), headers=headers)

    async def closing(self) -> None:
        await self.sockets.close()

    def _control_channel(self, **fields: object) -> None:
        self.add_channel(
            Channel(
                id=word(fields, "id"),
                name=word(fields, "name") or word(fields, "id").lower(),
                kind=word(fields, "kind") or "channel",
            )
        )

    def _transport(self) -> Transport:
        return self.http_events or self.sockets

    def _send(self, kind: str, payload: Json, event_id: str) -> None:
        delivery = self.courier.accept(kind, payload, event_id)
        self.in_background(self.courier.deliver(delivery), f"slack {event_id}")

    def _written_by(self, user: str, channel: str, ts: str) -> Post:
        post = self.space.post(channel, ts)
        if post.user != user:
            raise LookupError(f"{user} did not write that")
        return post

    def _reacted(self, kind: str, user: str, channel: str, ts: str, name: str) -> None:
        post = self.space.post(channel, ts)
        event = events.reaction(kind, user, name, post, self.space.now_ts())
        self.emits(event, self.space.channel(channel))

    async def _call(self, request: web.Request) -> web.Response:
        args = await read_args(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or word(args, "token")
        args.pop("token", None)
        method = request.match_info["method"]

        async def act() -> web.Response:
            try:
                return web.json_response({"ok": True} | self._result(method, token, args))
            except SlackError as error:
                return web.json_response({"ok": False, "error": str(error)})

        return await self.answered(request, Call(method, args, time.monotonic()), act)

    def _result(self, method: str, token: str, args: Json) -> Json:
        if not token:
            raise SlackError("not_authed")
        if token not in {self.bot_token, self.app_token}:
            raise SlackError("invalid_auth")
        connecting = method == "apps.connections.open"
        if not connecting and method not in self._api.methods:
            raise SlackError("unknown_method")
        if connecting != (token == self.app_token):
            raise SlackError("not_allowed_token_type")
        if connecting:
            return {"url": f"{self.url.replace('http', 'ws', 1)}/link"}
        return self._api.methods[method](args)

    async def _answer(self, request: web.Request) -> web.Response:
        """The response_url of a press: replaces or deletes what was pressed, or says something."""
        post, user = self._answer_urls[request.match_info["key"]]
        args = await read_args(request)
        self.calls.append(Call("response_url", args, time.monotonic()))
        kept = self.space.ephemerals if post.seen_by else self.space.posts
        text, blocks = word(args, "text"), tuple(items(args, "blocks"))
        if truth(args, "delete_original"):
            kept.pop((post.channel, post.ts), None)
        elif truth(args, "replace_original"):
            kept[post.channel, post.ts] = replace(post, text=text, blocks=blocks, edits=(*post.edits, post))
        else:
            said = replace(post, ts=self.space.new_ts(post.channel), text=text, blocks=blocks, seen_by=user)
            self.space.ephemerals[said.channel, said.ts] = said
        return web.json_response({"ok": True})
