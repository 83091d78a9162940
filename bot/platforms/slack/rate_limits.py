"""Slack's rate limit for a channel: about one message a second, with short bursts."""

from dataclasses import dataclass, field

_A_SECOND = 1.0
_BURST = 5
_EARLY = 0.05
"""How many seconds too early a turn may begin: the outbox uses another clock."""
_MANY = 1_000


@dataclass(slots=True)
class Pace:
    """Reserves turns to send for each channel, so that a waiting one holds up no other. Never waits itself.

    Times are seconds of any one clock.
    """

    _next: dict[str, float] = field(default_factory=dict)
    """Channel -> when its next turn would be if bursts were not allowed."""
    _silent: dict[str, float] = field(default_factory=dict)
    """Channel -> until when Slack accepts no message there."""
    _turns: dict[int, float] = field(default_factory=dict)
    """Post -> the turn reserved for it."""

    def delay(self, post: int, channel: str, now: float) -> float:
        """Reserve the post's turn and return how long it must wait for it; zero when it is its turn now."""
        turn = self._turns.pop(post, None)
        if turn is None or turn < self._silent.get(channel, 0.0):
            self._forget(now)
            turn = max(self._next.get(channel, 0.0), now - (_BURST - 1) * _A_SECOND)
            self._next[channel] = turn + _A_SECOND
        if turn <= now + _EARLY:
            return 0.0
        self._turns[post] = turn
        return turn - now

    def hold(self, channel: str, wait: float, now: float) -> None:
        """Send nothing more to the channel for so many seconds, as Slack asked."""
        self._silent[channel] = now + wait
        self._next[channel] = max(self._next.get(channel, 0.0), now + wait)

    def _forget(self, now: float) -> None:
        """Drop entries that are long past, which would otherwise be kept for the life of the process."""
        if len(self._next) > _MANY:
            self._next = {channel: at for channel, at in self._next.items() if at > now - _BURST * _A_SECOND}
            self._silent = {channel: at for channel, at in self._silent.items() if at > now}
        if len(self._turns) > _MANY:
            # Another process may have sent it, or it is no longer owed
            self._turns = {post: at for post, at in self._turns.items() if at > now - 60 * _A_SECOND}
