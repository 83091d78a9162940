"""A command that runs beside a bot uses the bot's answers instead of repeating its work."""

import pytest

from bot.catch_up import catch_up


@pytest.mark.parametrize(
    ("waiting", "busy_elsewhere", "done"),
    [(5, False, ["remember", "fit"]), (0, False, ["fit"]), (5, True, []), (0, True, [])],
)
async def test_what_is_done_first(
    waiting: int, busy_elsewhere: bool, done: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    did: list[str] = []

    async def remember() -> None:
        did.append("remember")

    async def fit() -> None:
        did.append("fit")

    await catch_up(waiting, busy_elsewhere, remember, fit)
    assert did == done
    said = capsys.readouterr().err
    assert said.startswith("5 examples are not read yet") == (busy_elsewhere and waiting > 0)
