"""`switchboard failed`: lists the items that were set aside after too many failures, retries or drops them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from bot.console import say, table
from bot.domain.errors import UsageError
from bot.domain.failures import FailedItem
from bot.domain.ports import FailedItems
from bot.json_lines import json_line


async def list_failed(failures: FailedItems, as_json: bool, out: TextIO) -> None:
    """Print every item that is set aside, oldest first."""
    items = await failures.set_aside()
    if as_json:
        for item in items:
            print(json_line(_row(item)), file=out)
        return
    if not items:
        say("nothing is set aside")
        return
    columns = ("id", "step", "item", "conversation", "reason", "attempts", "first", "last")
    table("set aside", columns, [["" if cell is None else str(cell) for cell in _row(item).values()] for item in items])
    say("`switchboard failed retry ID` lets one be tried again, `switchboard failed drop ID` never")


async def retry_failed(failures: FailedItems, ids: Sequence[int], now: datetime) -> None:
    """Let items be tried again. Raises UsageError, and does nothing, when one of them is not set aside."""
    for item in await _chosen(failures, ids):
        await failures.retry(item.id, now)
        say(f"{item.id} ({item.step} {item.item}) is tried again")


async def drop_failed(failures: FailedItems, ids: Sequence[int], now: datetime) -> None:
    """Conclude items for ever. Raises UsageError, and does nothing, when one of them is not set aside."""
    for item in await _chosen(failures, ids):
        await failures.drop(item.id, now)
        say(f"{item.id} ({item.step} {item.item}) is dropped")


async def _chosen(failures: FailedItems, ids: Sequence[int]) -> list[FailedItem]:
    """The items with these ids, or all. Raises UsageError for an id that is not set aside."""
    items = {item.id: item for item in await failures.set_aside()}
    unknown = [str(id) for id in ids if id not in items]
    if unknown:
        raise UsageError(f"not set aside: {', '.join(unknown)}; see `switchboard failed list`")
    return [items[id] for id in ids] if ids else list(items.values())


def _row(item: FailedItem) -> dict[str, object]:
    return {
        "id": item.id,
        "step": item.step,
        "item": item.item,
        "conversation": item.conversation,
        "reason": item.reason,
        "attempts": item.attempts,
        "first_at": item.first_at.isoformat(timespec="seconds"),
        "last_at": item.last_at.isoformat(timespec="seconds"),
    }
