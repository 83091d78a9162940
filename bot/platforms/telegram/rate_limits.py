"""Telegram's rate limits, counted before each call, so that one busy chat holds up no other."""

from bisect import insort

_EVERYWHERE = (30, 1.0)
_CHAT = (3, 3.0)
"""One call a second, with short bursts."""
_GROUP = (20, 60.0)
_MANY = 1_000
_EARLY = 0.05
"""How many seconds too early a turn may begin: the outbox uses another clock."""


class Window:
    """At most `limit` calls in any `seconds`."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._calls: list[float] = []
        """The latest calls, including reserved ones, oldest first."""

    def free_at(self, now: float) -> float:
        """When the next call may be made; at once when that is not after `now`."""
        return self._calls[0] + self._seconds if len(self._calls) == self._limit else now

    def count(self, at: float) -> None:
        """Count a call at that time. Where later ones are reserved already, the next call waits longer for it."""
        insort(self._calls, max(at, self.free_at(at)) if self._calls and self._calls[-1] > at else at)
        del self._calls[: -self._limit]

    def idle(self, now: float) -> bool:
        return not self._calls or self._calls[-1] + self._seconds <= now


class Pace:
    """The limits of one bot: 30 calls a second, one a second in a chat, 20 a minute in a group.

    The numbers are Telegram's (core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this); times are
    seconds of any one clock. Group ids are negative.
    """

    def __init__(self) -> None:
        self._everywhere = Window(*_EVERYWHERE)
        self._chats: dict[str, list[Window]] = {}
        self._resting: dict[str, float] = {}
        self._turns: dict[int, float] = {}
        """Post -> the turn reserved for it in its chat."""

    def delay(self, post: int, chat: str, now: float) -> float:
        """Reserve the post's turn and return how long to wait for it; zero, and counted, if that is now."""
        turn, rest = self._turns.pop(post, None), self._resting.get(chat, 0.0)
        if turn is None or turn < rest:
            windows = self._of(chat, now)
            turn = max(now, rest, *(window.free_at(now) for window in windows))
            for window in windows:
                window.count(turn)
        if turn <= now + _EARLY and (turn := self._everywhere.free_at(now)) <= now:
            self._resting.pop(chat, None)
            self._everywhere.count(now)
            return 0.0
        self._reserve(post, turn, now)
        return turn - now

    def _reserve(self, post: int, turn: float, now: float) -> None:
        if len(self._turns) > _MANY:
            # Another process may have sent it, or it is no longer owed
            self._turns = {other: at for other, at in self._turns.items() if at > now - 60}
        self._turns[post] = turn

    def take(self, chat: str, now: float) -> float:
        """Count a call to this chat and return 0; or count nothing and return how many seconds it must wait."""
        windows = [self._everywhere, *self._of(chat, now)]
        wait = max(self._resting.get(chat, now), *(window.free_at(now) for window in windows)) - now
        if wait > 0:
            return wait
        self._resting.pop(chat, None)
        for window in windows:
            window.count(now)
        return 0.0

    def count(self, chat: str, now: float) -> None:
        """Count a call that was made without waiting, as part of another one: the next calls wait longer."""
        for window in [self._everywhere, *self._of(chat, now)]:
            window.count(now)

    def rest(self, chat: str, until: float) -> None:
        """Send nothing to this chat until then, as Telegram asked."""
        self._resting[chat] = until

    def _of(self, chat: str, now: float) -> list[Window]:
        if len(self._chats) > _MANY:
            self._chats = {name: ws for name, ws in self._chats.items() if not all(w.idle(now) for w in ws)}
        limits = [_CHAT, _GROUP] if chat.startswith("-") else [_CHAT]
        return self._chats.setdefault(chat, [Window(*limit) for limit in limits])
