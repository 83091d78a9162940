"""Examples, their sides, the training set, the temperature."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.decisions import calibrated
from bot.domain.learning import (
    Example,
    Side,
    Source,
    fit_temperature,
    keep_apart,
    label_counts,
    rehearsed,
    replayed,
    settle,
    side_key,
    side_of,
    text_key,
)
from tests.samples import NOW


def example(text: str, label: str = "billing", source: Source = Source.IMPORT, seconds: int = 0) -> Example:
    return Example(text, label, source, Side.TRAIN, NOW + timedelta(seconds=seconds))


def test_case_punctuation_and_spaces_do_not_make_another_text() -> None:
    assert text_key("Where is my refund?!") == text_key("  where IS my  refund ")
    assert text_key("Where is my refund?") != text_key("Where is my parcel?")


def test_texts_of_signs_alone_differ_from_each_other() -> None:
    assert text_key("🙂") != text_key("🙁")


@pytest.mark.parametrize(
    "texts",
    [
        ("Cannot build the C++ app", "Cannot build the C# app", "Cannot build the C app"),
        ("it works 👍", "it works 👎", "it works"),
        ("मेरा बिल", "मेरी बिल", "मर बल"),  # vowel signs are marks, not letters
        ("عَلِمَ", "عُلِمَ", "علم"),
        ("ของหาย", "ขอหาย", "ของห่าย"),
        ("שָׁלוֹם", "שלום"),
        ("5% off", "5 off"),
        ("R&D", "R D"),
        ("it shows -5 here", "it shows 5 here"),
        ("-20 €", "20 €", "20 $"),
        ("refund (-20 €)", "refund (20 €)"),
        ("balance:-20", "balance:20"),
        ("-$20", "$20", "–€20"),
        ("मैं", "मे", "मा"),
        ("ปา", "ปี", "ปู"),
        ("退款", "退货"),
        ("ハート", "ハト"),
        ("👍", "👍🏽", "👎"),
        ("a .NET app", "a net app"),
        ("paid 5 €", "paid 5 $"),
        ("x < y", "x > y"),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"),
        ("Maße", "Masse"),
        ("か", "が", "か゛"),
        ("?", "!"),
        ("\U0001faef broken", "\U0001face broken"),  # newer than this Python's Unicode
    ],
)
def test_what_distinguishes_messages_makes_another_text(texts: tuple[str, ...]) -> None:
    assert len({text_key(text) for text in texts}) == len(texts)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ação", "ac\u0327a\u0303o"),
        ("re\u200bfund", "refund"),
        ("re\u00adfund", "refund"),
        ("می\u200cخواهم", "میخواهم"),
        ("I ❤️ it", "i ❤ it"),
        ("«Wo» – ist das?", "wo ist das"),
        ("請問,在哪裡?", "請問 在哪裡"),
        ("-20 €", "\u221220 €"),
        ("pages 10-20", "pages 10–20"),
        ("मेरा बिल।", "मेरा बिल"),
        ("أين طلبي؟", "أين طلبي"),
        ("返金して。", "返金して"),
        ("don't", "don’t"),
        ("a\u2028b", "a b"),
        ("a\x00b\ud800", "ab?"),
    ],
)
def test_what_is_only_written_otherwise_is_the_same_text(one: str, other: str) -> None:
    assert text_key(one) == text_key(other)


@given(st.text(st.characters(categories=["L", "M", "N", "S"]), max_size=20))
def test_every_letter_mark_number_and_symbol_counts(text: str) -> None:
    """In any script: a text and the same text with one more of them are different."""
    for more in ("ि", "ี", "字", "ב", "١", "👍", "+"):
        assert text_key(f"{text}x{more}") != text_key(f"{text}x")


@given(st.text(max_size=30))
def test_case_and_surrounding_punctuation_never_count(text: str) -> None:
    assert text_key(f" «x{text.upper()}»! ") == text_key(f"x{text.upper().lower()}")


def test_sides_are_drawn_as_they_always_were() -> None:
    """The hash of a text's plain words: these were computed before keys distinguished symbols."""
    assert side_key("Where is my refund?!")[:16] == "45cab220731bc755"
    assert side_key("Cannot build the C++ app") == side_key("Cannot build the C# app")
    assert side_key("🙂")[:16] == "d06f1525f7913978"
    assert side_key("मेरा बिल")[:16] == "9947b7a392fb324b"


