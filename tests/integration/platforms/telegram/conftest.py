"""A local Telegram and the adapter connected to it."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.platforms.telegram.parts import ANN, BILLING, IT, Recorder
from tests.servers.telegram import TelegramServer, User


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as running:
        running.add_group(BILLING, "billing")
        running.add_group(IT, "it", topics=(45,))
        running.add_user(User(id=ANN, first_name="Ann", language_code="pt-br"))
        yield running


@pytest.fixture
def inbox() -> Recorder:
    return Recorder()
