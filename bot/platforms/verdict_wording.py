"""Why the gate let a candidate serve or not, in the reader's language.

Verdicts are recorded in English, because commands and scripts read them. As with gettext, the English sentence is the
key: matching it against the English locale tells which sentence it is and what was filled in, so that verdicts of years
ago are also read in the reader's language. A reason that matches no sentence of this version is shown as it was
recorded.
"""

from bot.locales import Sentences

_SENTENCES = Sentences()
_RECORDED = "en"
_REASONS = (
    *("not_better", "first", "better", "nor_no_worse", "new_labels", "too_few", "missing"),
    *("language_falls_surely", "language_falls", "small_teams_fall", "team_falls_surely", "team_falls"),
    *("thin_languages", "calibration", "repeats", "unasked", "disagreement", "asks_usually"),
    *(
        "asks_promised_teams",
        "asks_promised",
        "asks_hoped_teams",
        "asks_hoped",
        "asks_as_set_teams",
        "asks_as_set_counted",
        "asks_as_set",
    ),
)
"""In the order in which they are tried: a sentence that could match another one's text comes after it."""
_LISTED = {"languages": "part_language", "teams": "part_team"}
"""Placeholder that holds a list -> the sentence for each part."""
_BETWEEN = "; "
"""The separator of parts, the same in every language."""


def verdict_reason(recorded: str, language: str) -> str:
    """The recorded reason in that language; unchanged when no sentence matches it."""
    for name in _REASONS:
        found = _SENTENCES.gaps(_RECORDED, f"verdict_{name}", recorded)
        if found is not None:
            words = {gap: _listed(gap, value, language) for gap, value in found.items()}
            return _SENTENCES.sentence(language, f"verdict_{name}", **words)
    return recorded


def _listed(gap: str, value: str, language: str) -> str:
    if gap not in _LISTED:
        return value
    return _BETWEEN.join(_part(f"verdict_{_LISTED[gap]}", one, language) for one in value.split(_BETWEEN))


def _part(key: str, recorded: str, language: str) -> str:
    found = _SENTENCES.gaps(_RECORDED, key, recorded)
    return recorded if found is None else _SENTENCES.sentence(language, key, **found)
