"""The people whom a text cites or mentions, and the text without a person who is to be erased. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from bot.domain.messages import Media
from bot.domain.rich_text import Mark, Run, Style, runs, written

TAKEN_OUT = "…"
"""Replaces somebody's name, or their words."""
_NAME_ALONE = "~"


def named_in(text: str, media: Iterable[Media] = ()) -> tuple[str, ...]:
    """The keys of the people that it cites or mentions or whose files it carries along, each once."""
    marks = {mark for run in runs(text) for mark in run.marks}
    found = {key for mark in marks if (key := _key(mark))} | {one.by for one in media if one.by}
    return tuple(sorted(found))


def keys(person_id: str, names: Iterable[str]) -> list[str]:
    """The keys under which `named_in` lists the person: their id, or a name where the citing platform knew no more."""
    return sorted({person_id, *(f"{_NAME_ALONE}{name}" for name in names if name)})


def cited_words(text: str, of: Collection[str]) -> list[str]:
    """The words that it cites of somebody with one of these keys, without marks."""
    groups = groupby(runs(text), key=lambda run: _cites(run, of))
    return ["".join(run.text for run in group) for theirs, group in groups if theirs]


def without_person(text: str, of: Collection[str]) -> str:
    """The text without what it cites of them, and with their mentions nameless."""
    if not set(named_in(text)) & set(of):
        return text
    left: list[Run] = []
    for run in runs(text):
        if _cites(run, of):
            if not (left and left[-1] == _EMPTIED):
                left.append(_EMPTIED)
        elif any(mark.style is Style.MENTION and mark.value in of for mark in run.marks):
            left.append(replace(run, text=f"@{TAKEN_OUT}", marks=_unmentioned(run)))
        else:
            left.append(run)
    return written(left)


def without_files(media: Sequence[Media], of: Collection[str]) -> tuple[Media, ...]:
    """The attachments without those that were cited from them."""
    return tuple(one for one in media if one.by not in of)


def with_citation(before: str, now: str) -> str:
    """New words for a message: a citation in the old ones stays, unless the new ones contain it themselves.

    Once somebody's cited words were removed they stay out: asked for an edit, the platform would bring them again.
    """
    pointed = [run for run in runs(before) if run.has(Style.CITED)]
    if _EMPTIED in pointed:
        own = written(run for run in runs(now) if not run.has(Style.CITED)).strip()
        return _behind(pointed, own)
    if not pointed or any(run.has(Style.CITED) for run in runs(now)):
        return now
    return _behind(pointed, now)


def _behind(pointed: Sequence[Run], words: str) -> str:
    return f"{written(pointed)}\n{words}" if words else words


def _key(mark: Mark) -> str:
    if mark.style is Style.MENTION:
        return mark.value
    if mark.style is not Style.CITED:
        return ""
    return mark.by or (f"{_NAME_ALONE}{mark.value}" if mark.value else "")


def _cites(run: Run, of: Collection[str]) -> bool:
    return any(mark.style is Style.CITED and _key(mark) in of for mark in run.marks)


def _unmentioned(run: Run) -> tuple[Mark, ...]:
    return tuple(mark for mark in run.marks if mark.style is not Style.MENTION)


_EMPTIED = Run(TAKEN_OUT, (Mark(Style.CITED),))
