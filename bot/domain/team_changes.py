"""Teams that are renamed, merged, split or retired: which changes fit the settings, and what old names now mean. Pure.

A change is a migration with a row of its own: examples, rulings and open requests follow it; past decisions stay as
they were made.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import Protocol

from bot.domain.conversations import Conversation, PendingReactions
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.errors import UsageError
from bot.domain.learning import Adapter
from bot.domain.plural import counted
from bot.domain.posts import Post
from bot.domain.tasks import Task


class Kind(StrEnum):
    """A kind of change to a team."""

    RENAME = "rename"
    """The team stays the same under another name."""
    MERGE = "merge"
    """It becomes part of another team."""
    SPLIT = "split"
    """A part of its work becomes another team's."""
    RETIRE = "retire"
    """The team ends, and its examples are no longer learned."""


@dataclass(frozen=True, slots=True)
class TeamChange:
    """The wanted change. `after` is the team that gets the examples or, of a retired one, its requests."""

    kind: Kind
    before: str
    after: str
    by: str
    texts: tuple[str, ...] = ()
    """For a split: the texts that become the other team's."""


@dataclass(frozen=True, slots=True)
class Touched:
    """How much a change affected."""

    examples: int = 0
    corrections: int = 0
    """Standing rulings of leads."""
    conversations: int = 0
    """Requests: of a renamed team all, else those that are open."""
    adapters: int = 0
    """Adapters that go on serving under the new name."""
    codes: int = 0

    @property
    def nothing(self) -> bool:
        return not any(asdict(self).values())

    @property
    def no_data(self) -> bool:
        """Whether at most codes were changed, which a name without a team may have, too."""
        return replace(self, codes=0).nothing


@dataclass(frozen=True, slots=True)
class MadeChange:
    """A change that was made."""

    kind: Kind
    before: str
    after: str
    by: str
    at: datetime
    touched: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownLabel:
    """What the database holds about a label."""

    label: str
    examples: int = 0
    """Valid labelled texts, without the settings' own."""
    corrections: int = 0
    """Those of them that leads corrected or people chose."""
    open: int = 0
    """Its requests that are not closed."""


Moves = Callable[[PendingReactions, Decision], Sequence[Post]]
"""The posts that are owed when an open request moves to another team."""


@dataclass(frozen=True, slots=True)
class Teamless:
    """A claimed request that is open although its team was merged or retired: it was opened again since."""

    pending: PendingReactions
    merged: bool
    """Whether its team became part of another; False: it was retired."""
    heir: str
    """The team that its own became part of or, of a retired one, that got its open requests; by its present name."""

    @property
    def conversation(self) -> Conversation:
        return self.pending.conversation


def to_the_heir(task: Task, request: Teamless) -> Decision:
    """The decision that gives the request to the heir, or to the fallback team if the settings have no such team."""
    label = request.heir if request.heir in task.names else task.fallback
    return Decision(task.name, label, Author.FALLBACK, Reason.RETIRED)


class TeamChanges(Protocol):
    """What the database holds about labels, and how it follows a change of the settings."""

    async def labels(self, task: str) -> list[KnownLabel]:
        """Every label that has valid data or that ever got a code, by name."""

    async def learned(self) -> list[KnownLabel]:
        """Every task that has valid data, by name, which stands in place of a label's."""

    async def made(self, task: str) -> list[MadeChange]:
        """Every change ever made, oldest first."""

    async def change(self, task: Task, wanted: TeamChange, moves: Moves, now: datetime, dry_run: bool) -> Touched:
        """Make the change, all or nothing; a repeat changes only what is new since.

        Raises UsageError where the names fit neither the settings nor the database. `dry_run`: nothing is changed.
        """


