"""What `switchboard rules` prints: every rule with its record, and how the rules treat a described message."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO
from zoneinfo import ZoneInfo

from bot.console import say
from bot.domain.errors import UsageError
from bot.domain.messages import Person, Place, clean
from bot.domain.plural import counted
from bot.domain.rule_record import RuleRecord
from bot.domain.rules import Rule, Rules, Written
from bot.json_lines import json_line
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class Pretended:
    """A message as described on the command line."""

    text: str
    sender: str | None = None
    channel: str | None = None
    platform: str | None = None
    language: str | None = None
    at: str | None = None


def written(
    pretended: Pretended, settings: Settings, language_of: Callable[[str], str | None], now: datetime
) -> Written:
    """The message as rules see it. Raises UsageError for an invalid time or platform."""
    platform, sender = _of(pretended.sender, settings)
    there, channel = _of(pretended.channel, settings)
    on = platform or there or pretended.platform or next(iter(settings.platforms), "")
    for named in (platform, there, pretended.platform):
        if named is not None and named not in settings.platforms:
            raise UsageError(f"no platform called {named!r} is set up; there are {', '.join(settings.platforms)}")
        if named is not None and named != on:
            raise UsageError(f"a message is written on one platform; here are {on} and {named}")
    text = clean(pretended.text)
    return Written(
        text,
        Person(on, sender),
        Place(on, channel),
        _moment(pretended.at, settings) or now,
        pretended.language or language_of(text),
    )


def _of(value: str | None, settings: Settings) -> tuple[str | None, str]:
    """(platform, id) of `PLATFORM:ID`; the id may contain colons."""
    platform, colon, rest = (value or "").partition(":")
    return (platform, rest) if colon and platform in settings.platforms else (None, value or "")


def _moment(value: str | None, settings: Settings) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise UsageError(f"--at {value!r} is no time; write one like 2026-12-24T20:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(settings.routing.learning.timezone))


def show_test(settings: Settings, said: Written, as_json: bool, out: TextIO) -> None:
    """Print which rule answers each question on `out`, and why the others do not on stderr."""
    applying = settings.rules.applying(said)
    answering = {rule.name for rule in applying.values()}
    for number, (rule, unmet) in enumerate(settings.rules.unmet(said), 1):
        if rule.name not in answering:
            why = f"not its {', not its '.join(unmet)}" if unmet else "an earlier rule answers the same question"
            say(f"{number}. {rule.name}: no, {why}")
    if as_json:
        print(json_line([_answer(rule) for rule in applying.values()]), file=out)
        return
    routing = settings.routing.name
    if routing not in applying:
        print(f"{routing}\t-\tno rule: the voices decide", file=out)
    for task, rule in applying.items():
        print(f"{task}\t{_then(rule)}\t{rule.name}", file=out)


def list_rules(rules: Rules, records: Mapping[str, RuleRecord], as_json: bool, out: TextIO) -> None:
    """Print every rule of the settings with its record."""
    if not rules.rules and not as_json:
        say("there are no rules; docs/rules.md shows how one is written")
    for number, rule in enumerate(rules.rules, 1):
        record = records.get(rule.name, RuleRecord())
        if as_json:
            row = {"number": number, **_answer(rule), "written": rule.written, **_figures(record)}
            print(json_line(row), file=out)
            continue
        print(f"{number}. {rule.name}: {rule.written} → {rule.then.task}: {_then(rule)}\t{_told(record)}", file=out)
    gone = [name for name in records if name not in {rule.name for rule in rules.rules}]
    if gone:
        say(f"no longer in the settings, but decided once: {', '.join(sorted(gone))}")


def _answer(rule: Rule) -> dict[str, object]:
    return {"rule": rule.name, "task": rule.then.task, "label": rule.then.label or None, "asks": rule.then.asks}


def _then(rule: Rule) -> str:
    return "ask" if rule.then.asks else rule.then.label


def _figures(record: RuleRecord) -> dict[str, object]:
    return {
        "applied": record.applied,
        "corrected": record.corrected,
        "confirmed": record.confirmed,
        "often_corrected": record.often_corrected,
    }


def _told(record: RuleRecord) -> str:
    told = f"applied {counted(record.applied, 'time')}, corrected {record.corrected}, confirmed {record.confirmed}"
    return f"{told}; leads often correct it: change it or take it out" if record.often_corrected else told
