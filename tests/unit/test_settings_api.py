"""`[api.tokens]`: digests and variables, never a token; and the command that makes one."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.domain.api_tokens import Scope, digest_of, holder
from bot.settings import load
from tests.unit.test_settings import GOOD, mistakes, write

TOKEN = "sb_0123456789abcdefghij"


def with_token(lines: str) -> str:
    return f"{GOOD}\n[api.tokens.helpdesk]\n{lines}\n"


def test_without_tokens_there_is_no_api(tmp_path: Path) -> None:
    assert load(write(tmp_path, GOOD), {}).api == ()


def test_a_token_is_known_by_its_digest_or_by_a_variable(tmp_path: Path) -> None:
    text = with_token(f'digest = "{digest_of(TOKEN)}"\nscopes = ["route"]')
    text += '[api.tokens.wall]\nenvironment = "WALL_TOKEN"\nscopes = ["read", "texts"]\n'
    tokens = load(write(tmp_path, text), {"WALL_TOKEN": f" {TOKEN}x\n"}).api
    assert [(token.name, token.scopes) for token in tokens] == [
        ("helpdesk", frozenset({Scope.ROUTE})),
        ("wall", frozenset({Scope.READ, Scope.TEXTS})),
    ]
    assert holder(tokens, TOKEN) == tokens[0]
    assert holder(tokens, f"{TOKEN}x") == tokens[1]
    assert holder(tokens, "") is None
    assert TOKEN not in repr(tokens)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('scopes = ["read"]', "api.tokens.helpdesk.digest: write either digest"),
        (f'digest = "{TOKEN}"\nscopes = ["read"]', "api.tokens.helpdesk.digest: must be sha256:…"),
        ('environment = "NOT_SET"\nscopes = ["read"]', "api.tokens.helpdesk.environment: NOT_SET is not set"),
        (f'digest = "{digest_of(TOKEN)}"', "api.tokens.helpdesk.scopes: missing; say what it may do"),
        (f'digest = "{digest_of(TOKEN)}"\nscopes = ["all"]', "api.tokens.helpdesk.scopes: 'all' is no scope; choose"),
        (f'digest = "{digest_of(TOKEN)}"\nscopes = ["read"]\nrights = 1', "api.tokens.helpdesk.rights: unknown"),
    ],
)
def test_a_mistake_says_where_it_is(tmp_path: Path, lines: str, said: str) -> None:
    assert said in mistakes(tmp_path, with_token(lines))


def test_two_may_not_share_a_token(tmp_path: Path) -> None:
    same = f'digest = "{digest_of(TOKEN)}"\nscopes = ["read"]\n'
    said = mistakes(tmp_path, with_token(same) + f"[api.tokens.wall]\n{same}")
    assert "api.tokens.wall: the same token as helpdesk" in said


def test_the_command_makes_one_that_the_settings_take(tmp_path: Path) -> None:
    told = CliRunner().invoke(cli, ["token", "wall", "--scope", "read", "--scope", "correct"])
    assert told.exit_code == 0
    shown = told.stdout.strip()
    snippet = told.stderr[told.stderr.index("[api.tokens.wall]") :]
    assert shown not in snippet
    [token] = load(write(tmp_path, f"{GOOD}\n{snippet}"), {}).api
    assert (holder([token], shown), token.scopes) == (token, frozenset({Scope.READ, Scope.CORRECT}))


def test_the_handbooks_tokens_are_settings(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "api.md"
    shown, *_ = re.findall(r"^```toml\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    tokens = load(write(tmp_path, f"{GOOD}\n{shown}"), {"SWITCHBOARD_WALLBOARD": TOKEN}).api
    assert [token.name for token in tokens] == ["helpdesk", "wallboard"]
    scopes = page.read_text("utf-8").split("| scope |")[1].split("\n\n")[0]
    named = set(re.findall(r"^\| `(\w+)` \|", scopes, re.MULTILINE))
    assert named == {scope.value for scope in Scope}
