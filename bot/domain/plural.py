"""Counts in the English sentences of commands, in the singular for one.

What is said in chats comes from the locales, whose sentences have forms of their own (`bot.locales`).
"""


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 adapter" or "2 adapters". `many`: the words for any other number, where they are more than `one` with an s.

    A verb belongs to the words: `counted(left, "row is left out", "rows are left out")`.
    """
    return f"{number} {worded(number, one, many)}"


def worded(number: float, one: str, many: str = "") -> str:
    """The words alone, for a number that is written in another form or stands elsewhere."""
    return one if number == 1 else many or f"{one}s"
