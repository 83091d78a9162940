"""What a log line looks like, and what never gets into one."""

import logging

import pytest

from bot.logs import write_logs


@pytest.fixture(autouse=True)
def _restored() -> object:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before[0], before[1]


def test_facts_follow_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    write_logs("INFO")
    logging.getLogger("bot.flow").info("sorted", extra={"conversation": 7, "label": "billing"})
    assert "INFO bot.flow sorted conversation=7 label='billing'" in capsys.readouterr().err


@pytest.mark.parametrize("library", ["httpx", "telegram.ext", "slack_sdk.web", "uvicorn.error"])
def test_libraries_that_log_tokens_are_silent(library: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_logs("DEBUG")
    logging.getLogger(library).info("POST https://api.telegram.org/bot123:secret/getMe")
    assert capsys.readouterr().err == ""
