"""One of anything is said in the singular."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.data_report import report
from bot.domain.enough import few_to_judge_by, too_little
from bot.domain.learning import Example, Side, Source
from bot.domain.plural import counted
from tests.samples import NOW, TASK

BOT = Path(__file__).parents[3] / "bot"
_PLURAL = re.compile(r" (?:[a-z-]+ )?[a-z-]+(?<!s)s\b")
_NOUNS = (
    "codes|conversations|corrections|days|decisions|examples|files|groups|hours|labels|languages|leads|lines|"
    "messages|minutes|mistakes|months|notes|points|questions|requests|rows|rulings|steps|teams|texts|tickets|times|"
    "tokens|trainings|voices|weeks|words"
)
_COUNTED = re.compile(rf" (?:(?:bad|held-out|more|other|settled) )?(?:{_NOUNS})\b")
NEVER_ONE = {
    "events.py": "a text as long as that is refused",
    "files.py": "an archive with a single file is opened",
    "curve_extrapolation.py": "one size is refused before",
    "csv_rows.py": "a row of one field is told apart before",
    "curve_report.py": "lines cross between sizes that were measured, and the smallest is several examples",
    "gate.py": "as many as a gain takes, or as it takes for more than chance: five at least",
    "price_book.py": "only old prices are named",
    "worth.py": "more than the least that is ruled on",
    "circuit_breaker.py": "a breaker opens after several failures",
    "prompt.py": "a prompt that is too long",
    "server_proof.py": "a context that is too short for a prompt, which is longer than a token",
    "registry.py": "an alphabet of codes",
    "make.py": "the starter's texts",
    "team_changes.py": "one text has a sentence of its own",
    "train.py": "two labels with two examples each are the least that is trained on",
}


@pytest.mark.parametrize(("number", "said"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows")])
def test_any_number_but_one_is_plural(number: int, said: str) -> None:
    assert counted(number, "row") == said


def test_a_verb_agrees() -> None:
    assert [counted(n, "row is left out", "rows are left out") for n in (1, 2)] == [
        "1 row is left out",
        "2 rows are left out",
    ]


def test_what_is_found_in_the_data_is_said_in_the_singular() -> None:
    lesson = Example("Please help me cancel a transaction.", "it", Source.IMPORT, Side.TRAIN, NOW)
    judge = Example("Help me cancel a transaction", "it", Source.IMPORT, Side.HELD_OUT, NOW)
    assert list(too_little(TASK, [lesson, judge]))[1:] == [
        "1 example leaves none to steer by: when to stop and how sure to be are guessed",
        "1 held-out example to judge by; from 30 on a figure means something",
    ]
    said = {one.fault: one.says for one in report(TASK, [lesson, judge], lambda _: "en").findings}
    assert said["too few to judge by"].startswith(next(few_to_judge_by(0))), "the only one leaks"
    assert said["leakage"].startswith("1 held-out text nearly repeats one that is learned from")


def _counts_before_plurals() -> Iterator[str]:
    """`file: words` wherever an f-string has the length of something directly before a plural."""
    for path in BOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                for count, words in zip(node.values, node.values[1:], strict=False):
                    if _is_length(count) and isinstance(words, ast.Constant) and _PLURAL.match(repr(words.value)[1:]):
                        yield f"{path.name}: {words.value!r}"


def _numbers_before_nouns() -> Iterator[str]:
    """The same for whatever is counted by a number that is neither rounded nor a constant, also where it is stored."""
    for path in (file for name in ("bot", "db", "inference") for file in (BOT.parent / name).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                for count, words in zip(node.values, node.values[1:], strict=False):
                    if _varies(count) and isinstance(words, ast.Constant) and _COUNTED.match(str(words.value)):
                        yield f"{path.name}: {words.value!r}"


def _varies(part: ast.expr) -> bool:
    if not isinstance(part, ast.FormattedValue):
        return False
    rounded = part.format_spec is not None and "." in ast.unparse(part.format_spec)
    return not rounded and not any(name.isupper() for name in ast.unparse(part.value).split("."))


def _is_length(part: ast.expr) -> bool:
    value = part.value if isinstance(part, ast.FormattedValue) else None
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "len"


def test_no_sentence_has_a_length_before_a_plural() -> None:
    """When this fails: `counted(len(rows), "row")`, or a reason in NEVER_ONE."""
    assert [one for one in _counts_before_plurals() if one.partition(":")[0] not in NEVER_ONE] == []


def test_no_sentence_has_a_number_before_a_plural() -> None:
    """When this fails: `counted(number, "message")`, or a reason in NEVER_ONE."""
    assert [one for one in _numbers_before_nouns() if one.partition(":")[0] not in NEVER_ONE] == []
