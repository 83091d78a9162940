"""How we log: one line a fact on stderr, `message key=value …` for people or a JSON object for programs."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum

from bot.domain.errors import UsageError
from bot.json_lines import json_line
from bot.terminal_signs import harmless

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_OURS = ("bot", "db", "inference")
"""A platform made by somebody else is included if it logs as `bot.platforms.NAME`."""


_workspace: ContextVar[str] = ContextVar("workspace", default="")
"""The workspace whose work is being done; empty: the one without a name."""


@contextmanager
def logged_for(workspace: str) -> Iterator[None]:
    """Mark what is logged in this context, also by tasks that start in it, as the workspace's."""
    before = _workspace.set(workspace)
    try:
        yield
    finally:
        _workspace.reset(before)


def current_workspace() -> str:
    """The workspace whose work is being done; empty: the one without a name."""
    return _workspace.get()


class LogFormat(StrEnum):
    """The form of a line."""

    TEXT = "text"
    JSON = "json"


class _Facts(logging.Formatter):
    """Appends what was passed as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        facts = [f"{key}={value!r}" for key, value in _extra(record).items()]
        return harmless(" ".join([super().format(record), *facts]))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        """The first line: a message with line ends, as of a library, is none that looks like several."""
        return super().formatMessage(record).replace("\n", "\\n")


class _Json(logging.Formatter):
    """One object a line: `at` (UTC, ISO 8601), `level`, `logger`, `message`, and each `extra` by its name.

    An extra fact with one of these names gets an underscore behind it. An error's traceback is `traceback`.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        for key, value in _extra(record).items():
            line[f"{key}_" if key in line else key] = value
        return json_line(line, default=str)


def log_settings(environment: Mapping[str, str]) -> tuple[str, LogFormat]:
    """Level and form, from SWITCHBOARD_LOG and SWITCHBOARD_LOG_FORMAT. Raises UsageError naming the choices."""
    level = environment.get("SWITCHBOARD_LOG", "") or "WARNING"
    form = environment.get("SWITCHBOARD_LOG_FORMAT", "") or LogFormat.TEXT
    if level.upper() not in _LEVELS:
        raise UsageError(f"SWITCHBOARD_LOG={level}: there is no such level; write one of {', '.join(_LEVELS)}")
    if form.lower() not in list(LogFormat):
        raise UsageError(f"SWITCHBOARD_LOG_FORMAT={form}: write {' or '.join(LogFormat)}")
    return level.upper(), LogFormat(form.lower())


_FORMATTERS = {LogFormat.TEXT: _Facts, LogFormat.JSON: _Json}


def _extra(record: logging.LogRecord) -> dict[str, object]:
    named = {"workspace": _workspace.get()} if _workspace.get() else {}
    return named | {key: value for key, value in record.__dict__.items() if key not in _OWN}


def write_logs(level: str, form: LogFormat = LogFormat.TEXT) -> None:
    """Log to stderr, our own lines from `level` on.

    Libraries log nothing below WARNING: at INFO some write URLs that contain a bot's token.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_FORMATTERS[form]("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    root = logging.getLogger()
    for name in _OURS:
        logging.getLogger(name).setLevel(root.level)
    root.setLevel(max(root.level, logging.WARNING))
