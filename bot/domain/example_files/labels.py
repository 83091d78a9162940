"""Labels as files write them: recognised if only one can be meant, else shown with invisible characters visible."""

import difflib
import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from bot.domain.errors import UsageError
from bot.domain.plural import counted
from bot.domain.tasks import Task

_LONG = 60
_BETWEEN = re.compile(r"[\s_\-‐-―]+")


class LabelReader:
    """Reads a task's labels as a file writes them, and remembers which spelling it took for which label."""

    def __init__(self, task: Task, mapped: Mapping[str, str] | None = None) -> None:
        """`mapped`: the file's spelling -> label. Raises UsageError if that names no label."""
        self._names = task.names
        self._meant: dict[str, set[str]] = {}
        for label in task.labels:
            for written in (label.name, label.title):
                if _folded(written):
                    self._meant.setdefault(_folded(written), set()).add(label.name)
        self._mapped: dict[str, str] = {}
        for theirs, ours in (mapped or {}).items():
            name = self._ours(ours)
            if name is None:
                raise UsageError(f'--map "{theirs}={ours}": {self.why_not(ours)}')
            self._mapped[_folded(theirs)] = name
        self._unused = {_folded(theirs): theirs for theirs in mapped or {}}
        self._read: Counter[tuple[str, str]] = Counter()

    def recognises(self, written: str) -> bool:
        """Whether `read` would return a label; remembers nothing."""
        return self._found(written) is not None

    def read(self, written: str) -> str | None:
        """The label's name; None if none, or more than one, can be meant."""
        name = self._found(written)
        self._unused.pop(_folded(written), None)
        if name is not None and name != written:
            self._read[written, name] += 1
        return name

    def why_not(self, written: str) -> str:
        """Why `read` returns None, with invisible characters made visible."""
        candidates = sorted(self._meant.get(_folded(written), ()))
        if len(candidates) > 1:
            return f"label {written!r} may be {' or '.join(candidates)}"
        near = difflib.get_close_matches(_folded(written), self._meant, 1, 0.75)
        hint = f'; did you mean {next(iter(self._meant[near[0]]))}? --map "OLD=NEW" says so' if near else ""
        shown = _visible(written if len(written) <= _LONG else f"{written[:_LONG]}…", self._names if near else ())
        return f"unknown label {shown}; labels are {', '.join(self._names)}{hint}"

    @property
    def said(self) -> list[str]:
        """A sentence for each spelling that differs from its label's name."""
        return [
            f"label {_visible(written)} is read as {name} ({counted(count, 'row')})"
            for (written, name), count in self._read.most_common()
        ] + [f"no row has the label {_visible(theirs)} that --map names" for theirs in self._unused.values()]

    def _found(self, written: str) -> str | None:
        return self._mapped.get(_folded(written)) or self._ours(written)

    def _ours(self, written: str) -> str | None:
        if written in self._names:
            return written
        candidates = self._meant.get(_folded(written), set())
        return next(iter(candidates)) if len(candidates) == 1 else None


@lru_cache(maxsize=1_000)  # a file has many rows of few labels
def _folded(written: str) -> str:
    """Equal for spellings that people take for the same: case, escapes, forms of accents, spaces, invisible signs."""
    plain = unicodedata.normalize("NFKC", html.unescape(written))
    seen = "".join(sign for sign in plain if unicodedata.category(sign) not in ("Cf", "Cc") or sign in "\t\n")
    return _BETWEEN.sub(" ", seen.casefold()).strip(" .:;,'\"")


def _visible(written: str, names: Iterable[str] = ()) -> str:
    """In quotes, with invisible characters as \\uXXXX; if a label looks alike, with its foreign letters so, too."""
    usual = {sign for name in names for sign in name}

    def shown(sign: str) -> str:
        hidden = unicodedata.category(sign)[0] in "CZM" and sign != " "
        foreign = bool(usual) and not sign.isascii() and sign not in usual
        return sign.encode("unicode_escape").decode() if hidden or foreign else sign

    return "'" + "".join(map(shown, written)) + "'"
