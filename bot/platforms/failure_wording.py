"""Why a learning cycle failed, in the reader's language.

As with verdicts (`verdict_wording`), the recorded English sentence is the key. What follows a sentence after a colon
are another program's words, such as the last lines of a training's log. They stay out of chats, and so does a problem
that no sentence matches: `switchboard models` shows all of it.
"""

from bot.locales import Sentences

_SENTENCES = Sentences()
_RECORDED = "en"
_FAILURES = (
    *("forgotten", "no_task", "few", "leaked", "contradicting", "overtaken", "unreachable", "unforeseen"),
    *("out_of_memory", "killed", "ended", "half_made", "loss", "weights", "base", "folder"),
    *("ray_room", "ray_ended", "ray_lost"),
)
"""In the order in which they are tried: a sentence that could match another one's text comes after it."""


def training_failed(adapter: str, recorded: str, language: str) -> str:
    """That no adapter was made, and why, or where it says why."""
    said, colon, _ = recorded.partition(": ")
    if reason := _reason(said, language):
        key = "training_failed_more" if colon else "training_failed"
        return _SENTENCES.sentence(language, key, adapter=adapter, problem=reason)
    if reason := _reason(recorded, language):
        return _SENTENCES.sentence(language, "training_failed", adapter=adapter, problem=reason)
    return _SENTENCES.sentence(language, "training_failed_unknown", adapter=adapter)


def _reason(recorded: str, language: str) -> str:
    """The recorded sentence in that language; empty when no sentence matches it."""
    for name in _FAILURES:
        found = _SENTENCES.gaps(_RECORDED, f"failed_{name}", recorded)
        if found is not None:
            return _SENTENCES.sentence(language, f"failed_{name}", **found)
    return ""
