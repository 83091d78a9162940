"""Faults of rules: one that takes every message, and one that no message can reach. Pure."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from bot.domain.rules import Conditions, Rule
from bot.domain.word_list import contains


def takes_everything(where: Conditions, platforms: AbstractSet[str]) -> bool:
    """Whether the conditions hold for every message on these platforms."""
    pattern = None if where.pattern is not None and where.pattern.matches_everything else where.pattern
    everywhere = bool(platforms) and platforms <= where.platforms
    always = where.hours is not None and where.hours.always
    return replace(
        where,
        pattern=pattern,
        platforms=frozenset() if everywhere else where.platforms,
        hours=None if always else where.hours,
    ).empty


def contradicts_itself(where: Conditions) -> str | None:
    """Why the conditions can never hold together; None: they can."""
    if where.outside_hours is not None and where.outside_hours.always:
        return "outside_hours is all week, and nothing is written outside of it"
    if where.hours is not None and where.outside_hours is not None and where.hours.within(where.outside_hours):
        return "hours are all among outside_hours, and nothing is written within and outside of them"
    for name, of in (("channel", where.rooms), ("from", where.senders)):
        there = {platform for platform, _ in of}
        if of and where.platforms and not there & where.platforms:
            return f"{name} names nobody on {', '.join(sorted(where.platforms))}, to which platform limits it"
    of_rooms, of_senders = ({platform for platform, _ in of} for of in (where.rooms, where.senders))
    if of_rooms and of_senders and not of_rooms & of_senders:
        return "channel and from name different platforms, and nobody writes on two at a time"
    return None


def hidden_by(rules: Sequence[Rule], platforms: frozenset[str] = frozenset()) -> list[tuple[Rule, Rule]]:
    """(rule, an earlier one of the same question that takes every message that the rule could take).

    `platforms` are those that are set up; empty: unknown.
    """
    hidden: list[tuple[Rule, Rule]] = []
    for number, rule in enumerate(rules):
        earlier = (one for one in rules[:number] if one.then.task == rule.then.task)
        first = next((one for one in earlier if covers(one.where, rule.where, platforms)), None)
        if first is not None:
            hidden.append((rule, first))
    return hidden


def covers(wider: Conditions, narrower: Conditions, platforms: frozenset[str] = frozenset()) -> bool:
    """Whether the wider conditions hold wherever the narrower ones do, as far as their text tells."""
    return all(
        (
            _covers(wider.platforms, narrower.platforms or _platforms(narrower) or platforms),
            _covers(wider.rooms, narrower.rooms),
            _covers(wider.senders, narrower.senders),
            _covers_domains(wider.domains, narrower.domains),
            _covers(wider.languages, narrower.languages),
            _covers_words(wider, narrower),
            wider.pattern is None or wider.pattern == narrower.pattern,
            wider.hours is None or (narrower.hours is not None and narrower.hours.within(wider.hours)),
            wider.outside_hours is None
            or (narrower.outside_hours is not None and wider.outside_hours.within(narrower.outside_hours)),
        )
    )


def _platforms(where: Conditions) -> frozenset[str]:
    """The platforms to which its people and rooms limit it; empty: it is not limited to any."""
    named = [frozenset(platform for platform, _ in of) for of in (where.rooms, where.senders) if of]
    return frozenset.intersection(*named) if named else frozenset()


def _covers(wider: frozenset[object], narrower: frozenset[object]) -> bool:
    return not wider or (bool(narrower) and narrower <= wider)


def _covers_domains(wider: frozenset[str], narrower: frozenset[str]) -> bool:
    if not wider:
        return True
    return bool(narrower) and all(any(f".{one}".endswith(f".{of}") for of in wider) for one in narrower)


def _covers_words(wider: Conditions, narrower: Conditions) -> bool:
    if not wider.words:
        return True
    return bool(narrower.words) and all(any(contains(one, of) for of in wider.words) for one in narrower.words)
