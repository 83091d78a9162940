"""How we log: one line a fact, `message key=value …`, on stderr."""

import logging

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_OURS = ("bot", "db", "inference")
"""A platform made by somebody else is heard, too, when it logs as `bot.platforms.NAME`."""


class _Facts(logging.Formatter):
    """Appends what was passed as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        facts = [f"{key}={value!r}" for key, value in record.__dict__.items() if key not in _OWN]
        return " ".join([super().format(record), *facts])


def write_logs(level: str) -> None:
    """Log to stderr, our own lines from `level` on.

    Libraries say nothing below WARNING, whichever they are: at INFO some write URLs that hold a bot's token.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_Facts("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    root = logging.getLogger()
    for name in _OURS:
        logging.getLogger(name).setLevel(root.level)
    root.setLevel(max(root.level, logging.WARNING))
