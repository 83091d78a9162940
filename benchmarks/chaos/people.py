"""What people write, tap and put under cards while everything goes wrong; each waits until their words are stored."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from benchmarks.chaos.records import Ledger
from tests.servers.slack.blocks import elements
from tests.worlds.company import HELP, SLACK_LEAD, TELEGRAM_LEAD, Town

EXAMPLES = (
    "I was charged twice",
    "Where is my parcel?",
    "My lamp won't connect to the wifi",
    "How much is the Pro plan?",
    "The app crashes when I open it",
    "Can you still change the delivery address?",
)
EMOJI = {
    "slack": {"billing": "moneybag", "delivery": "package", "support": "wrench", "sales": "chart_with_upwards_trend"},
    "telegram": {"billing": "🤝", "delivery": "🎅", "support": "👨‍💻", "sales": "🏆"},
}
_LOOK = 0.3
Write = Callable[[str], Awaitable[str | int]]
"""Writes one more line in a conversation."""


@dataclass(frozen=True, slots=True)
class Request:
    """One person's conversation: who opened it where, and the mark that identifies it."""

    platform: str
    chat: str
    person: str
    mark: str


@dataclass(slots=True)
class Said:
    """What people said in a round, as (platform, chat, message id)."""

    requests: list[Request] = field(default_factory=list)
    messages: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    reactions: int = 0
    presses: int = 0
    lines: dict[str, list[str]] = field(default_factory=dict)
    """Mark -> the follow-ups, in the order of writing."""


class People:
    """A round's people. `write` ends when they have said everything, or when `over` says that the round is over."""

    def __init__(self, town: Town, ledger: Ledger, dice: random.Random, over: Callable[[], bool]) -> None:
        self._town, self._ledger, self._dice, self._over = town, ledger, dice, over
        self.said = Said()

    async def write(self, round_: int, each: int) -> None:
        """Have so many people write on each platform, within a few seconds of each other."""
        work = [self._person(round_, number, platform) for number in range(each) for platform in ("slack", "telegram")]
        await asyncio.gather(*work)

    async def _person(self, round_: int, number: int, platform: str) -> None:
        await asyncio.sleep(self._dice.uniform(0, 3))
        mark = f"#{round_}-{platform[0]}{number}"
        text = f"{self._dice.choice(EXAMPLES)} {mark}"
        if platform == "slack":
            await self._in_slack(f"U{round_}P{number}", text, mark, direct=self._dice.random() < 0.5)
        else:
            await self._in_telegram(1_000_000 + round_ * 1_000 + number, text, mark)

    async def _in_slack(self, user: str, text: str, mark: str, direct: bool) -> None:
        slack = self._town.slack
        channel = slack.space.direct(slack.space.user(user).id).id if direct else HELP
        ts = await slack.writes(user, channel, text)
        self.said.requests.append(Request("slack", channel, user, mark))
        self.said.messages.append(("slack", channel, ts))
        await self._goes_on("slack", mark, lambda line: slack.writes(user, channel, line, thread_ts=ts))

    async def _in_telegram(self, person: int, text: str, mark: str) -> None:
        telegram = self._town.telegram
        number = await telegram.writes(person, text)
        self.said.requests.append(Request("telegram", str(person), str(person), mark))
        self.said.messages.append(("telegram", str(person), str(number)))
        await self._goes_on("telegram", mark, lambda line: telegram.writes(person, line))

    async def _goes_on(self, platform: str, mark: str, write: Write) -> None:
        """Follow-ups, a tap where we asked, and the team's actions, in any order in which real people could do them."""
        if not await self._until(lambda: self._ledger.state(mark) in ("routed", "asked")):
            return
        if self._ledger.state(mark) == "asked":
            await self._answers(mark)
        await asyncio.gather(self._follow_up(platform, mark, write), self._team(mark))

    async def _follow_up(self, platform: str, mark: str, write: Write) -> None:
        for number in range(self._dice.choice((0, 0, 1, 3))):
            line = f"line {number} of {mark}"
            said = await write(line)
            chat = next(one.chat for one in self.said.requests if one.mark == mark)
            fact = (platform, chat, str(said))
            self.said.messages.append(fact)
            self.said.lines.setdefault(mark, []).append(line)
            if not await self._until(lambda fact=fact: self._ledger.stored(*fact)):  # type: ignore[misc]
                return

    async def _answers(self, mark: str) -> None:
        """Tap the question's first button, again if nothing happens: Slack does not repeat a tap."""

        async def tap() -> None:
            platform, chat, ref = self._ledger.question(mark)
            if platform == "slack":
                post = self._town.slack.space.posts[chat, ref]
                button = next(one for one in elements(post.blocks) if one.get("type") == "button")
                who = next(one.person for one in self.said.requests if one.mark == mark)
                await self._town.slack.presses(who, chat, ref, str(button["action_id"]), str(button.get("value") or ""))
            else:
                buttons = self._town.telegram.account.posts[int(chat), int(ref)].buttons
                rows = buttons["inline_keyboard"]
                assert isinstance(rows, list)
                await self._town.telegram.presses(int(chat), int(chat), int(ref), rows[0][0]["callback_data"])
            self.said.presses += 1

        if not await self._until(lambda: bool(self._ledger.question(mark)[2]) or self._ledger.state(mark) == "routed"):
            return
        while self._ledger.state(mark) == "asked" and not self._over():
            await tap()
            for _ in range(20):
                if self._ledger.state(mark) != "asked" or self._over():
                    return
                await asyncio.sleep(_LOOK)

    async def _team(self, mark: str) -> None:
        """Sometimes a lead moves the request, or somebody of its team answers it."""
        what = self._dice.choice(("nothing", "nothing", "moves", "answers", "moves"))
        if what == "nothing" or not await self._until(lambda: bool(self._ledger.card(mark)[2])):
            return
        platform, chat, ref = self._ledger.card(mark)
        if what == "moves":
            await self._moves(platform, chat, ref)
        elif platform == "slack":
            ts = await self._town.slack.writes(SLACK_LEAD, chat, f"reply: answer to {mark}", thread_ts=ref)
            self.said.notes.append((platform, chat, ts))
        elif platform == "telegram":
            group = int(chat)
            number = await self._town.telegram.writes(
                TELEGRAM_LEAD, f"reply: answer to {mark}", group, reply_to=int(ref)
            )
            self.said.notes.append((platform, chat, str(number)))

    async def _moves(self, platform: str, chat: str, ref: str) -> None:
        emoji = EMOJI.get(platform, {}).get(self._dice.choice(("billing", "delivery", "support", "sales")))
        if emoji is None:
            return
        if platform == "slack":
            await self._town.slack.reacts(SLACK_LEAD, chat, ref, emoji)
        else:
            await self._town.telegram.reacts(TELEGRAM_LEAD, int(chat), int(ref), [emoji])
        self.said.reactions += 1

    async def _until(self, holds: Callable[[], bool]) -> bool:
        """Wait until the condition holds; False: the round is over."""
        while not holds():
            if self._over():
                return False
            await asyncio.sleep(_LOOK)
        return True
