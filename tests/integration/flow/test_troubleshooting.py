"""The page of symptoms: its commands run, their output is what the page says, and every quoted sentence exists."""

import asyncio
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.domain.failures import Failure, ItemKey
from tests.acceptance.processes import REPOSITORY
from tests.said_sentences import is_said
from tests.worlds.story import Story

PAGE = (REPOSITORY / "docs" / "troubleshooting.md").read_text("utf-8")
QUOTED = re.findall(r"^> (.+)$", PAGE, re.MULTILINE)
COMMANDS = sorted(
    {line for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) for line in block.splitlines()}
)
_NEEDS = re.compile(r"curl|switchboard check( --live)?$|switchboard train")
"""Commands that are not ours, wait for people, or load the model."""
NOWHERE = "http://127.0.0.1:9"
SETTINGS = """
[database]
url = "{database}"
[model]
server = "{nowhere}"
[platforms.slack]
[platforms.telegram]
[platforms.web]
[tasks.routing]
question = "Which team should handle this message?"
[tasks.routing.labels.billing]
means = "Invoices, refunds"
emoji = {{ web = "💰" }}
deliver_to = {{ web = "billing" }}
[tasks.routing.labels.it]
means = "Computers"
emoji = {{ web = "💻" }}
deliver_to = {{ web = "it" }}
[tasks.routing.labels.triage]
means = "Anything else"
emoji = {{ web = "🧭" }}
deliver_to = {{ web = "triage" }}
"""


@pytest.mark.parametrize("quotation", QUOTED)
def test_a_quoted_sentence_is_one_that_the_program_can_say(quotation: str) -> None:
    assert is_said(quotation)


def test_a_sentence_that_nobody_says_is_found_out() -> None:
    assert len(QUOTED) > 40
    assert not is_said("the disk is … full of beans")
    assert not is_said("…")


@dataclass(frozen=True)
class Said:
    """A command's exit code, its output for programs, and its output for people."""

    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture
def here(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of three platforms whose services, and whose model, cannot be reached."""
    file = tmp_path / "switchboard.toml"
    file.write_text(SETTINGS.format(database=database_url, nowhere=NOWHERE), "utf-8")
    for name, value in {
        "SWITCHBOARD_CONFIG": str(file),
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_APP_TOKEN": "xapp-1",
        "SLACK_API_BASE_URL": NOWHERE,
        "TELEGRAM_BOT_TOKEN": "123456:ABC",
        "TELEGRAM_API_BASE_URL": f"{NOWHERE}/bot",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return file


async def said(command: str) -> Said:
    program, *words = shlex.split(command)
    assert program == "switchboard"
    done = await asyncio.to_thread(lambda: CliRunner().invoke(cli, words))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Said(done.exit_code, done.stdout, done.stderr)


def _heard(quotation: str, said: str) -> bool:
    """Whether the sentence was output. Raises AssertionError if the page does not quote it."""
    assert quotation in QUOTED
    return re.search(".*".join(map(re.escape, quotation.split("…"))), " ".join(said.split()), re.DOTALL) is not None


async def test_every_command_that_needs_no_model_runs(story: Story, here: Path) -> None:
    ran = {command: (await said(command)).exit_code for command in COMMANDS if not _NEEDS.match(command)}
    assert len(ran) > 12
    works = {command for command, code in ran.items() if code == 0}
    assert set(ran) - works == {
        "switchboard check slack",  # Slack and Telegram cannot be reached
        "switchboard check telegram",
        "switchboard data",  # there is nothing to learn from
        "switchboard rollback",  # and no earlier adapter
        "switchboard why slack C0123ABCD 1717171717.000200",
    }
    assert ran["switchboard data"] == 1


@pytest.mark.slow
async def test_the_commands_that_load_the_model_run(story: Story, here: Path) -> None:
    checked = await said("switchboard check")
    assert checked.exit_code == 1
    assert "✗ slack: Slack answers" in checked.stderr and "✗ model: the model answers" in checked.stderr
    trained = await said("switchboard train --yes")
    assert trained.exit_code == 2
    assert _heard(
        "nothing to learn from: fewer than … examples of …; add some with `switchboard import`, or correct some "
        "decisions",
        trained.stderr,
    )


async def test_what_was_set_aside_is_listed_and_tried_again(story: Story, here: Path) -> None:
    broken = Failure(ItemKey("deliver", "17"), "ValueError: a post of no known kind", final=True)
    assert await story.failures.failed(broken, story.now())
    listed = await said("switchboard failed list --json")
    assert "a post of no known kind" in listed.stdout
    assert (await said("switchboard failed retry --all")).exit_code == 0
    assert (await said("switchboard failed list")).stderr.strip() == "nothing is set aside"


async def test_a_message_that_never_came_is_told_apart_from_one_that_was_heard(story: Story, here: Path) -> None:
    never = await said("switchboard why web customer nothing")
    assert _heard("nobody heard such a message; it was not said to the bot", never.stderr)
    ref = await story.writes("I was charged twice", "m1")
    await story.settles()
    heard = await said(f"switchboard why web {ref.chat} {ref.id}")
    assert (heard.exit_code, "billing" in heard.stdout) == (0, True)


async def test_a_missing_token_and_a_database_that_is_away_are_said(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    away = await said("switchboard migrate")
    assert (away.exit_code, _heard("…; start it, or mend host and port in …", away.stderr)) == (1, True), away.stderr
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    missing = await said("switchboard check")
    assert missing.exit_code == 2
    assert _heard("platforms.slack: … is not set in the environment; it is …", missing.stderr)
