"""`switchboard teams`: what the database holds for each label, and how it follows changes of teams."""

import getpass
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TextIO

from bot.console import say, table
from bot.domain import compose
from bot.domain.conversations import CardState, PendingReactions
from bot.domain.decisions import Decision
from bot.domain.errors import UsageError
from bot.domain.example_files.reading import ReadOptions, Text, read_examples, read_texts
from bot.domain.posts import Post
from bot.domain.tasks import Task
from bot.domain.team_changes import Kind, TeamChange, TeamChanges, not_asked, unasked, unheard
from bot.files import read_whole
from bot.json_lines import json_line

_DONE = {Kind.RENAME: "renamed to", Kind.MERGE: "merged into", Kind.SPLIT: "split off to", Kind.RETIRE: "retired to"}


def now() -> datetime:
    return datetime.now(UTC)


async def list_teams(changes: TeamChanges, task: Task, tasks: Sequence[Task], as_json: bool, out: TextIO) -> None:
    """Print all labels, of the settings and of the database alone, with their figures; then every change.

    `tasks` are all of the settings': of questions that the database alone has is said that nobody hears their data.
    """
    known = {one.label: one for one in await changes.labels(task.name)}
    made = await changes.made(task.name)
    rows = [
        {
            "label": name,
            "in_settings": name in task.names,
            "examples": known[name].examples if name in known else 0,
            "corrections": known[name].corrections if name in known else 0,
            "open_requests": known[name].open if name in known else 0,
        }
        for name in (*task.names, *(name for name in known if name not in task.names))
    ]
    history = [{**asdict(one), "at": one.at.isoformat(timespec="seconds")} for one in made]
    learned = await changes.learned()
    if as_json:
        gone = {one.label: one.examples for one in not_asked(tasks, learned)}
        row = {"task": task.name, "labels": rows, "changes": history, "questions_not_in_settings": gone}
        print(json_line(row), file=out)
        return
    cells = [[_cell(cell) for cell in row.values()] for row in rows]
    table(f"labels of {task.name}", ("label", "in the settings", "examples", "corrections", "open requests"), cells)
    if made:
        done = [(one.at.isoformat(timespec="minutes"), one.kind.value, one.before, one.after, one.by) for one in made]
        table("changes", ("at", "what", "from", "to", "by"), done)
    for sentence in unheard(task, known.values(), made):
        say(sentence)
    for sentence in unasked(tasks, learned):
        say(sentence)


async def change_team(
    changes: TeamChanges, task: Task, wanted: TeamChange, dry_run: bool, as_json: bool, out: TextIO
) -> None:
    """Make the change, or only report what it would do. Raises UsageError where it does not fit the settings."""
    touched = await changes.change(task, wanted, partial(_posts, task), now(), dry_run)
    if as_json:
        row = {"task": task.name, "kind": wanted.kind.value, "from": wanted.before, "to": wanted.after}
        print(json.dumps(row | {"dry_run": dry_run} | asdict(touched)), file=out)
    if touched.nothing:
        say(_nothing(wanted))
        return
    counts = [(name, count) for name, count in asdict(touched).items() if count]
    moved = ", ".join(f"{count} {name if count != 1 else name[:-1]}" for name, count in counts)
    if dry_run:
        say(f"{wanted.before} would be {_DONE[wanted.kind]} {wanted.after}: {moved}; nothing was changed")
        return
    say(f"{wanted.before} is {_DONE[wanted.kind]} {wanted.after}: {moved}")
    say("start the bot again if it runs, so that it reads the settings")


def _nothing(wanted: TeamChange) -> str:
    if wanted.kind is Kind.SPLIT:
        of = (
            "the text is no example"
            if len(wanted.texts) == 1
            else f"none of the {len(wanted.texts)} texts is an example"
        )
        return f"{of} of {wanted.before}; nothing was changed"
    return f"nothing of {wanted.before} is left to change"


def _cell(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def author(by: str | None) -> str:
    """The author of a change, for the record: as given, or else the logged-in user."""
    try:
        return by or getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "command"


def texts_to_split(path: Path, task: Task, label: str) -> tuple[str, ...]:
    """The texts of a file, or those with this label if it has labels. Raises UsageError where there are none."""
    data = read_whole(path)
    try:
        labelled = read_examples(data, task, now(), ReadOptions())
    except UsageError:
        texts = _unlabelled(path, data, task)
    else:
        if labelled.bad:
            raise UsageError(f"{path}: {labelled.bad[0]}; mend it, nothing was changed")
        texts = [example.text for _, example in labelled.examples if example.label == label]
    if not texts:
        raise UsageError(f"{path} has no text for {label}; a line each, with the label {label} or with none")
    return tuple(texts)


def _unlabelled(path: Path, data: bytes, task: Task) -> Sequence[str]:
    """The texts of a file without labels. Raises UsageError where it is no file of texts."""
    try:
        return [one.text for one in read_texts(data, task, ReadOptions())[0] if isinstance(one, Text)]
    except UsageError as error:
        read = str(error).partition("; name it: --text")[0]  # this command has no such flag
        raise UsageError(f"{path}: {read}; call the column with the texts so, in the first line: text") from error


def _posts(task: Task, pending: PendingReactions, decision: Decision) -> list[Post]:
    return compose.judged(task, pending, decision, CardState(), now())
