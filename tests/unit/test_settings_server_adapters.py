"""`model.server_adapters`: what may be written, and the message for each mistake."""

from pathlib import Path

import pytest

from bot.demo import company
from bot.domain.errors import ConfigError
from bot.settings import Model, load


def model(tmp_path: Path, lines: str, environment: dict[str, str] | None = None) -> Model:
    text = company.SETTINGS.read_text("utf-8")
    assert text.count("[model]\n") <= 1
    head, _, tail = text.partition("[model]\n")
    kept = "\n".join(line for line in tail.splitlines() if not line.startswith(("server", "embedder")))
    file = tmp_path / "switchboard.toml"
    file.write_text(f"{head}\n[model]\n{lines}\n{kept}" if tail else f"{text}\n[model]\n{lines}\n", "utf-8")
    return load(file, environment or {}).model


def test_a_server_sees_what_we_see_unless_something_else_is_written(tmp_path: Path) -> None:
    assert model(tmp_path, 'server = "http://gpu:8000"').server_adapters == "same"


def test_a_folder_is_kept_as_it_is_written(tmp_path: Path) -> None:
    known = model(tmp_path, 'server = "http://gpu:8000"\nserver_adapters = "/adapters/"')
    assert (known.server_adapters, known.adapter_token) == ("/adapters", "")


def test_who_fetches_has_a_token_to_show(tmp_path: Path) -> None:
    lines = 'server = "http://gpu:8000"\nserver_adapters = "fetch"'
    known = model(tmp_path, lines, {"SWITCHBOARD_ADAPTER_TOKEN": "secret-of-ours"})
    assert (known.server_adapters, known.adapter_token) == ("fetch", "secret-of-ours")
    assert "secret-of-ours" not in repr(known)
    with pytest.raises(ConfigError, match="SWITCHBOARD_ADAPTER_TOKEN: missing"):
        model(tmp_path, lines)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('server = "http://gpu:8000"\nserver_adapters = "runs"', "'runs' is no way"),
        ('server_adapters = "fetch"', "our own server sees our folders"),
        ('server_adapters = "/adapters"', "our own server sees our folders"),
        ('server = "http://gpu:8000"\nserver_adapters = 3', "must be text"),
    ],
)
def test_a_mistake_says_what_to_write(tmp_path: Path, lines: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        model(tmp_path, lines)
