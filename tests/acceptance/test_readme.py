"""The handbook's commands work: every line of every shell block is known here, otherwise this test fails."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup
from typer.testing import CliRunner

from bot.cli import cli
from bot.demo import company
from bot.settings import load
from tests.acceptance.processes import REPOSITORY

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("**/*.md"))]
_BLOCK = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SETTINGS = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)
SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "SLACK_SIGNING_SECRET": "s",
    "TELEGRAM_BOT_TOKEN": "123456:ABC",
    "TELEGRAM_WEBHOOK_SECRET": "secret",
}
RECIPES = {
    "demo": "switchboard demo",
    "test": "-m pytest",
    "test-all": "-m pytest",
    "check": "mypy",
    "chaos": "-m benchmarks.chaos",
}
"""What each target expands to. The commands are this project's own tests: `make test` is running this one."""
_FILE = re.compile(r"\.(jsonl|csv|toml|backup)$")
ELSEWHERE = (
    "git",
    "export",
    "cd",
    "chmod",
    "curl",
    "kubectl",
    "openssl",
    "podman",
    "systemctl",
    "docker",
    "pip",
    "python3",
    "useradd",
    "mkdir",
    "cp",
    "journalctl",
)
"""What depends on the reader's machine, not on us."""


def _lines() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text("utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                command = line.partition(" #")[0].strip().removeprefix("$ ")
                if command and not command.startswith("#"):
                    yield page.name, command


COMMANDS = sorted(set(_lines()))


def test_the_readme_has_its_two_commands() -> None:
    assert {"make demo", "make test"} <= {command for page, command in COMMANDS if page == "README.md"}


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_a_documented_command_is_one_we_have(page: str, command: str, tmp_path: Path) -> None:
    words = shlex.split(command)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        del words[0]
    match words:
        case ["make", *targets]:
            _make([target for target in targets if "=" not in target])
        case [program, *arguments] if program.rpartition("/")[2] == "switchboard":
            _switchboard(arguments, tmp_path)
        case ["python" | ".venv/bin/python", "-m", module, *_] if module.split(".")[0] in {"benchmarks", "bot", "db"}:
            file = REPOSITORY.joinpath(*module.split("."))
            assert file.with_suffix(".py").is_file() or file.joinpath("__main__.py").is_file(), f"no module {module}"
        case ["python" | ".venv/bin/python", "-m", "pytest", *paths]:
            _exist(path for path in paths if path.startswith("tests"))
        case [program, *_] if program in ELSEWHERE:
            pass
        case _:
            pytest.fail(f"{page} tells people to run {command!r}, which no test knows")


def test_the_settings_that_the_handbook_shows_are_settings(tmp_path: Path) -> None:
    [shown] = _SETTINGS.findall((REPOSITORY / "docs" / "running.md").read_text("utf-8"))
    file = tmp_path / "switchboard.toml"
    file.write_text(shown, "utf-8")
    billing = load(file, SECRETS).routing.label("billing")
    assert (billing.shown, billing.hours is None, billing.leads) == (
        "Billing",
        False,
        {"slack": frozenset({"U0LEAD2"})},
    )


@pytest.mark.parametrize(
    "arguments", [words for _, c in COMMANDS if (words := shlex.split(c))[:2] == ["switchboard", "init"]]
)
def test_beginning_as_the_handbook_says_gives_settings_that_load(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWITCHBOARD_CONFIG", raising=False)
    done = CliRunner().invoke(cli, arguments[1:])
    assert (done.exit_code, done.stdout) == (0, ""), done.stderr
    settings = load(tmp_path / "switchboard.toml", SECRETS)
    assert set(settings.platforms) == {w for w in arguments[2:] if not w.startswith("-")} or {"slack", "telegram"}
    assert (tmp_path / "slack-manifest.yaml").exists() == ("slack" in settings.platforms)


def test_leads_are_told_the_emoji_that_count() -> None:
    page = (REPOSITORY / "docs" / "leads.md").read_text("utf-8")
    vocabulary = load(company.SETTINGS, {}).vocabulary
    for act in (vocabulary.take, vocabulary.done, vocabulary.wrong, vocabulary.send):
        assert f"`:{act['slack']}:`" in page and act["telegram"] in page and act["web"] in page
    assert f"`{vocabulary.send_prefix}`" in page


def _make(targets: list[str]) -> None:
    for target in targets:
        # `-n` prints what would be done; `-o` assumes that the environment exists, which is true: the test runs in it
        done = subprocess.run(
            ["make", "-n", "-o", ".venv/ready", target], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert RECIPES.get(target, "") in done.stdout


def _switchboard(arguments: list[str], folder: Path) -> None:
    """Parse the line as the program does: it must accept every command, option and file name."""
    group = typer.main.get_command(cli)
    assert isinstance(group, TyperGroup)
    for word in arguments:
        if _FILE.search(word):
            folder.joinpath(Path(word).name).touch()
    here = [str(folder / Path(word).name) if _FILE.search(word) else word for word in arguments]
    if not here or here[0].startswith("-"):
        return
    command = group.get_command(group.make_context("switchboard", [here[0]]), here[0])
    assert command is not None, f"there is no command {here[0]}"
    if "--help" not in here:
        command.make_context(here[0], here[1:])


def _exist(paths: Iterator[str]) -> None:
    for path in paths:
        assert REPOSITORY.joinpath(path.partition("::")[0]).exists(), f"no {path}"
