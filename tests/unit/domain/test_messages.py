"""What we keep of a text, and whether there is anything to classify."""

import pytest

from bot.domain.messages import MAX_TEXT, clean, has_words, joined


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  hello \n", "hello"),
        ("a\x00b", "ab"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        ("e\u0301", "é"),
        ("שלום עולם", "שלום עולם"),
        ("x" * 100_000, "x" * MAX_TEXT),
        ("", ""),
    ],
)
def test_whatever_is_written_can_be_stored(written: str, kept: str) -> None:
    assert clean(written) == kept
    assert clean(clean(written)) == kept


@pytest.mark.parametrize(
    "text", ["", "hi", "Hello there!", "🙂🙂", "thanks!!!", "bom dia", "12345", "?", "\u200b\u200b"]
)
def test_nothing_to_classify(text: str) -> None:
    assert not has_words(text)


@pytest.mark.parametrize(
    "text", ["refund??", "hi, where is my parcel", "где моя посылка", "我的包裹在哪里", "אין לי כסף"]
)
def test_something_to_classify(text: str) -> None:
    assert has_words(text)


def test_a_burst_is_one_text_without_its_greeting() -> None:
    assert joined(["hi", "my card was charged", "twice!"]) == "my card was charged\ntwice!"


def test_a_greeting_alone_stays() -> None:
    assert joined(["hi"]) == "hi"
