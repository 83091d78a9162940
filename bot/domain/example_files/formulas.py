"""Cells that a spreadsheet would run: disarmed on their way out, as they were on their way in."""

import re

_RUNS = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_DISARMED = re.compile("'+[=+\\-@\t\r\n＝＋－＠]")


def disarmed(cell: str) -> str:
    """With an apostrophe in front where a spreadsheet would take it for a formula; `armed` takes it off again."""
    return f"'{cell}" if _RUNS.match(cell) else cell


def armed(cell: str) -> str:
    """The cell as it was before it was disarmed, by us or by whoever exported it."""
    return cell[1:] if _DISARMED.match(cell) else cell
