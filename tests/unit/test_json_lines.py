"""What people wrote reaches programs unchanged, and cannot send commands to a terminal."""

import json

import pytest

from bot.json_lines import escaped, json_line

SIGNS = ["\x1b[2J", "\x9b2J", "\x7f", "\u202egpj.exe", "\u2066", "\u2028", "\u200f", "\u061c"]


@pytest.mark.parametrize("sign", SIGNS)
def test_no_sign_commands_a_terminal_and_none_is_lost(sign: str) -> None:
    line = json_line({"text": f"a{sign}b", sign: [sign]})
    assert line.isascii()
    assert json.loads(line) == {"text": f"a{sign}b", sign: [sign]}


def test_letters_of_all_languages_stay_readable() -> None:
    assert json_line(["São João 🎅🏽", "日本", "a\nb"]) == '["São João 🎅🏽", "日本", "a\\nb"]'


def test_what_is_json_already_keeps_its_values_and_its_lines() -> None:
    value = {"texts": ["a\x9b2J", "\u202eb", "日本"]}
    written = escaped(json.dumps(value, ensure_ascii=False, indent=1))
    assert json.loads(written) == value
    assert not set(written) & set("\x9b\u202e") and "日本" in written and "\n" in written
