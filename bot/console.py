"""What people see in a terminal: always on stderr, so that stdout stays machine-readable."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bot.terminal_signs import harmless

console = Console(stderr=True, highlight=False, emoji=False)
_NO_EDGE = 10_000
"""Columns where the output is no terminal: a piped command stays on one line, to be copied whole."""
Counting = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
"""Shows progress to somebody, as `counting` does."""


def say(sentence: str) -> None:
    """Print one line for the person at the terminal, without line breaks of ours, so that it can be copied whole."""
    console.print(harmless(sentence), markup=False, soft_wrap=True)


def said_once() -> Callable[[float, str], None]:
    """A progress callback for something slow: it prints each thing that is being done once."""
    said: set[str] = set()

    def tell(_share: float, doing: str) -> None:
        what = doing.partition(" (")[0]
        if what not in said:
            said.add(what)
            say(f"{what} …")

    return tell


def agreed(question: str) -> bool:
    """Whether the person at the terminal says yes; no, if nobody is there to ask."""
    try:
        return console.input(f"{question} [y/N] ", markup=False).strip().lower() in {"y", "yes"}
    except EOFError:
        say("")
        return False


@contextmanager
def counting(doing: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar over countable work; call it with how many more are done. `total` None: unknown."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(doing, total=total)

        def advance(more: int) -> None:
            row = progress.tasks[0]
            done = row.completed + more
            # More work may have come meanwhile: "6 of 3" helps nobody
            progress.update(task, completed=done, total=None if row.total is None else max(row.total, done))

        yield advance


@contextmanager
def share_of(doing: str) -> Iterator[Callable[[float, str], None]]:
    """A bar over one long piece of work; call it with the share done (0..1) and what is being done."""
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task(doing, total=1.0)
        yield lambda share, now: progress.update(task, completed=share, description=now)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table under its title; without rows only that there are none."""
    if not rows:
        say(f"{title}: none")
        return
    say(title)
    drawn = Table()
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(harmless(cell)) for cell in row))
    if not console.is_terminal:
        console.width = _NO_EDGE
    console.print(drawn)
