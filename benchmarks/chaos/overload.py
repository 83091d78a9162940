"""Thousands of people who write at the same moment: what is acknowledged, when, and what the bot needs for it."""

import asyncio
import time
from pathlib import Path

from benchmarks.chaos.campaign import scene
from benchmarks.chaos.platforms import ChaoticSlack
from benchmarks.chaos.records import until
from benchmarks.machine import spread

AS_SLACK = (0.0, 60.0, 300.0)
"""Seconds before each of Slack's three retries of an event not acknowledged within three seconds."""
_PATIENCE = 900.0
_FIRST = 999_999
"""Writes before all others."""


async def overload(messages: int, seed: int) -> dict[str, object]:
    """Send so many direct messages in Slack at once to one bot, and a handful in Telegram after them."""
    async with scene(seed) as stage:
        stage.weather.repeats = False
        [bot] = stage.replicas
        slack, telegram = stage.town.slack, stage.town.telegram
        assert isinstance(slack, ChaoticSlack)
        slack.chaotic.pauses, slack.chaotic.redeliver_after = AS_SLACK, 3.0
        await telegram.writes(_FIRST, f"Where is my parcel? #0-t{_FIRST}")
        await until(lambda: bool(telegram.posts(_FIRST)), _PATIENCE)  # by then everything that it needs is loaded
        calm, held = _memory(bot.pid), list[int]()
        watching = asyncio.create_task(_watch(bot.pid, held))
        began = time.monotonic()
        for number in range(messages):
            await slack.writes(f"U0V{number}", f"U0V{number}", f"I was charged twice #0-s{number}")
        customers = [1_000_000 + number for number in range(10)]
        for person in customers:
            await telegram.writes(person, f"Where is my parcel? #0-t{person}")
        events = [one for one in slack.deliveries if one.kind == "events_api"]
        await until(lambda: all(one.acked or one.attempts > 3 for one in events), _PATIENCE)
        acknowledged = time.monotonic() - began
        await until(lambda: all(telegram.posts(person) for person in customers), _PATIENCE)
        answered = time.monotonic() - began
        stored = stage.ledger.count("SELECT count(*) FROM messages")
        drained = await until(lambda: not stage.waiting(), _PATIENCE)
        watching.cancel()
        await asyncio.wait([watching])
        return {
            "messages": messages,
            "acknowledgement, s": spread([one.acked_after for one in events if one.acked], 2),
            "acknowledged at the first attempt": sum(one.attempts == 1 for one in events),
            "given up by Slack": sum(not one.acked for one in events),
            "attempts, most": max(one.attempts for one in events),
            "all acknowledged after, s": round(acknowledged, 1),
            "lost": messages + len(customers) + 1 - stored,
            "Telegram's ten answered after, s": round(answered, 1),
            "all said after, s": round(time.monotonic() - began, 1) if drained else None,
            "memory before, MB": calm,
            "memory at most, MB": max([calm, *held]),
        }


async def _watch(pid: int | None, held: list[int]) -> None:
    """Record twice a second how much memory the process holds, until cancelled."""
    while True:
        held.append(_memory(pid))
        await asyncio.sleep(0.5)


def _memory(pid: int | None) -> int:
    """The memory of the process in MB."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8") if pid else ""
    lines = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(lines[0].split()[1]) // 1024 if lines else 0
