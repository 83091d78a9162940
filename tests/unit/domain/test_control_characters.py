"""Characters that command a terminal or reverse the text around them are harmless wherever they are shown."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.domain.control_characters import without_controls
from bot.domain.posts import Card
from bot.domain.rich_text import Style, linked, marked, plain
from bot.json_lines import json_line
from bot.platforms.slack.blocks import Said
from bot.platforms.web.words import readable
from bot.terminal_signs import harmless
from tests.unit.platforms.slack import test_render as slack
from tests.unit.platforms.telegram import test_render as telegram

SIGNS = "\x07\x1b\x7f\x80\x9b\u202a\u202e\u2066\u2069"
NASTY = f"pay {SIGNS} now"


def test_nothing_else_is_left_out() -> None:
    text = "São João 🧑‍💻 שלום\u200f! علي\u061c\n\tend"
    assert without_controls(text) == text
    assert without_controls(NASTY) == "pay  now"
    assert without_controls("one\u2028two\u2029three") == "one\ntwo\nthree"


@pytest.mark.parametrize("sign", [*SIGNS, "\u061c", "\u200e", "\u2028"])
def test_terminals_and_json_are_kept_from_the_same_characters(sign: str) -> None:
    assert harmless(f"a{sign}b").isascii() and harmless(f"a{sign}b").isprintable()
    assert json_line(f"a{sign}b").isascii() and json.loads(json_line(f"a{sign}b")) == f"a{sign}b"


def test_no_post_on_telegram_holds_them() -> None:
    for content in telegram.samples(NASTY):
        said = telegram.say(content)
        assert not set(SIGNS) & set(said.text + "".join(words for words, _ in telegram.buttons(said))), content


def test_no_post_in_slack_holds_them() -> None:
    for content in telegram.samples(NASTY):
        said: Said = slack.said(content)
        assert not set(SIGNS) & set(said.text + "".join(_words(said.blocks))), content


def _words(part: object) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        yield from _words([value for key, value in part.items() if key != "value"])  # what a press sends back to us
    elif isinstance(part, list):
        for one in part:
            yield from _words(one)


def test_the_page_does_not_show_them() -> None:
    assert readable(NASTY) == "pay  now"
    assert readable(marked(NASTY, Style.BOLD)) == "pay  now"
    assert readable(linked("bank", "https://evil.example/\u202e")) == "bank (https://evil.example/)"


def test_the_voices_read_what_was_written() -> None:
    card: Card = replace(telegram.CARD, excerpt=NASTY)
    assert plain(card.excerpt) == NASTY
