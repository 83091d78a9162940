"""Answers of prompted models on disk, by the digest of what was asked: digests, labels and counts, no text."""

import json
import os
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.domain import prompted
from bot.domain.errors import UsageError
from bot.domain.prompted import Fault, Told

_TABLE = "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, told TEXT NOT NULL) WITHOUT ROWID"


class SqliteAnswerCache:
    """One SQLite file that its owner alone may read. Several processes may share it."""

    def __init__(self, file: Path) -> None:
        """Raises UsageError where it cannot be opened."""
        self._file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite's journals get the same rights
            file.chmod(0o600)
            self._connection = sqlite3.connect(file, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")  # outlives us; the disk need not have each at once
            self._connection.execute(_TABLE)
        except (OSError, sqlite3.Error) as error:
            raise UsageError(f"{file} cannot be used ({error}); without it everything is asked again") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def known(self, key: str) -> Told | None:
        """See `prompted.AnswerCache`. What cannot be read is asked again."""
        row = self._run("SELECT told FROM answers WHERE key = ?", key).fetchone()
        if row is None:
            return None
        try:
            label, probabilities, tokens_in, tokens_out, milliseconds, fault, shots = json.loads(row[0])
            known = Fault[fault] if fault else None
        except (ValueError, KeyError, TypeError):
            return None
        return Told(label, probabilities, tokens_in, tokens_out, milliseconds, known, shots)

    def keep(self, key: str, told: Told) -> None:
        """See `prompted.AnswerCache`."""
        fault = told.fault.name if told.fault else ""
        counts = told.tokens_in, told.tokens_out, told.milliseconds
        said = [told.label, dict(told.probabilities), *counts, fault, told.shots]
        self._run("INSERT OR REPLACE INTO answers VALUES (?, ?)", key, json.dumps(said))

    def _run(self, statement: str, *values: str) -> sqlite3.Cursor:
        """Raises UsageError: an answer that cannot be kept would be paid for again."""
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise UsageError(f"{self._file} cannot be used ({error}); see that its disk has room") from error


_: type[prompted.AnswerCache] = SqliteAnswerCache
