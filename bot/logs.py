"""How we log: one line a fact, `message key=value …`, on stderr."""

import logging

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_TALKATIVE = (
    "httpx",
    "httpcore",
    "telegram",
    "slack_bolt",
    "slack_sdk",
    "apscheduler",
    "alembic",
    "sentence_transformers",
    "uvicorn",
)


class _Facts(logging.Formatter):
    """Appends what was passed as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        facts = [f"{key}={value!r}" for key, value in record.__dict__.items() if key not in _OWN]
        return " ".join([super().format(record), *facts])


def write_logs(level: str) -> None:
    """Log to stderr from `level` on. Libraries stay at WARNING: at INFO some write URLs that hold a bot's token."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Facts("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
