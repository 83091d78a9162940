"""JSON as rows: an object a line, one array, an object around an array, or objects one after another."""

import ast
import json
from collections.abc import Iterator, Mapping

from bot.domain.example_files.chat import chat_turns, from_chat
from bot.domain.example_files.columns import how_many_known, name_a_text
from bot.domain.example_files.data_frames import by_column
from bot.domain.example_files.encodings import undecodable
from bot.domain.example_files.rows import UNREADABLE_REST, BadLine, Line, Row, own
from bot.domain.example_files.text_lines import text_lines

_OBJECT = 'not an object; write {"text": "…", "label": "…"}'
_LISTING = ("texts", "utterances", "examples", "patterns", "phrases", "sentences", "questions", "queries")
_LONGEST = 4_000
"""The most digits of a number that Python converts."""


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) < _LONGEST else digits


_decoder = json.JSONDecoder(parse_constant=lambda _: None, parse_int=_whole)
"""NaN and Infinity are no JSON, but programs write them for missing values."""


def read_json(text: str) -> Iterator[Line]:
    """Every object in order, with the line in which it begins."""
    start = len(text) - len(text.lstrip())
    if text[start] == "[":
        return _array(text, start)
    first = text[start:].partition("\n")[0]
    if _is_json(first) or not _begins_well(text, start):
        return _lines(text)
    return _one_after_the_other(text, start)


def _lines(text: str) -> Iterator[Line]:
    whole = [(number, line) for number, line in enumerate(text_lines(text), start=1) if line.strip()]
    if len(whole) == 1 and (inside := _array_inside(whole[0][1])) is not None:
        for value in inside:
            yield from _rows_of(whole[0][0], value)
        return
    for number, line in whole:
        wrong = undecodable(line)
        if wrong:
            yield BadLine(number, wrong)
        else:
            yield from _from_line(number, line)


def _from_line(number: int, line: str) -> Iterator[Line]:
    try:
        value = _decoder.decode(line.strip().removesuffix(","))
    except ValueError as error:
        value = _of_python(line)
        if value is None:
            yield BadLine(number, f"not JSON ({error.args[0]})")
        else:
            yield from _rows_of(number, value)
    except RecursionError:
        yield BadLine(number, "not JSON that anybody means (thousands of brackets in each other)")
    else:
        yield from _rows_of(number, value)


def _array(text: str, start: int) -> Iterator[Line]:
    """The elements of one array; after a broken element the next cannot be found."""
    place, number = start + 1, text.count("\n", 0, start) + 1
    counted = start
    while True:
        place = _after(text, place, " \t\r\n,")
        number, counted = number + text.count("\n", counted, place), place
        if text[place : place + 1] == "]":
            place = _after(text, place + 1, " \t\r\n,")
            if place == len(text):
                return
            if text[place] == "[":  # another array behind it
                place += 1
            continue
        value, place = _next(text, place)
        if place < 0:
            yield BadLine(number, UNREADABLE_REST)
            return
        wrong = undecodable(text[counted:place])
        if wrong:
            yield BadLine(number, wrong)
        else:
            yield from _rows_of(number, value)


def _one_after_the_other(text: str, start: int) -> Iterator[Line]:
    """Objects over several lines each, as a pretty-printer writes them."""
    value, end = _next(text, start)
    if not text[end:].strip() and isinstance(value, dict) and (inside := _only_array(value)) is not None:
        for one in inside:
            yield from _rows_of(1, one)
        return
    yield from _array("[" + text + "]", 0)


def _next(text: str, place: int) -> tuple[object, int]:
    """(a value, where it ends); (None, -1) if there is none."""
    try:
        return _decoder.raw_decode(text, place)
    except (ValueError, RecursionError):
        return None, -1


def _of_python(line: str) -> object | None:
    """A value that was printed from Python, with single quotes, instead of written as JSON; None for anything else."""
    try:
        value = ast.literal_eval(line.strip().removesuffix(","))
        value = _decoder.decode(json.dumps(value))  # as JSON has it: names are text, and there are no sets or bytes
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
    return value if isinstance(value, dict) else None


def _begins_well(text: str, place: int) -> bool:
    return _next(text, place)[1] > 0


def _is_json(line: str) -> bool:
    try:
        _decoder.decode(line)
    except (ValueError, RecursionError):
        return False
    return True


def _after(text: str, place: int, signs: str) -> int:
    while place < len(text) and text[place] in signs:
        place += 1
    return place


def _array_inside(line: str) -> list[object] | None:
    try:
        value = _decoder.decode(line)
    except (ValueError, RecursionError):
        return None
    return _only_array(value) if isinstance(value, dict) else None


def _only_array(value: Mapping[str, object]) -> list[object] | None:
    """The rows in an object around an array, as helpdesks export them ({"tickets": […]}); None if it is a row."""
    if chat_turns(value) is not None:
        return None
    if (rows := by_column(value)) is not None:
        return list(rows)
    arrays = {k: v for k, v in value.items() if isinstance(v, list) and v and all(isinstance(one, dict) for one in v)}
    if len(arrays) != 1 or how_many_known(value.keys() - arrays.keys()):
        return None
    return next(iter(arrays.values()))


def _rows_of(number: int, value: object) -> Iterator[Line]:
    """The row that a value is; several if it lists texts of one label, as intents are stored."""
    fields = value if isinstance(value, dict) else {}
    lists = {k: v for k, v in fields.items() if isinstance(v, list) and v and all(isinstance(t, str) for t in v)}
    if fields and lists.keys() == fields.keys() and not how_many_known(fields):
        yield from (Row(number, {"text": text, "label": label}) for label, texts in lists.items() for text in texts)
        return
    listing = next((k for k in lists if k.lower() in _LISTING), None)
    if listing is None or name_a_text(fields):
        yield _from_value(number, value)
        return
    others = {key: one for key, one in fields.items() if key not in lists}
    yield from (Row(number, others | {"text": text}) for text in lists[listing])


def _from_value(number: int, value: object) -> Line:
    if not isinstance(value, dict):
        return BadLine(number, _OBJECT)
    turns = chat_turns(value)
    if turns is not None:
        return from_chat(number, turns)
    return Row(number, dict(_flat(value)), own(value))


def _flat(value: Mapping[str, object], prefix: str = "", depth: int = 3) -> Iterator[tuple[str, object]]:
    """Fields within fields get names with a dot: `fields.summary`."""
    for key, inner in value.items():
        if isinstance(inner, dict) and depth:
            yield from _flat(inner, f"{prefix}{key}.", depth - 1)
        else:
            yield prefix + key, inner
