"""The page about a new platform shows the example as it is, and its commands do what the page says."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bot.platforms import PlatformModule
from tests.integration.platforms.example import EXAMPLE, ROOT

PAGE = (ROOT / "docs" / "new-platform.md").read_text("utf-8")
SHOWN = re.findall(r"^`([^`\n]+)`:\n\n```(?:python|toml)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
[COMMANDS] = re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_every_block_of_code_says_which_file_it_shows() -> None:
    assert len(SHOWN) == len(re.findall(r"^```(?:python|toml)", PAGE, re.MULTILINE)) > 6


@pytest.mark.parametrize(("name", "shown"), SHOWN, ids=[name for name, _ in SHOWN])
def test_what_the_page_shows_of_a_file_is_what_it_holds(name: str, shown: str) -> None:
    text = (ROOT / name if name.startswith("tests/") else EXAMPLE / name).read_text("utf-8")
    for piece in shown.split("…\n"):
        before, found, text = text.partition(piece)
        assert found, f"{name} no longer holds, or not in this order:\n{piece}\nafter\n{before[-200:]}"


def test_the_page_explains_everything_that_a_platform_offers() -> None:
    offered = {name for name in vars(PlatformModule) if not name.startswith("_")}
    table = PAGE[PAGE.index("| of `PlatformModule`") : PAGE.index("## 2.")]
    assert {name for name in re.findall(r"`(\w+)`", table) if name in offered} == offered


def test_the_commands_of_the_page_work(installed: Path, tmp_path: Path) -> None:
    install, *ours = COMMANDS.splitlines()
    assert shlex.split(install)[-1] == str(EXAMPLE.relative_to(ROOT)), "which `installed` has installed"
    for command in ours:
        program, *arguments = shlex.split(command)
        assert program == "switchboard"
        done = subprocess.run(
            [sys.executable, "-m", "bot.cli", *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": f"{ROOT}:{installed}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert "[platforms.hooks]" in (tmp_path / "switchboard.toml").read_text("utf-8")
