"""Cells that a spreadsheet would run as formulas: disarmed when written, restored when read."""

import re

_RUNS = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_DISARMED = re.compile("'+[=+\\-@\t\r\n＝＋－＠]")


def disarmed(cell: str) -> str:
    """The cell with an apostrophe in front if a spreadsheet would take it for a formula; `armed` removes it again."""
    return f"'{cell}" if _RUNS.match(cell) else cell


def armed(cell: str) -> str:
    """The cell as it was before it was disarmed, by us or by another program."""
    return cell[1:] if _DISARMED.match(cell) else cell
