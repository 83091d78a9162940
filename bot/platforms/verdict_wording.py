"""Why the gate let a candidate serve or not, in its reader's language.

Verdicts are recorded in English, as commands and scripts read them. Like a message of gettext, the English sentence is
the key: the locales' English says which sentence it is and what was put into it, so that verdicts of years ago are read
in the reader's language, too. What no sentence of this version says stays as it was recorded.
"""

import re
from functools import cache

from bot.locales import Sentences

_SENTENCES = Sentences()
_RECORDED = "en"
_REASONS = (
    *("not_better", "first", "better", "nor_no_worse", "new_labels", "too_few", "missing"),
    *("language_falls_surely", "language_falls", "small_teams_fall", "team_falls_surely", "team_falls"),
    *("thin_languages", "calibration", "repeats", "unasked", "disagreement", "asks_usually"),
    *("asks_promised_teams", "asks_promised", "asks_as_set_teams", "asks_as_set_counted", "asks_as_set"),
)
"""In this order they are tried: what another one could be mistaken for comes first."""
_LISTED = {"languages": "part_language", "teams": "part_team"}
"""What holds a list -> the sentence of one part."""
_BETWEEN = "; "
"""Parts are separated alike in every language."""


def verdict_reason(recorded: str, language: str) -> str:
    """The same reason in that language."""
    for name in _REASONS:
        if found := _form(name).fullmatch(recorded):
            words = {gap: _listed(gap, value, language) for gap, value in found.groupdict().items()}
            return _SENTENCES.sentence(language, f"verdict_{name}", **words)
    return recorded


def _listed(gap: str, value: str, language: str) -> str:
    if gap not in _LISTED:
        return value
    part = _LISTED[gap]
    return _BETWEEN.join(
        _SENTENCES.sentence(language, f"verdict_{part}", **found.groupdict())
        if (found := _form(part).fullmatch(one))
        else one
        for one in value.split(_BETWEEN)
    )


@cache
def _form(name: str) -> re.Pattern[str]:
    """The English sentence, with a gap for each word that is put in."""
    pieces = re.split(r"{(\w+)}", _SENTENCES.text(_RECORDED, f"verdict_{name}"))
    return re.compile("".join(f"(?P<{piece}>.+?)" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)))
