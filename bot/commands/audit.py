"""`switchboard audit` and `switchboard export --person`: what is stored about a person, for us and for them."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer

from bot.commands.actions import person as person_of
from bot.commands.command_line import AsJson, Config, read_settings, run_to_end, spoken
from bot.console import say, table
from bot.domain.messages import Person
from bot.domain.personal_records import Held, PersonalRecord, PersonalRecords
from bot.domain.plural import counted
from bot.files import writing
from bot.json_lines import escaped, json_line
from bot.platforms import platform_modules
from bot.settings import Settings
from bot.store import now, open_store
from db.personal_records import PostgresPersonalRecords

Whom = Annotated[str, typer.Argument(metavar="PLATFORM:USER", help="Like slack:U0ANN or telegram:111222333.")]
Words = Annotated[bool, typer.Option("--words", help="Show what was written, too, a line each on stdout.")]


def audit(person: Whom, words: Words = False, as_json: AsJson = False, config: Config = None) -> None:
    """Everything that is stored about a person: how much of each kind, and where.

    Kinds: their conversations, messages and notes, our posts about these,
    reactions, presses, examples made of their texts, rulings that they made as
    a lead, and what others wrote that cites them. `switchboard forget` erases it.
    """
    settings = read_settings(config)
    with spoken():
        whom = person_of(person, platform_modules())
    found = run_to_end(_held(settings, whom))
    if as_json:
        return _print(_counted(found) | (_worded(found) if words else {}), sys.stdout)
    return _show(found, words, sys.stdout)


def export_person(settings: Settings, written: str, file: Path | None) -> None:
    """Write what is stored about a person as JSON, for them to have; the file is written whole. Raises UsageError."""
    whom = person_of(written, platform_modules())
    found = run_to_end(_held(settings, whom))
    with writing(file) as out:
        out.write(escaped(json.dumps(exported(found, now()), ensure_ascii=False, indent=1)) + "\n")
    say(f"{whom.key}: {counted(len(found.records), 'record')} of what is held about them")


def _print(row: dict[str, object], out: TextIO) -> None:
    print(json_line(row), file=out)


async def _held(settings: Settings, person: Person) -> PersonalRecords:
    async with open_store(settings) as store:
        return await PostgresPersonalRecords(store.database).held_about(person)


def exported(found: PersonalRecords, at: datetime) -> dict[str, object]:
    """The content of the file for the person: all records with their words, by kind."""
    return {"person": found.person.key, "exported_at": at.isoformat(), "names": list(found.names), **_worded(found)}


def _counted(found: PersonalRecords) -> dict[str, object]:
    held = [
        {"kind": kind.value, "where": where, "records": records, "with_words": worded}
        for (kind, where), (records, worded) in found.counts().items()
    ]
    return {"person": found.person.key, "names": list(found.names), "held": held, "adapters": list(found.adapters)}


def _worded(found: PersonalRecords) -> dict[str, object]:
    by_kind = {kind: [_row(one) for one in found.records if one.kind is kind] for kind in Held}
    return {"records": {kind.value: rows for kind, rows in by_kind.items() if rows}}


def _row(one: PersonalRecord) -> dict[str, object]:
    at = None if one.at is None else one.at.isoformat()
    row = {"id": one.id, "where": one.where, "at": at, "what": one.label, "conversation": one.conversation}
    return row | ({"text": one.text} if one.text else {})


def _show(found: PersonalRecords, words: bool, out: TextIO) -> None:
    if not found.records:
        say(f"nothing is held about {found.person.key}")
        return
    cells = [
        (kind.value, where, str(records), str(worded)) for (kind, where), (records, worded) in found.counts().items()
    ]
    known = f" ({', '.join(found.names)})" if words and found.names else ""
    table(f"held about {found.person.key}{known}", ("what", "where", "how many", "with words"), cells)
    if found.adapters:
        say(f"learned from a text of theirs: {', '.join(found.adapters)}")
    for one in found.records if words else ():
        if one.text:
            print(f"{one.kind.value}\t{one.where}\t{json_line(one.text)}", file=out)
