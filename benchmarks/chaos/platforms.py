"""Slack and Telegram on a bad day: what they deliver comes again, late, in disorder, and what they are asked fails."""

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
"""Told to wait; an error; a page of HTML; the connection goes before the deed, after it, in the middle of the answer;
done, and never answered."""
MOST_REPEATS = 3
"""A delivery is made up to four times."""
_TIMED_OUT_SECONDS = 120.0
Post = tuple[str, str]
"""Chat, message."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Weather:
    """How badly things go just now, drawn with the campaign's own dice."""

    dice: random.Random
    misdeed: str = ""
    """What goes wrong with what is said; empty: nothing."""
    about: str = ""
    """The platform that it happens on."""
    odds: float = 0.0
    """The share of calls that it happens to."""
    repeats: bool = True
    """Deliveries come again, late and out of turn."""
    most: float = 0.5
    """Seconds that a delivery is late at most."""
    counts: "Counter[str]" = field(default_factory=Counter)
    said: dict[Post, float] = field(default_factory=dict)
    """What was said in Telegram, and when by the clock that timers run on."""
    unanswered: set[Post] = field(default_factory=set)
    """What was said in Telegram without whoever said it hearing of it."""

    def strikes(self, platform: str) -> bool:
        return bool(self.misdeed) and platform == self.about and self.dice.random() < self.odds

    def again(self) -> int:
        """How many times more something is delivered."""
        return self.dice.choice((0, 0, 1, 2, MOST_REPEATS)) if self.repeats else 0

    def late(self) -> float:
        return self.dice.uniform(0, self.most) if self.repeats else 0.0

    def over(self) -> None:
        """The sun shines on what is said; deliveries go on as they did."""
        self.misdeed, self.odds = "", 0.0


class ChaoticCourier(Courier):
    """Slack delivers every event up to four times, each time late, so that they overtake each other."""

    weather: Weather
    pauses: Sequence[float] = ()
    """Seconds before each retry; none: again at once, for as long as it takes."""

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
    """Telegram hands out updates again that were confirmed already, among the new ones and in another order."""

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
    """Slack, which does to what it is asked whatever the weather is."""

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
    """Lets calls whose method begins so go wrong."""

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
    weather.unanswered |= _posts(await handler(request))  # it is done, only nobody hears of it
    if misdeed == "half an answer":
        return await _half(request)
    if misdeed == "times out":
        await asyncio.sleep(_TIMED_OUT_SECONDS)
    return _gone(request)


def _remembering(weather: Weather) -> Middleware:
    """Keeps when what was said in Telegram was said."""

    @web.middleware
    async def through(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        weather.said |= dict.fromkeys(_posts(answer), asyncio.get_running_loop().time())
        return answer

    return through


def _posts(answer: web.StreamResponse) -> set[Post]:
    """The one that a Bot API's answer tells of; none where it tells of no new one."""
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
