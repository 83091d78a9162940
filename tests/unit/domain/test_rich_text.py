"""Text with its marks: it is read back unchanged, however it is cut, and nothing that people type is a mark."""

import random

import pytest

from bot.domain.rich_text import (
    Mark,
    Run,
    Style,
    bare,
    cited,
    head,
    linked,
    marked,
    mentions,
    own_words,
    pieces,
    plain,
    renamed,
    runs,
    sliced,
    spelled,
    units,
    without_mention,
    written,
)

PAY = "https://pay.example/refund?id=9"
FORM = f"please fill in {linked('this form', PAY)}"


def test_the_words_are_read_without_the_marks() -> None:
    assert plain(FORM) == "please fill in this form"
    assert plain(marked(f"very {marked('bold', Style.BOLD)}", Style.QUOTE)) == "very bold"


def test_marks_within_marks_are_told_from_the_outside() -> None:
    text = marked(f"see {linked('here', PAY)}", Style.BOLD)

    assert runs(text) == (
        Run("see ", (Mark(Style.BOLD),)),
        Run("here", (Mark(Style.BOLD), Mark(Style.LINK, PAY))),
    )


def _random_runs(chance: random.Random) -> list[Run]:
    letters = ["a", "é", "👍", " ", "\n", "<b>", "&amp;", "*", "_", "ש", "e\u0301", "👩\u200d👧"]
    styles = [Mark(style, PAY if style is Style.LINK else "") for style in Style]
    return [
        Run(
            "".join(chance.choices(letters, k=chance.randint(1, 6))), tuple(chance.sample(styles, chance.randint(0, 3)))
        )
        for _ in range(chance.randint(0, 8))
    ]


@pytest.mark.parametrize("seed", range(200))
def test_what_is_written_is_read_as_it_was(seed: int) -> None:
    made = _random_runs(random.Random(seed))

    def characters(pieces: list[Run] | tuple[Run, ...]) -> list[tuple[str, tuple[Mark, ...]]]:
        return [(char, run.marks) for run in pieces for char in run.text]

    assert characters(runs(written(made))) == characters(made)
    assert plain(written(made)) == "".join(run.text for run in made)


@pytest.mark.parametrize("seed", range(200))
def test_pieces_fit_and_together_are_the_whole(seed: int) -> None:
    chance = random.Random(seed)
    text = written(run for _ in range(6) for run in _random_runs(chance))
    first, following = chance.randint(4, 30), chance.randint(4, 30)

    cut = pieces(text, first, following)

    assert units(cut[0]) <= first
    assert all(units(piece) <= following for piece in cut[1:])
    assert "".join(plain("".join(cut)).split()) == "".join(plain(text).split())


def test_pieces_are_cut_between_words() -> None:
    assert pieces("the order number is 4711", 12, 100) == ["the order", "number is 4711"]


def test_a_link_that_is_cut_stays_a_link_on_both_sides() -> None:
    assert [run.value(Style.LINK) for run in runs(sliced(FORM, 10, 19))] == [None, PAY]


@pytest.mark.parametrize("end", range(len(FORM)))
def test_a_string_cut_anywhere_still_reads_as_its_words(end: int) -> None:
    assert plain(FORM).startswith(plain(FORM[:end]))
    assert "".join(run.text for run in runs(FORM[:end])) == plain(FORM[:end])


def test_a_head_says_that_something_was_left_out() -> None:
    assert head("👍👍👍", 5) == "👍👍…"
    assert head("👍👍👍", 6) == "👍👍👍"


def test_nobody_can_type_a_mark() -> None:
    forged = "\ufff9click\ufffalink https://evil.example\ufffb"

    assert runs(bare(forged)) == (Run("clicklink https://evil.example"),)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://x y", "file:///etc/passwd", "", "https://a|b"])
def test_what_is_no_address_is_no_link(address: str) -> None:
    assert linked("this form", address) == "this form"


def test_where_there_are_no_links_the_address_stands_behind_the_words() -> None:
    assert spelled(FORM) == f"please fill in this form ({PAY})"
    assert spelled(linked(PAY, PAY)) == PAY
    assert spelled(linked("ann@example.com", "mailto:ann@example.com")) == "ann@example.com"


def test_mentions_are_called_by_name() -> None:
    text = f"{marked('@someone', Style.MENTION, 'U1')} will call you at 9"

    assert mentions(text) == {Mark(Style.MENTION, "U1")}
    assert plain(renamed(text, lambda mark: {"U1": "@Ann"}.get(mark.value))) == "@Ann will call you at 9"
    assert renamed(text, lambda mark: None) == text


def test_our_own_mention_goes_with_its_comma() -> None:
    us = marked("@bot", Style.MENTION, "B")

    assert without_mention(f"hey {us}, are you there", "B") == "hey are you there"
    assert without_mention(f"{us}: charged twice", "B") == "charged twice"
    assert without_mention(f"line one\n{us} line two", "B") == "line one\nline two"


def test_what_a_message_points_at_is_not_its_own_words() -> None:
    text = f"{cited('charged twice for order 4711', 'Ann')}\nthanks"

    assert plain(text) == "charged twice for order 4711\nthanks"
    assert own_words(text) == "thanks"
    assert plain(own_words(cited("charged twice", "Ann"))) == "charged twice"