def check_change(task: Task, wanted: TeamChange) -> None:
    """Raise UsageError, naming the remedy, where the settings do not agree with the change."""
    where, before, after = f"tasks.{task.name}.labels", wanted.before, wanted.after
    if task.part_of:
        raise UsageError(
            f'tasks.{task.part_of}: with choose = "any" each label is a question of its own ({task.name}), and what is '
            "known of it is stored under that name; leave the label's name as it was, and change its title, which is "
            "what people read"
        )
    if before == after and wanted.kind is Kind.RETIRE:
        raise UsageError(
            f"{before} cannot get its own requests: name another team that gets them, `--to TEAM`"
            + (
                f"; tasks.{task.name}.fallback names it, too, and has to name another"
                if before == task.fallback
                else ""
            )
        )
    if before == after:
        raise UsageError(f"{before} is already called {before}; name two teams")
    if after not in task.names:
        raise UsageError(
            f"{where}: the settings have no {after!r}; put it there first, then run this again "
            f"(they have {', '.join(task.names)})"
        )
    if wanted.kind is Kind.SPLIT:
        if before not in task.names:
            raise UsageError(
                f"{where}: the settings have no {before!r} to split; leave both teams in them, or "
                f"`switchboard teams merge {before} {after}`"
            )
    elif before in task.names:
        mend = f"rename it to {after!r} there" if wanted.kind is Kind.RENAME else "take it out there"
        raise UsageError(f"{where}.{before}: the settings still have this team; {mend} first, then run this again")


def check_known(wanted: TeamChange, known: Iterable[KnownLabel], made: Sequence[MadeChange]) -> None:
    """Raise UsageError for a team that the database never had, so that a misspelt name does not count as done."""
    names = {one.label for one in known}
    if wanted.before not in names and all(wanted.before not in (one.before, one.after) for one in made):
        choices = ", ".join(sorted(names)) or "nothing"
        raise UsageError(f"nothing in the database is called {wanted.before!r}; it knows {choices}")


def is_done(wanted: TeamChange, made: Sequence[MadeChange]) -> bool:
    """Whether the newest change of either name is this very one, so that codes and adapters followed already."""
    about = [one for one in made if {one.before, one.after} & {wanted.before, wanted.after}]
    return bool(about) and (about[-1].kind, about[-1].before, about[-1].after) == (
        wanted.kind,
        wanted.before,
        wanted.after,
    )


def renaming_of(before: str, made: Sequence[MadeChange]) -> MadeChange | None:
    """The renaming by which a team gave up this name, unless a team got the name again by another change."""
    about = [one for one in made if before in (one.before, one.after) and one.kind is not Kind.SPLIT]
    return about[-1] if about and about[-1].before == before and about[-1].kind is Kind.RENAME else None


def check_left(wanted: TeamChange, renaming: MadeChange) -> None:
    """Raise UsageError: the team has another name, and nothing came up under the old one since.

    With a row of its own the change would count as the newest of that name, and the renaming, once more, would
    exchange the codes of both names again.
    """
    raise UsageError(
        f"{wanted.before} was renamed to {renaming.after} on {renaming.at:%Y-%m-%d}, and nothing is called so since; "
        f"name {renaming.after}, or what that is called by now"
    )


@dataclass(frozen=True, slots=True)
class FormerNames:
    """What a name of the past is called now. It depends on when it was written: a name may be given again later."""

    rows: tuple["FormerName", ...] = ()
    """Oldest first."""

    def now(self, label: str, at: datetime) -> str:
        """The present name of the team that was called so at that moment; a retired one keeps its name."""
        return next((row.now for row in self.rows if row.name == label and at <= row.until), label)

    def renamed_since(self, at: datetime) -> Mapping[str, str]:
        """Former -> present name of each team that was renamed, and not merged, as the next thing after that moment."""
        following = {row.name: row for row in reversed(self.rows) if at <= row.until}
        return {name: row.now for name, row in following.items() if not row.merged}

    @property
    def of_merges(self) -> "FormerNames":
        """For what every renaming changes, too, and no merge does: the teams of closed requests."""
        return FormerNames(tuple(row for row in self.rows if row.merged))


@dataclass(frozen=True, slots=True)
class FormerName:
    """A name that a team had."""

    name: str
    until: datetime
    now: str
    merged: bool
    """Whether the team gave the name up by becoming part of another."""


def former_names(made: Iterable[tuple[Kind, str, str, datetime]]) -> FormerNames:
    """The former names, from (kind, before, after, when) of changes, oldest first."""
    rows: list[FormerName] = []
    for kind, before, after, at in made:
        if kind in (Kind.RENAME, Kind.MERGE):
            rows = [replace(row, now=after) if row.now == before else row for row in rows]
            rows.append(FormerName(before, at, after, kind is Kind.MERGE))
    return FormerNames(tuple(rows))


