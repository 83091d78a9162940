"""Every language says every sentence with the same words put in."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.locales import _sentences, available, choose

CODE = Path(__file__).parents[2] / "bot"


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", available())
def test_every_language_is_complete(language: str) -> None:
    english, other = _sentences("en"), _sentences(language)
    assert other.keys() == english.keys()
    assert {key: fields(text) for key, text in other.items()} == {key: fields(text) for key, text in english.items()}


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [("pt-BR", "pt-BR"), ("pt", "pt-BR"), ("PT_br", "pt-BR"), ("es-419", "es"), ("de", "en"), (None, "en"), ("", "en")],
)
def test_the_nearest_language_is_chosen(wanted: str | None, chosen: str) -> None:
    assert choose(wanted, ("en", "pt-BR", "es")) == chosen


def test_every_sentence_that_code_asks_for_exists() -> None:
    asked = {key for tree in trees() for key in asked_for(tree)}
    assert "answer_later" in {text for tree in trees() for text in texts(tree)}
    assert asked and asked <= _sentences("en").keys()


def test_no_sentence_is_there_for_nobody() -> None:
    said = {text for tree in trees() for text in texts(tree)}
    begun = tuple(start for tree in trees() for start in beginnings(tree))
    assert [key for key in _sentences("en") if key not in said and not key.startswith(begun)] == []


def trees() -> Iterator[ast.AST]:
    """The code that may speak to people."""
    for file in (CODE / "platforms").glob("**/*.py"):
        yield ast.parse(file.read_text("utf-8"))


def asked_for(tree: ast.AST) -> Iterator[str]:
    """Keys written where a sentence is asked for: `sentence(language, "key")`, `words.say(wanted, "key")`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and len(node.args) > 1 and ast.unparse(node.func) in {"sentence", "words.say"}:
            key = node.args[1]
            branches = [key.body, key.orelse] if isinstance(key, ast.IfExp) else [key]
            yield from (
                part.value for part in branches if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )


def texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def beginnings(tree: ast.AST) -> Iterator[str]:
    """How keys begin of which the code knows only the end when it runs: f"notice_{what}"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and len(node.values) == 2 and isinstance(node.values[0], ast.Constant):
            start = str(node.values[0].value)
            if start.endswith("_") and start.islower():
                yield start
