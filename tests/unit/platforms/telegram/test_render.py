"""What Telegram is given to show, read as Telegram reads it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from bot.domain.continuation import continued
from bot.domain.decisions import Author, Reason
from bot.domain.messages import Media, MediaKind, MessageRef, Place
from bot.domain.posts import (
    KINDS,
    NO,
    OTHER,
    SEND,
    SPLIT,
    YES,
    Answer,
    Card,
    Content,
    Continuation,
    FollowUp,
    Moved,
    Notice,
    Offer,
    OutboxItem,
    Post,
    Question,
    Reply,
    Sent,
    Solved,
    Split,
    What,
    WordsPlease,
    WrongTeam,
)
from bot.domain.question_posts import Alert, QuestionAnswer
from bot.domain.report_posts import Digest, LearningReport, ShadowCard, ShadowExplanation, TrainingProgress, Withdrawal
from bot.domain.rich_text import units
from bot.domain.tasks import Label, Task, Vocabulary
from bot.locales import available
from bot.platforms.telegram.markup import Said, cut
from bot.platforms.telegram.render import render
from bot.platforms.wording import RenderContext
from tests.samples import COMPARED
from tests.servers.telegram.formatting import parse

LANGUAGES = ("en", "pt-BR", "es")
NASTY = '<b>_*[x](http://y) & </blockquote> <a href="z"> &lt; @all'
LONG = "щ" * 5_000
TASK = Task("routing", "?", (Label("billing", "Invoices", title="Billing & Co"), Label("it", "Computers")), "it")
VOCABULARY = Vocabulary({"telegram": "👀"}, {"telegram": "👌"}, {"telegram": "👎"}, {"telegram": "🕊"})
MEDIA = Media("slack", "F1", MediaKind.DOCUMENT, "bill.pdf", 7)
PRIVATE, TEAMS = MessageRef("telegram", "111", "5"), MessageRef("telegram", "-1001234567890", "77")
CARD = Card(
    conversation=7,
    label="billing",
    excerpt="I was charged twice",
    author="Ann",
    source=PRIVATE,
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
    """Every kind of post, with this text wherever a text can be."""
    return [*_to_people(text), *_to_teams(text), *_to_leads(text)]


def _to_people(text: str) -> list[Content]:
    named = Media("slack", "F1", MediaKind.DOCUMENT, text)
    return [
        Answer(text, None),
        Answer(text, None, remembered=True),
        Answer(text, None, undecided=True),
        Answer(text, None, back=datetime(2026, 11, 23, 9, 0)),
        Question((text, text, text), None),
        Question((), None, answered=text, chosen=True),
        Question((), None, answered=text),
        WordsPlease(None),
        Moved(text, None),
        Solved(text, None),
        Solved(text, None, answer=NO),
        Split(text, None, PRIVATE),
        Split(text, None, PRIVATE, done=True),
        Reply(text, text, None, text, (named,)),
        Reply(text, text, None, text, edited=True),
    ]


def _to_teams(text: str) -> list[Content]:
    named = Media("slack", "F1", MediaKind.DOCUMENT, text)
    return [
        full_card(text),
        card(label=text, excerpt=text, author=text, moved_to=text, moved_link=TEAMS, source=TEAMS),
        FollowUp(text, text, (named,)),
        FollowUp(text, text, edited=True),
        FollowUp(text, text, deleted=True),
        FollowUp(text, "", (named,), edited=True, replaces=True),
        *rest(full_card(text)),
        *rest(Reply(text, text, None, text)),
        Continuation(text[:3_000], 1, 1, 3),
        Continuation("", 1, 1, 1, gone=True),
        Offer(1, text, text),
        Offer(1, text, text, sent=True),
        Sent(text, text, text, media=2),
        Sent(text, text, text, problem=text),
        WrongTeam((text,) * 120),
        WrongTeam((), chosen=text),
        WrongTeam(("calm",), question=text, titles=(text,)),
        WrongTeam(("calm",), question=text, titles=(text,), chosen="calm"),
        replace(full_card(text), answers=(answer(text),) * 3),
        Alert("fraud", text, text, 0.9, "model", text, TEAMS),
        Alert("fraud", text, text, 0.9, "lead", text, None, copies=True, author=text, excerpt=text, withdrawn=True),
        *(Notice(what, text, text, text, 30) for what in What),
    ]


def _to_leads(text: str) -> list[Content]:
    return [
        Digest("routing", (1, 0, 3), 4, 1, 1, (("billing", "it"),), (1,), (23,), ("teams",), 2),
        TrainingProgress("routing", text, "failed", 0, text),
        ShadowCard("routing", text, 212, 14, 11),
        ShadowCard("routing", text, 212, 14, 11, "promoted", text),
        ShadowExplanation(text, 400, 0.91, 0.9, (text, text)),
        COMPARED,
        LearningReport("routing", text, True, (text, text)),
        LearningReport("routing", text, False, ()),
        LearningReport("routing", text, False, (), Withdrawal(text, 400, 60, 900, 50)),
    ]


def answer(text: str) -> QuestionAnswer:
    """An answer with everything that it may contain."""
    legend = (("telegram", "😡", text), ("telegram", "🎉", text))
    follows = ("hold", "sooner", "first", "tell", "also_to")
    return QuestionAnswer("fraud", text, text, 0.9, "model", legend, follows, 5, disputed=True, held="too_many")


def links(said: Said) -> list[object]:
    return [entity["url"] for entity in parse(said.text, "HTML")[1] if entity["type"] == "text_link"]


def rest(content: Content) -> list[Continuation]:
    """The posts with the rest of the text."""
    post = Post(Place("telegram", "1"), content)
    found = [post.content for post in continued(OutboxItem(7, post, 1))]
    return [piece for piece in found if isinstance(piece, Continuation)]


def full_card(text: str) -> Card:
    """A card with everything on it."""
    return card(
        label=text,
        excerpt=text,
        author=text,
        source=TEAMS,
        adapter=text,
        legend=((("🤝", text),) * 8),
        remembered=(text, text, text),
        history=((text, text), ("", text)) * 2,
        media=(Media("slack", "F1", MediaKind.DOCUMENT, text),) * 3,
        taken_by=text,
        edited=True,
        disputed=True,
    )


def shown(said: Said) -> str:
    """The text that people see. Raises if Telegram would refuse it."""
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
    return render(content, rendering(language))


def rendering(*languages: str) -> RenderContext:
    return RenderContext(languages, "starter", TASK, VOCABULARY)


def test_every_kind_of_content_is_tried() -> None:
    assert {type(content).__name__ for content in samples("x")} == set(KINDS)
    assert set(LANGUAGES) == set(available())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "text", ["billing", NASTY, LONG, "😀" * 5_000, "a" + "😀" * 5_000, "<" * 5_000, "", "שלום", "\u200b"]
)
def test_whatever_people_write_telegram_can_show_it(text: str, language: str) -> None:
    for content in samples(text):
        for missing in ([], [Media("slack", "F1", MediaKind.DOCUMENT, text or "f")] * 9):
            said = render(content, rendering(language), missing)
            shown(said)
            assert len(buttons(said)) <= 100
            assert all(len(str(value).encode()) <= 64 for _, value in buttons(said))


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_that_people_write_becomes_markup(language: str) -> None:
    for harmless, content in zip(samples("harmless"), samples(NASTY), strict=True):
        kinds = [[e["type"] for e in parse(say(one, language).text, "HTML")[1]] for one in (harmless, content)]
        assert kinds[0] == kinds[1]
        if isinstance(content, Card | Reply | Sent | Moved | Offer):
            assert NASTY in shown(say(content, language))


def test_a_person_is_answered_in_their_language_and_a_team_in_the_first() -> None:
    ours = rendering("en", "pt-BR", "es")
    assert "O pedido já está com ela" in shown(render(Answer("billing", "pt"), ours))
    assert "Ya tiene tu solicitud" in shown(render(Answer("billing", "es-AR"), ours))
    assert "It is with them now" in shown(render(Answer("billing", "ru"), ours))
    assert "New request for Billing & Co" in shown(render(CARD, ours))


def test_a_question_offers_positions_and_something_else() -> None:
    said = say(Question(("billing", "it"), "en"))
    assert buttons(said) == [("Billing & Co", "0"), ("IT", "1"), ("Something else", OTHER)]


@pytest.mark.parametrize("name", ["счёт" * 100, "😀" * 100])
def test_a_long_team_name_fits_its_button_and_never_the_buttons_value(name: str) -> None:
    [(text, value), _] = buttons(say(Question((name,), None)))
    assert units(text) <= 60
    assert value == "0"


def test_an_answered_question_has_no_buttons() -> None:
    chosen, decided_otherwise = (say(Question((), "en", answered="it", chosen=tapped)) for tapped in (True, False))
    assert chosen.keyboard is decided_otherwise.keyboard is None
    assert shown(chosen) == "You chose IT."
    assert shown(decided_otherwise) == "Who can help you best?"


def test_a_reply_speaks_as_the_team() -> None:
    said = say(Reply("billing", "2 < 3 & done", "en", "Lee"))
    assert marked(said, "bold") == ["Billing & Co writes:"]
    assert shown(said) == "Billing & Co writes:\n2 < 3 & done"
    assert "Lee" not in shown(said)
    assert "writes (edited):" in shown(say(Reply("billing", "x", "en", "Lee", edited=True)))


def test_what_could_not_come_along_is_named() -> None:
    for content in (Reply("billing", "see", "en", "Lee", (MEDIA,)), FollowUp("Ann", "see", (MEDIA,))):
        assert shown(render(content, rendering("en"), [MEDIA])).endswith("see\nAttached: bill.pdf")
        assert "bill.pdf" not in shown(say(content))


def test_an_offer_is_quiet_and_has_one_button_until_it_is_taken() -> None:
    offer, taken = say(Offer(1, "Ann", "x")), say(Offer(1, "Ann", "x", sent=True))
    assert (offer.quiet, buttons(offer)) == (True, [("Send", SEND)])
    assert (shown(taken), buttons(taken)) == ("On its way to Ann", [])


def test_what_was_sent_is_shown_with_its_fate() -> None:
    assert shown(say(Sent("done", "Lee", "Ann", media=2))) == "Lee sent to Ann ✓\ndone\n📎 2"
    assert "Not delivered to Ann ✗ blocked" in shown(say(Sent("done", "Lee", "Ann", problem="blocked")))


def test_the_wrong_team_offers_every_other_by_its_position() -> None:
    said = say(WrongTeam(("billing", "it")))
    assert buttons(said) == [("Billing & Co", "0"), ("IT", "1")]
    assert len(buttons(say(WrongTeam(("it",) * 120)))) == 100
    assert buttons(say(WrongTeam((), chosen="it"))) == []


def test_whether_it_is_solved_is_asked_with_two_buttons_until_it_is_answered() -> None:
    assert buttons(say(Solved("billing", "en"))) == [("Yes, thank you", YES), ("Not yet", NO)]
    assert [buttons(say(Solved("billing", "en", answer=answer))) for answer in (YES, NO, "")] == [[], [], []]


def test_a_second_matter_is_split_off_with_one_button() -> None:
    assert buttons(say(Split("billing", "en", PRIVATE))) == [("A new request", SPLIT)]
    assert buttons(say(Split("billing", "en", PRIVATE, done=True))) == []


def test_nobody_took_it_rings_and_what_needs_nothing_does_not() -> None:
    assert "Nobody has taken this for 30 minutes" in shown(say(Notice(What.UNTAKEN, minutes=30)))
    assert not say(Notice(What.UNTAKEN, minutes=30)).quiet
    assert say(Notice(What.LEFT, team="it")).quiet


def test_what_is_said_elsewhere_than_under_its_card_leads_to_the_card() -> None:
    elsewhere = say(Notice(What.UNTAKEN, "it", "Ann", minutes=60, about=MessageRef("telegram", "-10055", "7")))
    assert '<a href="https://t.me/c/55/7">See it there</a>' in elsewhere.text
    assert "it" in shown(elsewhere) and "Ann" in shown(elsewhere)


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
