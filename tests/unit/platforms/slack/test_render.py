"""What Slack is given to show."""

import json
import re

import pytest

from bot.domain.decisions import Author, Reason
from bot.domain.messages import MessageRef
from bot.domain.posts import (
    KINDS,
    OTHER,
    Answer,
    Card,
    Content,
    FollowUp,
    LearningReport,
    Moved,
    Question,
    WordsPlease,
)
from bot.locales import available
from bot.platforms.slack.render import Said, Voice, escaped, render
from tests.servers.slack.blocks import buttons, check

LANGUAGES = ("en", "pt-BR", "es")
NASTY = "<!channel> <!here> <@U0ANN> <https://evil.example|click> & </b> *bold* _i_ ~s~ `c` @here"
CARD = Card(
    conversation=7,
    label="billing",
    excerpt="I was charged twice",
    author="Ann",
    source=MessageRef("slack", "C0HELP", "1764000000.000100"),
    by=Author.MODEL,
    reason=Reason.CONFIDENT,
    confidence=0.923,
    adapter="routing-3",
    legend=(("moneybag", "billing"), ("wrench", "it")),
)


def card(**changes: object) -> Card:
    fields = {name: getattr(CARD, name) for name in Card.__slots__}
    return Card(**(fields | changes))


def said(content: Content, language: str = "en", link: str | None = None) -> Said:
    others = tuple(tag for tag in LANGUAGES if tag != language)
    return render(content, Voice((language, *others), "starter"), link)


def shown(content: Content, language: str = "en", link: str | None = None) -> str:
    return json.dumps(said(content, language, link).blocks, ensure_ascii=False)


EVERY = [
    Answer("billing", None),
    Answer("billing", None, remembered=True),
    Question(("billing", "it", "hr"), None),
    Question((), None, answered="billing", chosen=True),
    WordsPlease(None),
    Moved("it", None),
    CARD,
    card(moved_to="it"),
    card(excerpt="", author="", legend=()),
    FollowUp("Ann", "and it is urgent"),
    FollowUp("", "and it is urgent"),
    LearningReport("routing", "routing-4", True, ("held-out accuracy 0.91 → 0.94",)),
    LearningReport("routing", "routing-4", False, ()),
]


def test_every_kind_of_content_is_among_those_tried() -> None:
    assert {type(content) for content in EVERY} == set(KINDS.values())


@pytest.mark.parametrize("language", sorted(available()))
@pytest.mark.parametrize("content", EVERY, ids=lambda content: type(content).__name__)
def test_everything_can_be_said_in_every_language_within_slacks_limits(content: Content, language: str) -> None:
    result = said(content, language)
    check(result.blocks)
    assert result.text
    assert "{" not in result.text


def test_the_languages_differ() -> None:
    for content in (Answer("billing", None), WordsPlease(None), Question(("it",), None), CARD, FollowUp("Ann", "x")):
        assert len({said(content, language).text for language in LANGUAGES}) == 3


def test_the_person_is_answered_in_their_language_and_the_team_in_the_first_one() -> None:
    assert said(Answer("billing", "pt")).text.startswith("Obrigado")
    assert said(Answer("billing", "es-MX")).text.startswith("¡Gracias")
    assert said(Answer("billing", "de-DE")).text.startswith("Thanks")
    assert said(CARD).text.startswith("New request for billing")


@pytest.mark.parametrize(
    "content",
    [
        card(excerpt=NASTY, author=NASTY, label=NASTY, adapter=NASTY, legend=(("moneybag", NASTY),)),
        card(excerpt=NASTY, author=NASTY, moved_to=NASTY),
        FollowUp(NASTY, NASTY),
        Answer(NASTY, None),
        Moved(NASTY, None),
        Question((), None, answered=NASTY),
        LearningReport("routing", NASTY, True, (NASTY,)),
    ],
    ids=lambda content: type(content).__name__,
)
def test_nothing_that_people_wrote_can_ping_or_link(content: Content) -> None:
    result = said(content)
    assert not re.search(r"[<>]", result.text)
    for text in mrkdwn(result.blocks):
        assert not re.search(r"[<>]", str(text["text"]))
        assert text["verbatim"] is True, "else Slack looks for @here and #channels by itself"


def mrkdwn(blocks: object) -> list[dict[str, object]]:
    if isinstance(blocks, list):
        return [found for item in blocks for found in mrkdwn(item)]
    if not isinstance(blocks, dict):
        return []
    own = [blocks] if blocks.get("type") == "mrkdwn" else []
    return own + [found for value in blocks.values() for found in mrkdwn(value)]