def test_about_a_fifth_is_held_out_and_a_tenth_of_the_rest_steers() -> None:
    texts = [f"message number {n}" for n in range(4000)]
    train = [example(text) for text in texts if side_of(text) is Side.TRAIN]
    assert 0.78 < len(train) / len(texts) < 0.82
    learned, apart = keep_apart(train)
    assert 0.08 < len(apart) / len(train) < 0.12
    assert {e.text for e in learned}.isdisjoint(e.text for e in apart)
    fewer = [e for e in reversed(train) if not e.text.endswith("7")]
    assert {e.text for e in keep_apart(fewer)[1]} == {e.text for e in apart if not e.text.endswith("7")}


def test_a_small_set_is_learned_from_whole() -> None:
    few = [example(f"message number {n}") for n in range(60)]
    assert keep_apart(few) == (sorted(few, key=lambda e: side_key(e.text)), [])


def test_the_side_is_the_same_for_the_same_words() -> None:
    assert side_of("I was charged twice!") is side_of("i was charged twice")


def test_a_correction_outweighs_what_a_file_said_however_old_it_is() -> None:
    kept = settle([example("x y", "it", Source.CORRECTION, 0), example("X Y!", "billing", Source.IMPORT, 9)])
    assert [e.label for e in kept] == ["it"]


def test_between_equals_the_latest_counts() -> None:
    kept = settle([example("x y", "it", seconds=9), example("x y", "billing", seconds=1)])
    assert [e.label for e in kept] == ["it"]


def test_replay_keeps_every_correction_and_fills_up_class_by_class() -> None:
    corrections = [example(f"c {n}", "it", Source.CORRECTION) for n in range(3)]
    old = [example(f"b {n}", "billing") for n in range(50)] + [example(f"d {n}", "delivery") for n in range(4)]
    counts = label_counts(replayed(corrections + old, limit=11))
    assert counts == {"it": 3, "billing": 4, "delivery": 4}


def test_replay_does_not_depend_on_the_order_it_is_given() -> None:
    examples = [example(f"b {n}", "billing") for n in range(30)]
    shuffled = random.Random(1).sample(examples, len(examples))
    assert replayed(examples, 10) == replayed(shuffled, 10)


def test_the_temperature_that_made_a_model_overconfident_is_found_again() -> None:
    rng = random.Random(7)
    scores = []
    for _ in range(3000):
        honest = {"a": rng.uniform(0.05, 0.95)}
        honest["b"] = 1 - honest["a"]
        truth = "a" if rng.random() < honest["a"] else "b"
        scores.append((calibrated(honest, 1 / 2.5), truth))
    assert fit_temperature(scores) == pytest.approx(2.5, rel=0.15)


def test_nothing_to_fit_on_leaves_probabilities_alone() -> None:
    assert fit_temperature([]) == 1.0


def test_a_rehearsal_asks_a_third_and_learns_from_the_rest() -> None:
    train = [example(f"message number {n}") for n in range(600)]
    learned, asked = rehearsed(train)
    assert 0.28 < len(asked) / len(train) < 0.38
    assert sorted(e.text for e in [*learned, *asked]) == sorted(e.text for e in train)
    assert rehearsed(list(reversed(train))) == (learned, asked)
    steering = {e.text for e in keep_apart([example(f"message number {n}") for n in range(4000)])[1]}
    assert 0.05 < len({e.text for e in asked} & steering) / len(asked) < 0.18, "the draws know nothing of each other"


def test_too_few_are_not_rehearsed() -> None:
    few = [example(f"message number {n}") for n in range(100)]
    assert rehearsed(few) == (sorted(few, key=lambda e: side_key(e.text)), [])
