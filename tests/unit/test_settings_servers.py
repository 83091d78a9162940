"""`model.server`: our own, another operator's, or several; the message for each mistake."""

from collections.abc import Sequence

import pytest

from bot.domain.errors import ConfigError
from bot.settings.servers import read_servers
from bot.settings.values import Values


def read(written: object) -> tuple[tuple[str, tuple[str, ...]], Sequence[str]]:
    values = Values({})
    found = read_servers(values, {} if written is None else {"server": written})
    try:
        values.complain()
    except ConfigError as error:
        return found, error.mistakes
    return found, []


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (None, ("embedded", ())),
        ("embedded", ("embedded", ())),
        (["embedded"], ("embedded", ())),
        ("http://gpu:8000/", ("http://gpu:8000", ())),
        (["http://gpu:8000"], ("http://gpu:8000", ())),
        (["http://a:8000", "https://b", "unix:/run/vllm"], ("http://a:8000", ("https://b", "unix:/run/vllm"))),
    ],
)
def test_servers_are_read_in_their_order(written: object, found: tuple[str, tuple[str, ...]]) -> None:
    assert read(written) == (found, [])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("gpu:8000", "'gpu:8000' is no address"),
        (["http://a", "embedded"], "'embedded' is no address"),
        ([], "'' is no address"),
        (["http://a", "http://a/"], "the same address twice"),
        (7, "must be text in quotes"),
        ([7], "must be a list of texts"),
    ],
)
def test_each_mistake_has_its_sentence(written: object, said: str) -> None:
    _, mistakes = read(written)
    assert any(said in one for one in mistakes), mistakes
