"""Slack and Telegram on a bad day: deliveries come again, late and out of order, and calls to them fail."""

import asyncio
import json
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Middleware

from benchmarks.chaos.pollers import Pollers
from tests.servers.half import half
from tests.servers.slack import SlackServer
from tests.servers.slack.delivery import Courier, Delivery
from tests.servers.telegram import TelegramServer
from tests.servers.telegram.updates import Feed
from tests.servers.wire import Json

MISDEEDS = ("429", "500", "garbage", "hangs up before", "hangs up after", "half an answer", "times out")
"""A rate limit; an error; a page of HTML; the connection ends before the action, after it, or in the middle of the
answer; the action is done but never answered."""
MOST_REPEATS = 3
"""A delivery is repeated up to this many times."""
_TIMED_OUT_SECONDS = 120.0
Post = tuple[str, str]
"""Chat, message."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Weather:
    """How badly things go at present, drawn with the campaign's own dice."""

    dice: random.Random
    misdeed: str = ""
    """What goes wrong with calls that say something; empty: nothing."""
    about: str = ""
    """The platform on which it happens."""
    odds: float = 0.0
    """The share of calls to which it happens."""
    repeats: bool = True
    """Whether deliveries come again, late and out of order."""
    most: float = 0.5
    """The most seconds by which a delivery is late."""
    counts: "Counter[str]" = field(default_factory=Counter)
    said: dict[Post, float] = field(default_factory=dict)
    """What was said in Telegram, and when, by the clock that timers use."""
    unanswered: set[Post] = field(default_factory=set)
    """What was said in Telegram although its caller got no answer."""

    def strikes(self, platform: str) -> bool:
        return bool(self.misdeed) and platform == self.about and self.dice.random() < self.odds

    def again(self) -> int:
        """How many more times something is delivered."""
        return self.dice.choice((0, 0, 1, 2, MOST_REPEATS)) if self.repeats else 0

    def late(self) -> float:
        return self.dice.uniform(0, self.most) if self.repeats else 0.0

    def over(self) -> None:
        """Let calls succeed again; deliveries go on as before."""
        self.misdeed, self.odds = "", 0.0


class ChaoticCourier(Courier):
    """Slack delivers every event up to four times, each time late, so that deliveries overtake each other."""

    weather: Weather
    pauses: Sequence[float] = ()
    """Seconds before each retry; empty: again at once, for as long as it takes."""

    async def deliver(self, delivery: Delivery) -> None:
        await asyncio.sleep(self.weather.late())
        if self.pauses:
            await self._as_slack_does(delivery)
        else:
            await super().deliver(delivery)
        for _ in range(self.weather.again() if delivery.kind == "events_api" else 0):
            self.weather.counts["slack deliveries repeated"] += 1
            await asyncio.sleep(self.weather.late())
            delivery.failures.append("timeout")
            await self.once(delivery)

    async def _as_slack_does(self, delivery: Delivery) -> None:
        for pause in (0.0, *self.pauses):
            await asyncio.sleep(pause)
            await self.once(delivery)
            if delivery.acked:
                return


class ChaoticFeed(Feed):
    """Telegram hands out updates again that were already confirmed, among the new ones and in another order."""

    def __init__(self, weather: Weather) -> None:
        super().__init__()
        self._weather = weather
        self._recent: deque[tuple[Json, int]] = deque(maxlen=200)
        self._known: set[int] = set()

    async def poll(self, offset: int, limit: int, timeout: float) -> list[Json]:
        fresh = await super().poll(offset, limit, timeout)
        again = [self._recent.popleft() for _ in range(min(len(self._recent), 5))]
        self._recent.extend((update, left - 1) for update, left in again if left > 1)
        new = [update for update in fresh if update["update_id"] not in self._known]
        self._known |= {int(str(update["update_id"])) for update in new}
        self._recent.extend((update, left) for update in new if (left := self._weather.again()))
        if not fresh:
            return fresh
        self._weather.counts["telegram updates repeated"] += len(again)
        mixed = [*fresh[:-1], *(update for update, _ in again)]
        if self._weather.repeats:
            self._weather.dice.shuffle(mixed)
        return [*mixed, fresh[-1]]


class ChaoticSlack(SlackServer):
    """Slack, whose calls go wrong as the weather says."""

    def __init__(self, weather: Weather, redeliver_after: float = 2.0, retries: int = 200) -> None:
        super().__init__(redeliver_after=redeliver_after, retries=retries)
        self.weather = weather
        self.courier = self.chaotic = ChaoticCourier(self._transport, redeliver_after, retries)
        self.chaotic.weather = weather

    def web_app(self) -> web.Application:
        app = super().web_app()
        app.middlewares.append(_stormy(self.weather, "chat.", "slack"))
        return app


class ChaoticTelegram(TelegramServer):
    """Telegram, likewise."""

    def __init__(self, weather: Weather) -> None:
        super().__init__(feed=ChaoticFeed(weather))
        self.weather = weather
        self.pollers = Pollers()

    def web_app(self) -> web.Application:
        app = super().web_app()
        for words in ("sendMessage", "editMessage"):
            app.middlewares.append(_stormy(self.weather, words, "telegram"))
        app.middlewares.extend([_remembering(self.weather), self.pollers.watching])
        return app


def _stormy(weather: Weather, about: str, platform: str) -> Middleware:
    """Lets calls whose method begins with `about` go wrong."""

    @web.middleware
    async def through(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.match_info.get("method", "").startswith(about) or not weather.strikes(platform):
            return await handler(request)
        weather.counts[f"{platform} {weather.misdeed}"] += 1
        return await _go_wrong(request, handler, weather)

    return through


async def _go_wrong(request: web.Request, handler: Handler, weather: Weather) -> web.StreamResponse:
    misdeed = weather.misdeed
    if misdeed == "429":
        body: Json = {"ok": False, "error": "ratelimited", "error_code": 429, "description": "Too Many Requests"}
        body["parameters"] = {"retry_after": 1}
        return web.json_response(body, status=429, headers={"Retry-After": "1"})
    if misdeed == "500":
        return web.Response(status=500, text="upstream error")
    if misdeed == "garbage":
        return web.Response(text="<html>It works!</html>", content_type="text/html")
    if misdeed == "hangs up before":
        return _gone(request)
    done = _posts(await handler(request))  # it is done, but its caller gets no answer
    if request.match_info.get("method") == "sendMessage":
        weather.unanswered |= done
    if misdeed == "half an answer":
        return await _half(request)
    if misdeed == "times out":
        await asyncio.sleep(_TIMED_OUT_SECONDS)
    return _gone(request)


def _remembering(weather: Weather) -> Middleware:
    """Records when each post in Telegram was said."""

    @web.middleware
    async def through(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        now = asyncio.get_running_loop().time()
        weather.said = dict.fromkeys(_posts(answer), now) | weather.said  # an edit's answer shows the post, too
        return answer

    return through


def _posts(answer: web.StreamResponse) -> set[Post]:
    """The post in a Bot API's answer; none if the answer is about no new post."""
    told = json.loads(answer.text or "{}") if isinstance(answer, web.Response) and answer.status == 200 else {}
    result = told.get("result") if isinstance(told, dict) else None
    if not isinstance(result, dict) or "message_id" not in result or "chat" not in result:
        return set()
    return {(str(result["chat"]["id"]), str(result["message_id"]))}


def _gone(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _half(request: web.Request) -> web.StreamResponse:
    return await half(request, b'{"ok": true, "res')