def renamed(adapter: Adapter, names: Mapping[str, str]) -> Adapter:
    """The adapter under its teams' present names: the same tokens, and what it proved, belong to the same teams."""
    new = {label: now for label, now in names.items() if label in adapter.codes and now not in adapter.codes}
    if not new:
        return adapter
    codes = {new.get(label, label): code for label, code in adapter.codes.items()}
    proved = adapter.mixture.proved
    if proved is not None:
        rows = tuple((new.get(row[0], row[0]), *row[1:]) for row in proved.rows)
        proved = replace(proved, rows=rows)
    return replace(adapter, codes=codes, mixture=replace(adapter.mixture, proved=proved))


def unheard(task: Task, known: Iterable[KnownLabel], made: Sequence[MadeChange] = ()) -> list[str]:
    """A sentence for each label of the database that the settings do not have: its data is not used.

    Of one that a change ended, it came from a bot that still ran with the settings of before: the change is to be made
    once more.
    """
    found = list(known)
    gone = [one for one in found if one.label not in task.names and (one.examples or one.open)]
    new = [name for name in task.names if all(one.label != name for one in found)]
    return [
        f"{_counted(one)} of {one.label!r} are heard by nobody: tasks.{task.name}.labels has no such team; "
        f"{_again(task, one, made) or _guess(task, one, new)}"
        for one in gone
    ]


def _counted(one: KnownLabel) -> str:
    parts = [(one.corrections, "correction"), (one.examples - one.corrections, "example"), (one.open, "request")]
    return " and ".join(counted(count, name) for count, name in parts if count)


def _again(task: Task, one: KnownLabel, made: Sequence[MadeChange]) -> str:
    """The command that ended the label, to be run once more; empty if none did, or it would lead nowhere by now."""
    ends = [change for change in made if change.before == one.label and change.kind is not Kind.SPLIT]
    if not ends:
        return ""
    last, names = ends[-1], former_names([(change.kind, change.before, change.after, change.at) for change in made])
    after = names.now(last.after, last.at)
    if after not in task.names:
        return ""
    kind = Kind.MERGE if last.kind is Kind.RENAME and after != last.after else last.kind
    target = f"--to {after}" if kind is Kind.RETIRE else after
    return f"as on {last.at:%Y-%m-%d}: switchboard teams {kind} {one.label} {target}{_of(task)}"


def _guess(task: Task, one: KnownLabel, new: Sequence[str]) -> str:
    likely = _likely(one.label, task, new)
    return f"switchboard teams rename {one.label} {likely}{_of(task)} (or merge, or retire)"


def not_asked(tasks: Sequence[Task], learned: Iterable[KnownLabel]) -> list[KnownLabel]:
    """The questions of the database that the settings do not ask: their data is not used.

    With `choose = "any"` a label is such a question, and under another name it is another one.
    """
    asked = {task.name for task in tasks}
    return [one for one in learned if one.label not in asked]


def unasked(tasks: Sequence[Task], learned: Iterable[KnownLabel]) -> list[str]:
    """A sentence for each question that is not asked, with what to do."""
    return [_unasked(one, {task.part_of for task in tasks}) for one in not_asked(tasks, learned)]


def _unasked(one: KnownLabel, several: Collection[str]) -> str:
    question, _, label = one.label.partition(".")
    mend = (
        f"call the label {label} again under tasks.{question}.labels, and change its title, which is what people read"
        if question in several
        else f"call it {one.label} again where it goes on under another name"
    )
    return (
        f"{_counted(one)} of the question {one.label!r} are heard by nobody: the settings ask none of that name; {mend}"
    )


def _of(task: Task) -> str:
    return "" if task.routes else f" --task {task.name}"


def _likely(label: str, task: Task, new: Sequence[str]) -> str:
    """The name it was probably given: one that the database does not have yet, the most similar first."""
    near = get_close_matches(label, new, 1, 0.5) or get_close_matches(label, task.names, 1, 0.75)
    return near[0] if near else (new[0] if len(new) == 1 else "NEW")