def test_a_message_is_quoted_word_for_word_where_slack_parses_nothing() -> None:
    quotes = [block for block in said(card(excerpt=NASTY)).blocks if block["type"] == "rich_text"]
    assert quotes == [
        {"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": [{"type": "text", "text": NASTY}]}]}
    ]


@pytest.mark.parametrize("text", ["Щ" * 5_000, "&" * 5_000, "👩‍💻" * 2_000, "\u202e" + "א" * 5_000])
def test_five_thousand_characters_are_cut_to_fit(text: str) -> None:
    for content in (card(excerpt=text), FollowUp("Ann", text), LearningReport("routing", "routing-4", True, (text,))):
        result = said(content)
        check(result.blocks)
        assert len(result.text) <= 4_000
        assert "…" in result.text
        assert len(json.dumps(result.blocks, ensure_ascii=False)) < 13_200


def test_an_excerpt_is_about_five_hundred_characters_and_a_follow_up_is_longer() -> None:
    assert "x" * 499 + "…" in shown(card(excerpt="x" * 5_000))
    assert "x" * 2_999 + "…" in shown(FollowUp("Ann", "x" * 5_000))


def test_escaping_never_leaves_half_an_entity() -> None:
    for limit in range(2, 30):
        cut = escaped("a&b<c>d&e<f>g&h", limit)
        assert len(cut) <= limit
        assert re.fullmatch(r"(?:[a-h]|&amp;|&lt;|&gt;)*…?", cut)


def test_a_question_has_a_button_for_each_team_and_one_for_something_else() -> None:
    found = list(buttons(said(Question(("billing", "it"), "pt-BR")).blocks))
    assert [(button["action_id"], button["value"]) for button in found] == [
        ("choose_0", "0"),
        ("choose_1", "1"),
        ("choose_other", OTHER),
    ]
    assert [button["text"] for button in found][2] == {"type": "plain_text", "text": "Outra coisa", "emoji": False}


def test_an_answered_question_has_no_buttons_and_names_the_choice() -> None:
    result = said(Question((), None, answered="billing", chosen=True))
    assert list(buttons(result.blocks)) == []
    assert "billing" in result.text


def test_a_long_team_name_fits_its_button() -> None:
    check(said(Question(("x" * 100,), None)).blocks)


def test_a_card_says_who_where_why_and_how_to_correct_it() -> None:
    text = shown(CARD, link="https://test.slack.com/archives/C0HELP/p1764000000000100")
    for part in (
        "*New request for billing*",
        "From Ann",
        "<https://test.slack.com/archives/C0HELP/p1764000000000100|See the conversation>",
        "The model chose this (92% sure, routing-3)",
        "Wrong team? React with: :moneybag: billing  :wrench: it",
    ):
        assert part in text


def test_a_card_without_a_link_a_name_or_a_legend_leaves_them_out() -> None:
    text = shown(card(author="", legend=()))
    assert "From someone" in text
    assert "See the conversation" not in text
    assert "Wrong team?" not in text


@pytest.mark.parametrize(
    ("by", "reason", "why"),
    [
        (Author.MODEL, Reason.CONFIDENT, "The model chose this (92% sure, routing-3)"),
        (Author.MEMORY, Reason.REMEMBERED, "Remembered from a correction"),
        (Author.MEMORY, Reason.MODEL_DOWN, "the model could not be asked"),
        (Author.MEMORY, Reason.NOT_TRAINED, "the model could not be asked"),
        (Author.PERSON, Reason.CHOSEN, "The person chose this team"),
        (Author.LEAD, Reason.CORRECTED, "A lead moved it here"),
        (Author.FALLBACK, Reason.UNSURE, "Nobody could decide"),
        (Author.FALLBACK, Reason.MODEL_DOWN, "The model could not be asked"),
        (Author.MODEL, Reason.WITHDRAWN, "was withdrawn"),
    ],
)
def test_a_card_says_who_decided_and_why(by: Author, reason: Reason, why: str) -> None:
    assert why in shown(card(by=by, reason=reason))


def test_without_an_adapter_the_base_is_named() -> None:
    assert "(92% sure, starter)" in shown(card(adapter=None))


def test_a_moved_card_is_struck_through_and_says_where_to() -> None:
    result = said(card(moved_to="it"))
    text = json.dumps(result.blocks)
    assert "~New request for billing~" in text
    assert "Moved to it" in text
    assert '"strike": true' in text
    assert "React with" not in text


def test_a_report_lists_its_reasons() -> None:
    text = said(LearningReport("routing", "routing-4", False, ("worse on billing", "3 examples"))).text
    assert text.splitlines()[1:] == ["• worse on billing", "• 3 examples"]
