"""What Telegram is given to show, read as Telegram reads it."""

from collections.abc import Sequence

import pytest

from bot.domain.decisions import Author, Reason
from bot.domain.messages import MessageRef
from bot.domain.posts import KINDS, OTHER, Answer, Card, Content, FollowUp, LearningReport, Moved, Question, WordsPlease
from bot.locales import available
from bot.platforms.telegram.render import Said, Voice, cut, render, units
from tests.servers.telegram.formatting import parse

LANGUAGES = ("en", "pt-BR", "es")
NASTY = '<b>_*[x](http://y) & </blockquote> <a href="z"> &lt; @all'
LONG = "щ" * 5_000
CARD = Card(
    conversation=7,
    label="billing",
    excerpt="I was charged twice",
    author="Ann",
    source=MessageRef("telegram", "111", "5"),
    by=Author.MODEL,
    reason=Reason.CONFIDENT,
    confidence=0.923,
    adapter="routing-3",
    legend=(("🤝", "billing"), ("👨‍💻", "it")),
)


def card(**changes: object) -> Card:
    fields = {name: getattr(CARD, name) for name in Card.__slots__}
    return Card(**(fields | changes))


def samples(text: str) -> list[Content]:
    """Every kind, with this text wherever a text can be."""
    return [
        Answer(text, None),
        Answer(text, None, remembered=True),
        Answer(text, None, undecided=True),
        Question((text, text, text), None),
        Question((), None, answered=text, chosen=True),
        Question((), None, answered=text),
        WordsPlease(None),
        Moved(text, None),
        card(label=text, excerpt=text, author=text, adapter=text, legend=((("🤝", text),) * 8)),
        card(label=text, excerpt=text, author=text, moved_to=text),
        FollowUp(text, text),
        LearningReport("routing", text, True, (text, text)),
        LearningReport("routing", text, False, ()),
    ]


def shown(said: Said) -> str:
    """The text that people see. Raises when Telegram would refuse it."""
    text, _ = parse(said.text, "HTML")
    assert text.strip()
    assert units(text) <= 4096
    return text


def marked(said: Said, kind: str) -> list[str]:
    text, entities = parse(said.text, "HTML")
    wide = text.encode("utf-16-le")
    found = [(int(str(e["offset"])), int(str(e["length"]))) for e in entities if e["type"] == kind]
    return [wide[2 * start : 2 * (start + length)].decode("utf-16-le") for start, length in found]


def buttons(said: Said) -> Sequence[tuple[str, object]]:
    rows = said.keyboard.inline_keyboard if said.keyboard else ()
    return [(button.text, button.callback_data) for row in rows for button in row]


def say(content: Content, language: str = "en") -> Said:
    return render(content, Voice((language,), "starter"))


def test_every_kind_of_content_is_tried() -> None:
    assert {type(content).__name__ for content in samples("x")} == set(KINDS)
    assert set(LANGUAGES) == set(available())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "text", ["billing", NASTY, LONG, "😀" * 5_000, "a" + "😀" * 5_000, "<" * 5_000, "", "שלום", "\u200b"]
)
def test_whatever_people_write_telegram_can_show_it(text: str, language: str) -> None:
    for content in samples(text):
        shown(say(content, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_that_people_write_becomes_markup(language: str) -> None:
    for harmless, content in zip(samples("harmless"), samples(NASTY), strict=True):
        kinds = [[e["type"] for e in parse(say(one, language).text, "HTML")[1]] for one in (harmless, content)]
        assert kinds[0] == kinds[1]
        if not isinstance(content, WordsPlease | Question):
            assert NASTY in shown(say(content, language))


def test_a_person_is_answered_in_their_language_and_a_team_in_the_first() -> None:
    voice = Voice(("en", "pt-BR", "es"), "starter")
    assert "O pedido já está com ela" in shown(render(Answer("billing", "pt"), voice))
    assert "Ya tiene tu solicitud" in shown(render(Answer("billing", "es-AR"), voice))
    assert "It is with them now" in shown(render(Answer("billing", "ru"), voice))
    assert "New request for billing" in shown(render(CARD, voice))


def test_a_question_offers_positions_and_something_else() -> None:
    said = say(Question(("billing", "it"), "en"))
    assert buttons(said) == [("billing", "0"), ("it", "1"), ("Something else", OTHER)]


@pytest.mark.parametrize("name", ["счёт" * 100, "😀" * 100])
def test_a_long_team_name_fits_its_button_and_never_the_buttons_value(name: str) -> None:
    [(text, value), _] = buttons(say(Question((name,), None)))
    assert units(text) <= 60
    assert value == "0"


def test_an_answered_question_has_no_buttons() -> None:
    chosen, decided_otherwise = (say(Question((), "en", answered="it", chosen=tapped)) for tapped in (True, False))
    assert chosen.keyboard is decided_otherwise.keyboard is None
    assert shown(chosen) == "You chose it."
    assert shown(decided_otherwise) == "Who can help you best?"


def test_a_card_says_who_what_why_and_how_to_correct_it() -> None:
    said = say(CARD)
    assert marked(said, "bold") == ["New request for billing"]
    assert marked(said, "blockquote") == ["I was charged twice"]
    assert marked(said, "italic") == ["The model chose this (92% sure, routing-3)"]
    assert "From Ann" in shown(said)
    assert "React with: 🤝 billing  👨‍💻 it" in shown(said)


def test_a_card_by_the_base_model_names_it() -> None:
    assert "starter" in shown(say(card(adapter=None)))


def test_a_moved_card_is_struck_and_says_where_it_went() -> None:
    said = say(card(moved_to="it"))
    assert marked(said, "strikethrough") == ["New request for billing", "I was charged twice"]
    assert "Moved to it" in shown(said)
    assert "React with" not in shown(said)


def test_nobody_is_nameless_and_nothing_said_is_no_quotation() -> None:
    said = say(card(author="", excerpt=" "))
    assert "From someone" in shown(said)
    assert marked(said, "blockquote") == []


def test_a_follow_up_fills_the_message_to_the_brim_and_no_further() -> None:
    said = say(FollowUp("Ann", LONG))
    assert units(shown(said)) == 4096
    assert marked(said, "blockquote")[0].endswith("щ…")


def test_a_report_gives_its_reasons() -> None:
    assert shown(say(LearningReport("routing", "routing-4", True, ("better by 3 points",)))) == (
        "Learned: routing-4 serves now.\n• better by 3 points"
    )


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("short", 5, "short"),
        ("shorter", 5, "shor…"),
        ("😀😀😀", 6, "😀😀😀"),
        ("😀😀😀", 5, "😀😀…"),
        ("😀😀😀", 4, "😀…"),
        ("a😀😀", 4, "a😀…"),
    ],
)
def test_cutting_counts_as_telegram_does_and_splits_no_emoji(text: str, limit: int, kept: str) -> None:
    assert cut(text, limit) == kept
    assert units(kept) <= limit
