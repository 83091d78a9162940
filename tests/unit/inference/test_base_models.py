from pathlib import Path

import pytest

from bot.domain.errors import UsageError
from inference.base_models import base_folder, positions
from tests.small_bases import listed_base


def test_folder_is_its_own_base(tmp_path: Path) -> None:
    folder = listed_base(tmp_path / "base")
    assert base_folder(str(folder)) == folder
    assert positions(folder) == 4_096


def test_folder_without_a_tokenizer_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"has no tokenizer\.json"):
        base_folder(str(tmp_path))


def test_word_that_is_no_base_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="neither `starter`, nor a folder, nor a Hugging Face id"):
        base_folder("no such/thing/at all")
