"""The format of a log line, and what is never in one."""

import json
import logging

import pytest

from bot.domain.errors import UsageError
from bot.logs import LogFormat, log_settings, logged_for, write_logs


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


def test_a_line_for_programs_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    write_logs("INFO", LogFormat.JSON)
    told = {"conversation": 7, "label": "facturação", "level": "none", "wait": object}
    logging.getLogger("bot.flow").info("sorted\ntwice", extra=told)
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    at = said.pop("at")
    assert said == {
        "level": "INFO",
        "logger": "bot.flow",
        "message": "sorted\ntwice",
        "conversation": 7,
        "label": "facturação",
        "level_": "none",
        "wait": "<class 'object'>",
    }
    assert at.endswith("+00:00")


def test_an_error_for_programs_is_one_line_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    write_logs("INFO", LogFormat.JSON)
    try:
        raise ValueError("odd")
    except ValueError as error:
        logging.getLogger("bot.flow").error("step failed", exc_info=error)
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["traceback"].endswith("ValueError: odd")


@pytest.mark.parametrize(
    ("environment", "read"),
    [
        ({}, ("WARNING", LogFormat.TEXT)),
        ({"SWITCHBOARD_LOG": "", "SWITCHBOARD_LOG_FORMAT": ""}, ("WARNING", LogFormat.TEXT)),
        ({"SWITCHBOARD_LOG": "info", "SWITCHBOARD_LOG_FORMAT": "JSON"}, ("INFO", LogFormat.JSON)),
    ],
)
def test_level_and_form_come_from_the_environment(environment: dict[str, str], read: tuple[str, LogFormat]) -> None:
    assert log_settings(environment) == read


@pytest.mark.parametrize(
    ("environment", "choices"),
    [
        ({"SWITCHBOARD_LOG": "loud"}, "DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ({"SWITCHBOARD_LOG_FORMAT": "xml"}, "text or json"),
    ],
)
def test_a_level_or_form_that_is_none_is_refused_with_the_choices(environment: dict[str, str], choices: str) -> None:
    with pytest.raises(UsageError, match=choices):
        log_settings(environment)


def test_a_line_says_for_which_workspace_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    write_logs("INFO")
    with logged_for("acme"):
        logging.getLogger("bot.flow").info("step failed", extra={"step": "sort"})
    logging.getLogger("bot.flow").info("step failed", extra={"step": "sort"})
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("step failed workspace='acme' step='sort'")
    assert second.endswith("step failed step='sort'")


@pytest.mark.parametrize("form", list(LogFormat))
def test_nothing_in_a_line_commands_a_terminal_or_looks_like_another_line(
    form: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    write_logs("INFO", form)
    said = "GET \x1b[2J\x9b2J\u202e\r\n2026-11-29 ERROR bot forged"
    try:
        raise ValueError("a\x9bb\x1b[2J\u202e")
    except ValueError:
        logging.getLogger("of_a_library").warning(said, extra={"path": said}, exc_info=True)
    written = capsys.readouterr().err
    assert not set(written) & set("\x1b\x9b\u202e\r")
    assert [line for line in written.splitlines() if line.startswith("2026-11-29 ERROR")] == []
    assert "ValueError" in written
