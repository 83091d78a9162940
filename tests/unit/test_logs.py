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
    for name in ("bot", "db", "inference"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def test_facts_follow_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    write_logs("INFO")
    logging.getLogger("bot.flow").info("sorted", extra={"conversation": 7, "label": "billing"})
    assert "INFO bot.flow sorted conversation=7 label='billing'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["bot.flow", "db.engine", "inference.server", "bot.platforms.of_somebody_else"])
def test_our_own_lines_are_written_from_the_level_on(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_logs("INFO")
    logging.getLogger(name).info("said")
    logging.getLogger(name).debug("not said")
    assert [line.split(" ", 2)[2] for line in capsys.readouterr().err.splitlines()] == [f"INFO {name} said"]


def test_nothing_below_the_level_is_written_by_anybody(capsys: pytest.CaptureFixture[str]) -> None:
    write_logs("ERROR")
    logging.getLogger("bot.flow").warning("ours")
    logging.getLogger("httpx").warning("theirs")
    assert capsys.readouterr().err == ""


def test_a_warning_of_a_library_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    write_logs("INFO")
    logging.getLogger("httpx").warning("theirs")
    assert "theirs" in capsys.readouterr().err


@pytest.mark.parametrize("library", ["httpx", "telegram.ext", "slack_sdk.web", "uvicorn.error", "of_another_platform"])
def test_libraries_that_log_tokens_are_silent(library: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_logs("DEBUG")
    logging.getLogger(library).info("POST https://api.telegram.org/bot123:secret/getMe")
    assert capsys.readouterr().err == ""
