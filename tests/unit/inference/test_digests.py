"""Model files match their digest, or a message says what to install again."""

import hashlib
from pathlib import Path

import pytest

from bot.domain.errors import UsageError
from inference.embedders.digests import verified


def test_the_very_file_is_verified(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"numbers")
    assert verified(tmp_path, {"weights": hashlib.sha256(b"numbers").hexdigest()}, "package") == tmp_path


@pytest.mark.parametrize("content", [b"", b"number", b"other!!", None], ids=["empty", "cut", "another", "missing"])
def test_anything_else_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "weights").write_bytes(content)
    with pytest.raises(UsageError, match="weights is not whole, or not the model that was chosen: reinstall package"):
        verified(tmp_path, {"weights": hashlib.sha256(b"numbers").hexdigest()}, "package")
