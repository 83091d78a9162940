"""Which settings a command uses."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot.app import demo_settings
from bot.cli import cli
from bot.commands.command_line import read_settings
from bot.demo import company


def test_beside_a_demo_a_command_means_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(typer.Exit):
        read_settings(None)
    assert "`switchboard demo` needs none" in capsys.readouterr().err
    demo_settings(tmp_path).database.directory.mkdir(parents=True)
    assert read_settings(None) == demo_settings(tmp_path)
    assert "this is about the demo of this folder" in capsys.readouterr().err
    assert read_settings(company.SETTINGS) == demo_settings(tmp_path)
    assert capsys.readouterr().err == ""


def test_a_folders_own_settings_come_before_its_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    demo_settings(tmp_path).database.directory.mkdir(parents=True)
    (tmp_path / "switchboard.toml").write_text(company.SETTINGS.read_text())
    assert read_settings(None).path == Path("switchboard.toml")
    with pytest.raises(typer.Exit):
        read_settings(Path("other.toml"))


def test_a_command_loads_nothing_heavy_before_it_needs_it() -> None:
    """scipy alone was a quarter of every command's time, including `--help`."""
    heavy = "scipy", "sklearn", "torch", "transformers", "datasketch", "vllm"
    said = f"import sys, bot.cli; print(sorted(set({heavy!r}) & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", said], capture_output=True, check=True, text=True).stdout == "[]\n"


def test_the_version_is_said_without_anything_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(cli, ["--version"])
    assert (said.exit_code, said.stdout) == (0, f"switchboard {metadata.version('switchboard')}\n")
