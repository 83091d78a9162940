"""Every language has every sentence with the same placeholders, including those of a platform."""

import ast
import string
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import locales, platforms
from bot.locales import Sentences, available, choose, sentence

SHARED = Path(locales.__file__).parent
PLATFORMS = Path(platforms.__file__).parent
OWN = sorted(PLATFORMS.glob("*/locales"))
FOLDERS = [SHARED, *OWN]


def read(folder: Path, language: str) -> dict[str, str]:
    return tomllib.loads((folder / f"{language}.toml").read_text("utf-8"))


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def named(folder: Path) -> str:
    return folder.parent.name


@pytest.mark.parametrize("language", available())
@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_every_language_is_complete(folder: Path, language: str) -> None:
    english, other = read(folder, "en"), read(folder, language)
    assert other.keys() == english.keys()
    assert {key: fields(text) for key, text in other.items()} == {key: fields(text) for key, text in english.items()}


def test_no_platform_says_of_itself_what_all_say() -> None:
    said = [key for folder in FOLDERS for key in read(folder, "en")]
    assert len(said) == len(set(said))


@pytest.mark.parametrize("platform", [folder.parent.name for folder in OWN])
def test_no_platform_is_named_in_what_all_say(platform: str) -> None:
    assert [key for key in read(SHARED, "en") if platform in key.split("_")] == []


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [("pt-BR", "pt-BR"), ("pt", "pt-BR"), ("PT_br", "pt-BR"), ("es-419", "es"), ("de", "en"), (None, "en"), ("", "en")],
)
def test_the_nearest_language_is_chosen(wanted: str | None, chosen: str) -> None:
    assert choose(wanted, ("en", "pt-BR", "es")) == chosen


@pytest.mark.parametrize(
    ("language", "one", "more"),
    [
        ("en", "within 1 minute", "within 5 minutes"),
        ("pt-BR", "1 minuto", "5 minutos"),
        ("es", "1 minuto", "5 minutos"),
    ],
)
def test_one_is_said_in_the_singular(language: str, one: str, more: str) -> None:
    said = [sentence(language, "follows_sooner", title="# {urgency}", minutes=minutes) for minutes in (1, 5)]
    assert said[0].endswith(one) and said[1].endswith(more)
    assert all(line.startswith("# {urgency}:") for line in said)


@pytest.mark.parametrize("language", ["en", "pt-BR", "es"])
@pytest.mark.parametrize("number", [1, 2])
def test_what_was_put_into_a_sentence_is_found_in_it(language: str, number: int) -> None:
    said = sentence(language, "follows_sooner", title="a (b) {c}", minutes=number)
    assert Sentences().gaps(language, "follows_sooner", said) == {"title": "a (b) {c}", "minutes": str(number)}
    assert Sentences().gaps(language, "follows_first", said) is None


@pytest.mark.parametrize(
    ("language", "withdrawn", "compared"),
    [
        ("en", "corrected 1 of its 1 decision,", "By 1 message of"),
        ("pt-BR", "corrigiram 1 da sua 1 decisão,", "Por 1 mensagem das"),
        ("es", "corrigieron 1 de su 1 decisión,", "Según 1 mensaje de"),
    ],
)
def test_leads_read_one_in_the_singular(language: str, withdrawn: str, compared: str) -> None:
    figures = {"decided": 1, "corrected": 1, "decided_before": 9, "corrected_before": 1}
    said = sentence(language, "report_withdrawn", withdrawn="routing-2", adapter="routing-1", **figures)
    assert withdrawn in said
    assert compared in sentence(language, "worth_title", task="routing", messages=1)


def test_a_platform_says_its_own_sentences_and_those_of_all(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text('console_hello = "Hello {name}"\n', "utf-8")
    (tmp_path / "es.toml").write_text('console_hello = "Hola {name}"\n', "utf-8")
    own = Sentences(tmp_path)
    assert own.sentence("es", "console_hello", name="Ann") == "Hola Ann"
    assert own.sentence("es", "yes") == Sentences().sentence("es", "yes") == "Sí, gracias"
    assert own.keys("es") == Sentences().keys("es") | {"console_hello"}


def test_a_platform_that_lacks_a_language_speaks_english_there(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text('console_hello = "Hello {name}"\n', "utf-8")
    assert Sentences(tmp_path).sentence("pt-BR", "console_hello", name="Ann") == "Hello Ann"


def test_a_sentence_that_nobody_has_is_our_mistake() -> None:
    with pytest.raises(KeyError):
        Sentences().sentence("en", "no_such_sentence")


@pytest.mark.parametrize("folder", OWN, ids=named)
def test_every_sentence_that_a_platform_asks_for_exists(folder: Path) -> None:
    asked = {key for tree in trees(folder.parent) for key in asked_for(tree)}
    assert asked and asked <= Sentences(folder).keys("en")


def test_every_sentence_that_all_platforms_ask_for_exists() -> None:
    wording = ast.parse((PLATFORMS / "wording.py").read_text("utf-8"))
    asked = set(asked_for(wording))
    assert "answer_later" in set(texts(wording))
    assert asked and asked <= Sentences().keys("en")


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_no_sentence_is_there_for_nobody(folder: Path) -> None:
    speakers = list(trees(PLATFORMS if folder == SHARED else folder.parent))
    said = {text for tree in speakers for text in texts(tree)}
    begun = tuple(start for tree in speakers for start in beginnings(tree))
    assert [key for key in read(folder, "en") if key not in said and not key.startswith(begun)] == []


def trees(folder: Path) -> Iterator[ast.AST]:
    """The code that may speak to people."""
    for file in folder.glob("**/*.py"):
        yield ast.parse(file.read_text("utf-8"))


def asked_for(tree: ast.AST) -> Iterator[str]:
    """Keys written where a sentence is requested: `sentence(language, "key")`, `words.say(wanted, "key")`."""
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
    """The beginnings of keys whose end is known only at run time: f"notice_{what}"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and len(node.values) == 2 and isinstance(node.values[0], ast.Constant):
            start = str(node.values[0].value)
            if start.endswith("_") and start.islower():
                yield start
