"""What a command does about examples that are not embedded yet, and voices that are not fitted on them."""

from collections.abc import Awaitable, Callable

from bot.console import say
from bot.domain.plural import counted


async def catch_up(
    waiting: int, busy_elsewhere: bool, remember: Callable[[], Awaitable[object]], fit: Callable[[], Awaitable[object]]
) -> None:
    """Bring memory and voices up to date, unless the bot that runs here is doing that: both would take twice as long.

    `waiting` is how many examples have no place in the memory yet.
    """
    if busy_elsewhere:
        if waiting:
            say(
                f"{counted(waiting, 'example is', 'examples are')} not read yet by the bot that runs here; "
                "this is what it would say by now"
            )
        return
    if waiting:
        await remember()
    await fit()
