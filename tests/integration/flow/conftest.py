"""The whole flow on a real database, with chats in memory."""

from pathlib import Path

import pytest

from db.engine import Database
from tests.worlds.story import Story


@pytest.fixture
def story(database: Database, tmp_path: Path) -> Story:
    return Story(database, tmp_path)
