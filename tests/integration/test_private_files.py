"""What the command writes is private to its user, whatever the umask at its start; so are locks."""

import os
import sys
from pathlib import Path

import pytest

from bot.cli import main
from bot.init import of_names, settings_text
from bot.platforms import platform_modules
from db.server.embedded import _opened
from inference.file_lock import locked


def open_to_others(folder: Path) -> list[str]:
    """Every file and folder in it that anybody except its owner may read or write."""
    return [str(path) for path in folder.rglob("*") if not path.is_symlink() and path.lstat().st_mode & 0o066]


@pytest.mark.parametrize("command", ["init web", "export out.jsonl", "backup all.backup"])
def test_what_commands_write(command: str, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)
    if command != "init web":
        text = settings_text(of_names(["web"], platform_modules()), http=False)
        (tmp_path / "switchboard.toml").write_text(text, "utf-8")
    monkeypatch.setattr("bot.cli.write_logs", lambda *_: None)  # other tests read the log
    before = os.umask(0o022)
    try:
        monkeypatch.setattr(sys, "argv", ["switchboard", *command.split()])
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        os.umask(before)
    assert not ended.value.code
    written = [path for path in tmp_path.iterdir() if path.suffix in {".jsonl", ".backup"} or command == "init web"]
    assert written and not [path for path in written if path.stat().st_mode & 0o077]


async def test_nobody_else_can_hold_a_lock_that_a_start_waits_for(tmp_path: Path) -> None:
    for name in ("server.lock", "turn.lock"):
        (tmp_path / name).touch(0o644)  # as an earlier version left it
    async with locked(tmp_path / "server.lock", lambda: None):
        assert open_to_others(tmp_path) == [str(tmp_path / "turn.lock")]
    _opened(tmp_path / "turn.lock").close()
    assert open_to_others(tmp_path) == []
