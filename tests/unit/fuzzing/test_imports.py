"""Altered files of examples: their rows, or a message that says what is wrong with which row; no crash."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import UsageError
from bot.domain.example_files.reading import ReadOptions, Unknown
from bot.domain.messages import clean
from tests.unit.domain.example_files.readers import pairs, problems, read
from tests.unit.domain.example_files.test_reassignments import (
    CHATWOOT_CONVERSATIONS,
    CHATWOOT_MESSAGES,
    ZAMMAD_ARTICLES,
    ZAMMAD_HISTORY,
    ZAMMAD_TICKETS,
    ZENDESK_AUDITS,
    ZENDESK_EVENTS,
    ZENDESK_GROUPS,
    ZENDESK_TICKETS,
)
from tests.unit.fuzzing.shapes import TEXTS, VALUES, bent

Shape = Mapping[str, object]
ZAMMAD: Shape = {"tickets": ZAMMAD_TICKETS, "articles": ZAMMAD_ARTICLES, "histories": [ZAMMAD_HISTORY]}
ZENDESK: Shape = {**ZENDESK_AUDITS, **ZENDESK_EVENTS, **ZENDESK_TICKETS, **ZENDESK_GROUPS}
CHATWOOT: Shape = {"conversations": CHATWOOT_CONVERSATIONS, "messages": CHATWOOT_MESSAGES}
ROW: Shape = {"text": "hello", "label": "it", "split": "train", "at": "2026-01-05", "score": 1.5}
CHAT: Shape = {"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "it"}]}
FRAMES: Sequence[Shape] = (
    {"text": {"0": "a", "1": "b"}, "label": {"0": "it", "1": "billing"}},
    {"columns": ["text", "label"], "index": [0, 1], "data": [["a", "it"], ["b", "billing"]]},
    {"texts": [{"text": "a", "label": "it"}]},
)
OPTIONS = st.builds(
    ReadOptions,
    text=st.sampled_from([(), ("text",), ("title", "body")]),
    label=st.sampled_from([None, "label", "group"]),
    mapped=st.sampled_from([{}, {"1": "it", "Billing": "billing"}]),
    unknown=st.sampled_from(Unknown),
    keep_html=st.booleans(),
    first=st.sampled_from([None, "first_team"]),
)


def _sound(data: str, options: ReadOptions) -> None:
    """Whatever is read can be stored, and is read back unchanged."""
    with suppress(UsageError):
        contents = read(data.encode("utf-8", "surrogatepass"), options)
        assert all(problem.startswith("line ") for problem in problems(contents))
        for text, _ in pairs(contents):
            assert text == clean(text) == text.encode().decode()


@pytest.mark.parametrize("shape", [ZAMMAD, ZENDESK, CHATWOOT], ids=["Zammad", "Zendesk", "Chatwoot"])
def test_histories_of_helpdesks(shape: Shape) -> None:
    @given(bent(shape) | VALUES, OPTIONS, st.booleans())
    def look(document: object, options: ReadOptions, apart: bool) -> None:
        parts = list(document.values()) if apart and isinstance(document, dict) else [document]
        _sound("\n".join(map(json.dumps, parts)), options)

    look()


@given(st.lists(bent(ROW, CHAT, *FRAMES) | VALUES, max_size=4), OPTIONS, st.sampled_from(["\n", ",", "\n\n"]))
def test_json_lines(rows: list[object], options: ReadOptions, between: str) -> None:
    for written in (between.join(map(json.dumps, rows)), json.dumps(rows), between.join(map(repr, rows))):
        _sound(written, options)


@given(st.lists(st.lists(TEXTS, max_size=5), max_size=6), OPTIONS, st.sampled_from(",;\t|"), st.booleans())
def test_tables(rows: list[list[str]], options: ReadOptions, between: str, marked: bool) -> None:
    out = io.StringIO()
    table = csv.writer(out, delimiter=between, quoting=csv.QUOTE_MINIMAL, escapechar="\\")
    table.writerows([["text", "label", "split", "at", "first_team"], ["hello", "it", "train", "", "it"], *rows])
    _sound(("\ufeff" if marked else "") + out.getvalue(), options)


@pytest.mark.parametrize("whole", ['{"value_to": 1, "x": %s}', '{"text": "a", "label": "it", "x": %s}', "[%s]"])
@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")])
def test_however_deep_brackets_stand_in_each_other(whole: str, opened: str, closed: str) -> None:
    """Also as deep as a JSON reader just accepts: code that walks through the result goes equally deep."""
    for depth in (*range(850, 1_000), 100_000):
        _sound(whole % (opened * depth + "1" + closed * depth), ReadOptions())
