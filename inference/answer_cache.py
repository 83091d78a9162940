"""Answers that a comparison got, on disk by the digest of the question: digests, labels and counts, no text."""

import json
import os
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.domain import own_answers, prompted
from bot.domain.errors import UsageError
from bot.domain.own_answers import OwnAnswer
from bot.domain.prompted import Fault, Told

_TABLE = "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, told TEXT NOT NULL) WITHOUT ROWID"


class SqliteAnswerCache:
    """One SQLite file that only its owner may read. Several processes may share it."""

    def __init__(self, file: Path) -> None:
        """Raises UsageError if the file cannot be opened."""
        self._file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite's journals get the same permissions
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
        """See `prompted.AnswerCache`. An answer that cannot be read is asked for again."""
        row = self.row(key)
        if row is None:
            return None
        try:
            label, probabilities, tokens_in, tokens_out, milliseconds, fault, shots = json.loads(row)
            known = Fault[fault] if fault else None
        except (ValueError, KeyError, TypeError):
            return None
        return Told(label, probabilities, tokens_in, tokens_out, milliseconds, known, shots)

    def keep(self, key: str, told: Told) -> None:
        """See `prompted.AnswerCache`."""
        fault = told.fault.name if told.fault else ""
        counts = told.tokens_in, told.tokens_out, told.milliseconds
        said = [told.label, dict(told.probabilities), *counts, fault, told.shots]
        self.write(key, json.dumps(said))

    def row(self, key: str) -> str | None:
        """What is stored under that digest."""
        found = self._run("SELECT told FROM answers WHERE key = ?", key).fetchone()
        return None if found is None else str(found[0])

    def write(self, key: str, said: str) -> None:
        self._run("INSERT OR REPLACE INTO answers VALUES (?, ?)", key, said)

    def _run(self, statement: str, *values: str) -> sqlite3.Cursor:
        """Raises UsageError: an answer that cannot be stored would be paid for again."""
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise UsageError(f"{self._file} cannot be used ({error}); see that its disk has room") from error


class SqliteOwnAnswers:
    """Answers of what serves here, in the same file."""

    def __init__(self, cache: SqliteAnswerCache) -> None:
        self._cache = cache

    def known(self, key: str) -> OwnAnswer | None:
        """See `own_answers.OwnAnswers`. An answer that cannot be read is asked for again."""
        row = self._cache.row(key)
        if row is None:
            return None
        try:
            label, probabilities, asks, language, heard = json.loads(row)
            return OwnAnswer(label, probabilities, asks, language, {voice: (said, p) for voice, said, p in heard})
        except (ValueError, TypeError):
            return None

    def keep(self, key: str, answer: OwnAnswer) -> None:
        """See `own_answers.OwnAnswers`."""
        heard = [[voice, said, p] for voice, (said, p) in answer.heard.items()]
        whole = [answer.label, dict(answer.probabilities), answer.asks, answer.language, heard]
        self._cache.write(key, json.dumps(whole))


_: tuple[type[prompted.AnswerCache], type[own_answers.OwnAnswers]] = (SqliteAnswerCache, SqliteOwnAnswers)
