"""Text on the screen can be copied."""

import pytest

from bot import console


def test_a_sentence_is_one_line_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    sentence = "run " + " ".join(["switchboard import examples.jsonl --map 'Level 1=it'"] * 9)
    console.say(sentence)
    assert capsys.readouterr().err == sentence + "\n"


def test_a_table_in_a_pipe_has_a_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    wide = "not proven better " * 20
    console.table("learning", ("adapter", "why"), [("routing-1", wide.strip())])
    [row] = [line for line in capsys.readouterr().err.splitlines() if "routing-1" in line]
    assert wide.strip() in row


def test_a_table_without_rows_says_that_there_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    console.table("learning", ("adapter", "why"), [])
    assert capsys.readouterr().err == "learning: none\n"


def test_a_bar_never_counts_more_than_all(capsys: pytest.CaptureFixture[str]) -> None:
    with console.counting("remembering", 3) as done:
        done(2)
        done(4)
    assert "6/6" in capsys.readouterr().err


def test_nothing_in_a_sentence_or_a_table_commands_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("a :wave: [red]b[/red] \x1b]0;title\x07 \u202e c")
    console.table("t", ("x",), [("[bold]y[/bold] \x1b[31m",)])
    said = capsys.readouterr().err
    assert said.splitlines()[0] == "a :wave: [red]b[/red] \\x1b]0;title\\x07 \\u202e c"
    assert "[bold]y[/bold] \\x1b[31m" in said
