"""A Slack workspace on this machine: Web API, Socket Mode, signed events, and the people who write in it."""

import itertools
import time
from collections.abc import Collection, Sequence

from aiohttp import web

from tests.servers.control import add_control
from tests.servers.local import Call, Fault, LocalServer
from tests.servers.slack import events
from tests.servers.slack.answering import Answers
from tests.servers.slack.clicks import Clicks
from tests.servers.slack.delivery import Courier, Delivery, SignedHttp, SocketMode, Transport
from tests.servers.slack.files import Files, StoredFile
from tests.servers.slack.oauth import OAuth
from tests.servers.slack.scopes import EVENTS, METHODS, needed
from tests.servers.slack.state import BOT_USER, TEAM, Channel, Post, SlackError, User, Workspace
from tests.servers.slack.views import Views
from tests.servers.slack.web_api import WebApi
from tests.servers.wire import Json, mapping, read_args, word

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
        scopes: Collection[str] | None = None,
    ) -> None:
        """`scopes` are what the app was granted; None: everything."""
        super().__init__(port)
        self.bot_token, self.app_token, self.signing_secret = bot_token, app_token, signing_secret
        self.scopes = scopes
        self.space = Workspace()
        self.views = Views()
        self.files = Files(lambda: self.url)
        self.oauth = OAuth()
        self.sockets = SocketMode()
        self.http_events: SignedHttp | None = None
        self.courier = Courier(self._transport, redeliver_after, retries)
        self._api = WebApi(self.space, self.emits)
        self._event_numbers = itertools.count(1)
        self._answers = Answers(self.space, lambda: self.url)
        self.clicks = Clicks(self.space, self.views, self._answers, self._send, self._grants)
        for channel in channels:
            self.add_channel(Channel(id=channel, name=channel.lower()))

    # ── set-up ──

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def deliveries(self) -> list[Delivery]:
        """Every event and interaction so far, with its outcome."""
        return self.courier.deliveries

    def add_channel(self, channel: Channel) -> None:
        """A new channel, or the new state of an existing one."""
        self.space.channels[channel.id] = channel

    def add_user(self, user: User) -> None:
        self.space.users[user.id] = user

    def add_usergroup(self, group: str, members: Sequence[str]) -> None:
        self.space.usergroups[group] = list(members)

    def sends_to(self, url: str, *, secret: str | None = None, skew: int = 0) -> SignedHttp:
        """Deliver by signed HTTP from now on, instead of over Socket Mode."""
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
        """A person writes; returns the ts. The user's own id as channel means their direct messages.

        "message" is what Slack does: a message event, and outside direct messages also an app_mention if the text
        mentions the bot. "message_only" and "app_mention" send only one of them. `extra` fields (subtype, files, bot_id
        …) become part of the message.
        """
        place = self.space.direct(user) if channel == user else self.space.channel(channel)
        team = self.space.user(user).team_id
        theirs: Json = {} if team == TEAM else {"team": team, "user_team": team, "source_team": team}
        post = self.space.add(
            Post(
                channel=place.id,
                ts=self.space.new_ts(place.id),
                user=user,
                text=text,
                thread_ts=thread_ts,
                extra=theirs | (extra or {}),
            )
        )
        mentioned = f"<@{BOT_USER}>" in text and place.kind != "im" and kind == "message"
        if kind in {"message", "message_only"}:
            self.emits(events.message(post, place), place)
        if kind == "app_mention" or mentioned:
            self.emits(events.mention(post), place)
        return post.ts

    async def attaches(self, user: str, channel: str, text: str, file: StoredFile, thread_ts: str | None = None) -> str:
        """A person writes with a file; returns the ts."""
        extra: Json = {"subtype": "file_share", "files": [self.files.described(file)]}
        return await self.writes(user, channel, text, thread_ts, extra=extra)

    async def edits(self, user: str, channel: str, ts: str, text: str) -> None:
        post, place = self._written_by(user, channel, ts), self.space.channel(channel)
        self.emits(events.changed(self.space.edit(post, text, post.blocks), place, self.space.now_ts()), place)

    async def deletes(self, user: str, channel: str, ts: str) -> None:
        post, place = self._written_by(user, channel, ts), self.space.channel(channel)
        replied = any(other.thread_ts == ts and other.channel == channel for other in self.space.posts.values())
        if replied:
            self.emits(events.tombstone(post, place, self.space.now_ts()), place)
        else:
            self.emits(events.deleted(post, place, self.space.now_ts()), place)
        del self.space.posts[channel, ts]

    async def unfurls(self, channel: str, ts: str) -> None:
        """Slack adds a link's preview to a message: a change in which nobody changed the text."""
        place = self.space.channel(channel)
        self.emits(events.unfurled(self.space.post(channel, ts), place, self.space.now_ts()), place)

    async def reacts(self, user: str, channel: str, ts: str, name: str) -> None:
        """Raises SlackError("already_reacted") for a second time."""
        self.space.react(self.space.user(user).id, channel, ts, name)
        self._reacted("reaction_added", user, channel, ts, name)

    async def unreacts(self, user: str, channel: str, ts: str, name: str) -> None:
        """Raises SlackError("no_reaction") if there is none to remove."""
        self.space.unreact(user, channel, ts, name)
        self._reacted("reaction_removed", user, channel, ts, name)

    async def presses(self, user: str, channel: str, ts: str, action_id: str, value: str | None = None) -> None:
        """As `clicks.press`."""
        await self.clicks.press(user, channel, ts, action_id, value)

    async def opens_home(self, user: str, tab: str = "home") -> None:
        self.emits({"type": "app_home_opened", "user": self.space.user(user).id, "tab": tab})

    def emits(self, event: Json, channel: Channel | None = None) -> None:
        """Any event at all; one of a channel that the bot is not in is not delivered, as in Slack."""
        scope = needed(EVENTS, word(event, "type"), channel)
        if (channel is not None and not channel.has_bot) or not self._grants(scope):
            return
        event_id = f"Ev{next(self._event_numbers):08d}"
        shared = channel is not None and channel.is_shared
        self._send("events_api", events.callback(event, event_id, time.time(), shared=shared), event_id)

    async def repeats(self, event_id: str) -> None:
        """Deliver an event once more, although it was acknowledged."""
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
        """Emoji name -> the people who have it on the message."""
        found = self.space.reactions.get((channel, ts), {})
        return {name: list(people) for name, people in found.items() if people}

    # ── its parts ──

    def web_app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_get("/link", self.sockets.serve)
        app.router.add_post("/answer/{key}", self._answer)
        app.router.add_get("/files/{file}", self._download)
        app.router.add_post("/upload/{file}", self._upload)
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

    def _send(self, kind: str, payload: Json, event_id: str) -> Delivery:
        delivery = self.courier.accept(kind, payload, event_id)
        self.in_background(self.courier.deliver(delivery), f"slack {event_id}")
        return delivery

    def _grants(self, scope: str) -> bool:
        return self.scopes is None or not scope or scope in self.scopes

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
            headers = {"x-oauth-scopes": ",".join(sorted(self._granted()))}
            try:
                if method == "oauth.v2.access":
                    return web.json_response({"ok": True} | self.oauth.access(request.headers, args))
                return web.json_response({"ok": True} | self._result(method, token, args), headers=headers)
            except SlackError as error:
                body: Json = {"ok": False, "error": str(error)}
                if str(error) == "missing_scope":
                    body["needed"] = self._needed(method, args)
                    body["provided"] = headers["x-oauth-scopes"]
                return web.json_response(body, headers=headers)

        return await self.answered(request, Call(method, args, time.monotonic()), act)

    def _granted(self) -> Collection[str]:
        # An app with every scope has what our methods need, whatever the kind of channel.
        kinds = ("channels", "groups", "im", "mpim")
        return (
            {scope.format(kind) for scope in METHODS.values() for kind in kinds if scope}
            | {*("app_mentions:read", "commands")}
            if self.scopes is None
            else self.scopes
        )

    def _needed(self, method: str, args: Json) -> str:
        return needed(METHODS, method, self.space.channels.get(word(args, "channel")))

    def _result(self, method: str, token: str, args: Json) -> Json:
        if not token:
            raise SlackError("not_authed")
        if token not in {self.bot_token, self.app_token, *self.oauth.tokens}:
            raise SlackError("invalid_auth")
        connecting = method == "apps.connections.open"
        methods = {**self._api.methods, **self.views.methods, **self.files.methods}
        if not connecting and method not in methods:
            raise SlackError("unknown_method")
        if connecting != (token == self.app_token):
            raise SlackError("not_allowed_token_type")
        if connecting:
            return {"url": f"{self.url.replace('http', 'ws', 1)}/link"}
        if not self._grants(self._needed(method, args)):
            raise SlackError("missing_scope")
        answer = methods[method](args)
        team = self.oauth.tokens.get(token, TEAM)
        if method == "auth.test":
            answer["team_id"] = team
        elif method == "users.info":
            found = mapping(answer, "user")
            answer["user"] = {**found, "is_stranger": found["team_id"] != team}
        return answer

    async def _answer(self, request: web.Request) -> web.Response:
        """An answer address: replaces or deletes what was pressed, or posts a message."""
        args = await read_args(request)
        self.calls.append(Call("response_url", args, time.monotonic()))
        try:
            self._answers.take(request.match_info["key"], args)
        except SlackError as error:
            return web.json_response({"ok": False, "error": str(error)}, status=404)
        return web.json_response({"ok": True})

    async def _download(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        allowed = token == self.bot_token and self._grants("files:read")
        return self.files.serve(request.match_info["file"], allowed=allowed)

    async def _upload(self, request: web.Request) -> web.Response:
        return self.files.receive(request.match_info["file"], await request.read())
