"""Altered settings and folders of trainings: read, or refused with a message that says what to change; no crash."""

import json
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo import company
from bot.domain.errors import ConfigError
from bot.settings import _Reader
from inference.run_folder import TEXTS, finished, read_parts, read_run
from tests.unit.fuzzing.shapes import VALUES, bent

SETTINGS: Mapping[str, object] = tomllib.loads(company.SETTINGS.read_text("utf-8")) | {
    "database": {"url": "embedded", "directory": "var/postgres"},
    "retention": {"logs_days": 30},
    "platforms": {
        "web": {"networks": ["127.0.0.0/8"]},
        "slack": {"intake": ["C1"], "leads": ["U1"]},
        "telegram": {"leads": [7], "mode": "polling"},
    },
    "rules": [{"name": "spam", "when": {"any": ["viagra"]}, "then": {"label": "billing"}}],
    "webhooks": [{"name": "desk", "url": "https://desk.example", "events": ["decided"]}],
}
TOKENS = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "TELEGRAM_BOT_TOKEN": "1:a"}


@given(bent(SETTINGS), st.booleans())
def test_settings(document: dict[str, object], demanding: bool) -> None:
    reader = _Reader(Path("switchboard.toml"), TOKENS, Path("/tmp"))  # noqa: S108  nothing is opened
    with suppress(ConfigError):
        reader.settings(document, demanding)


DONE: Mapping[str, object] = {"inputs": "0" * 64, "sha256": "0" * 64}
TASK: Mapping[str, object] = {
    "base": "/base",
    "name": "routing",
    "question": "Which?",
    "fallback": "it",
    "labels": [{"name": "it", "means": "x", "examples": ["y"]}, {"name": "hr", "means": "x", "examples": []}],
    "codes": {"it": "A", "hr": "B"},
}
ROW: Mapping[str, object] = {
    "text": "hello",
    "label": "it",
    "source": "import",
    "side": "train",
    "at": "2026-11-23T12:00:00+00:00",
    "conversation": 7,
    "place": 0,
    "steers": False,
}


@given(st.data())
def test_a_trainings_folder(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = _folder(tmp_path_factory)
    for name, shape in (("task.json", TASK), ("done.json", DONE)):
        (folder / name).write_text(json.dumps(data.draw(bent(shape) | VALUES)), "utf-8")
    rows = data.draw(st.lists(bent(ROW) | VALUES, max_size=3))
    (folder / TEXTS).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert finished(folder) is None
    for read in (read_run, read_parts):
        try:
            read(folder)
        except (OSError, ValueError):
            continue


def _folder(factory: pytest.TempPathFactory) -> Path:
    folder = factory.getbasetemp() / "fuzzed-run"
    folder.mkdir(exist_ok=True)
    return folder
