"""What Slack is given to show."""

import json
import re
from dataclasses import replace

import pytest

from bot.domain.continuation import FILES
from bot.domain.decisions import Author, Reason
from bot.domain.messages import Media, MediaKind, MessageRef
from bot.domain.posts import (
    KINDS,
    NO,
    OTHER,
    YES,
    Answer,
    Card,
    Content,
    Continuation,
    FollowUp,
    Moved,
    Notice,
    Offer,
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
from bot.domain.report_posts import Digest, LearningReport, ShadowCard, ShadowExplanation, TrainingProgress
from bot.domain.tasks import Label, Task, Vocabulary
from bot.locales import available
from bot.platforms.slack.blocks import Said, escaped
from bot.platforms.slack.render import Links, render
from bot.platforms.wording import RenderContext
from tests.samples import COMPARED
from tests.servers.slack.blocks import buttons, check

LANGUAGES = ("en", "pt-BR", "es")
NASTY = "<!channel> <!here> <@U0ANN> <https://evil.example|click> & </b> *bold* _i_ ~s~ `c` @here"
TASK = Task("routing", "?", (Label("billing", "money"), Label("it", "tools", title="IT & Tools")), fallback="billing")
WORDS = Vocabulary(
    take={"slack": "eyes"}, done={"slack": "white_check_mark"}, wrong={"slack": "-1"}, send={"slack": "outbox_tray"}
)
SOURCE = MessageRef("slack", "C0HELP", "1764000000.000100")
PHOTO = Media("slack", "F1", MediaKind.PHOTO, "bill.png", link="https://test.slack.com/files/F1")
VOICE = Media("telegram", "AgAC", MediaKind.VOICE)
CARD = Card(
    conversation=7,
    label="billing",
    excerpt="I was charged twice",
    author="Ann",
    source=SOURCE,
    by=Author.MODEL,
    reason=Reason.CONFIDENT,
    confidence=0.923,
    adapter="routing-3",
    legend=(("moneybag", "billing"), ("wrench", "it")),
)


def card(**changes: object) -> Card:
    fields = {name: getattr(CARD, name) for name in Card.__slots__}
    return Card(**(fields | changes))


def said(content: Content, language: str = "en", links: Links | None = None) -> Said:
    others = tuple(tag for tag in LANGUAGES if tag != language)
    return render(content, RenderContext((language, *others), "starter", TASK, WORDS), links)


def shown(content: Content, language: str = "en", links: Links | None = None) -> str:
    return json.dumps(said(content, language, links).blocks, ensure_ascii=False)


UPSET = QuestionAnswer(
    "sentiment", "upset", "Upset", 0.91, Author.EXAMPLES, (("slack", "rage", "Upset"), ("slack", "relieved", "Calm"))
)
SUSPECT = QuestionAnswer(
    "fraud", "suspect", "Suspicious", 0.97, Author.LEAD, (), ("hold", "sooner", "first", "tell", "also_to"), 5,
    disputed=True, held="too_many",
)  # fmt: skip
TOLD = Alert("fraud", "suspect", "Suspicious", 0.97, Author.EXAMPLES, "billing", SOURCE)
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
    card(media=(PHOTO, VOICE), remembered=("my bill",), history=(("Ann", "hello"), ("", "hm")), taken_by="Ben"),
    card(edited=True, disputed=True, done=True),
    card(deleted=True),
    FollowUp("Ann", "and it is urgent"),
    FollowUp("", "and it is urgent"),
    Digest("routing", (1, 0, 3), 4, 1, 1, (("billing", "it"),), (1,), (23,), ("teams",), 2),
    COMPARED,
    LearningReport("routing", "routing-4", True, ("held-out accuracy 0.91 → 0.94",)),
    LearningReport("routing", "routing-4", False, ()),
    TrainingProgress("routing", "routing-4", "scoring", 40),
    ShadowCard("routing", "routing-4", 212, 14, 11),
    ShadowCard("routing", "routing-4", 212, 14, 11, "kept", "Lee"),
    ShadowExplanation("routing-4", 400, 0.91, 0.9, ("not proven",)),
    FollowUp("Ann", "", media=(PHOTO,)),
    FollowUp("Ann", "now right", edited=True),
    FollowUp("Ann", "", deleted=True),
    FollowUp("Ann", "", media=(PHOTO,), edited=True, replaces=True),
    Continuation("and so on", 7, 1, 2),
    Continuation("and so on", 7, 1, 2, to_person=True),
    Continuation("", 7, 1, 2, gone=True),
    Reply("billing", "We paid you back.", None, "Ben", media=(PHOTO,)),
    Reply("billing", "We paid you back.", None, "Ben", edited=True),
    Offer(3, "Ann", "We paid you back."),
    Offer(3, "", "We paid you back.", sent=True),
    Sent("We paid you back.", "Ben", "Ann", media=2),
    Sent("We paid you back.", "Ben", "", problem="they left"),
    *(Solved("billing", None, answer=answer) for answer in (None, YES, NO, "")),
    Split("billing", None, SOURCE),
    Split("billing", None, SOURCE, done=True),
    WrongTeam(("billing", "it")),
    WrongTeam(("billing", "it"), chosen="it"),
    card(answers=(UPSET, SUSPECT)),
    WrongTeam(("calm",), question="sentiment", titles=("Calm",)),
    WrongTeam(("calm",), question="sentiment", titles=("Calm",), chosen="calm"),
    TOLD,
    replace(TOLD, copies=True, author="Ann", excerpt="I was charged twice"),
    replace(TOLD, withdrawn=True),
    *(Notice(what, team="it", who="Ann", problem="is_archived", minutes=30) for what in What),
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
        card(history=((NASTY, NASTY),), remembered=(NASTY,), taken_by=NASTY),
        card(media=(Media("slack", "F1", MediaKind.PHOTO, NASTY), Media("telegram", "F1", MediaKind.PHOTO, NASTY))),
        FollowUp(NASTY, NASTY),
        FollowUp(NASTY, NASTY, media=(Media("web", "F1", MediaKind.PHOTO, NASTY, link="https://evil.example"),)),
        Reply(NASTY, NASTY, None, NASTY),
        Offer(1, NASTY, NASTY),
        Sent(NASTY, NASTY, NASTY, problem=NASTY),
        Solved(NASTY, None),
        Split(NASTY, None, SOURCE),
        WrongTeam((NASTY,)),
        WrongTeam((NASTY,), chosen=NASTY),
        Notice(What.UNREACHABLE, NASTY, NASTY, NASTY),
        Answer(NASTY, None),
        Moved(NASTY, None),
        Question((), None, answered=NASTY),
        TrainingProgress("routing", NASTY, "failed", 0, NASTY),
        ShadowCard("routing", NASTY, 212, 14, 11, "promoted", NASTY),
        ShadowExplanation(NASTY, 400, 0.91, 0.9, (NASTY,)),
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
    full = card(
        excerpt=text, history=(("Ann", text), ("Ben", text)), remembered=(text,) * 9, taken_by=text, author=text
    )
    for content in (
        full,
        card(excerpt=text, media=(Media("slack", "F1", MediaKind.PHOTO, text, link="https://x/" + "y" * 180),) * 12),
        FollowUp("Ann", text, media=(PHOTO,) * 30),
        Sent(text, text, text, problem=text),
        Notice(What.MISDELIVERED, text, text, text),
        ShadowExplanation("routing-4", 400, 0.91, 0.9, (text,)),
        LearningReport("routing", "routing-4", True, (text,)),
    ):
        result = said(content)
        check(result.blocks)
        assert len(result.text) <= 4_000
        assert "…" in result.text
        assert len(json.dumps(result.blocks, ensure_ascii=False)) < 13_200


def test_sixty_files_and_fifty_lines_of_history_fit_in_one_message() -> None:
    link = "https://x/" + "y" * 180
    files = tuple(Media("slack", f"F{n}", MediaKind.PHOTO, "n" * 250, link=link, cited=True) for n in range(60))
    text = "Слово & <x> " * 400
    history = (("W" * 200, text),) * 50
    full = card(excerpt=text, history=history, media=files, remembered=(text,) * 3, taken_by="N" * 250)
    for content in (full, FollowUp("N" * 250, text, files), Reply("t" * 200, text, "en", "x" * 300, files)):
        result = said(content)
        check(result.blocks)
        assert json.dumps(result.blocks).count(link) == FILES
    check(said(WrongTeam(tuple(f"team {n} {'x' * 80}" for n in range(60)))).blocks)


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


# ── other posts with buttons ──


@pytest.mark.parametrize(
    ("content", "values"),
    [
        (Solved("billing", None), ["yes", "no"]),
        (Solved("billing", None, answer=""), []),
        (Split("billing", None, SOURCE), ["split"]),
        (Split("billing", None, SOURCE, done=True), []),
        (Offer(1, "Ann", "x"), ["send"]),
        (Offer(1, "Ann", "x", sent=True), []),
        (WrongTeam(("billing", "it")), ["0", "1"]),
        (WrongTeam(("billing", "it"), chosen="it"), []),
    ],
)
def test_buttons_stand_as_long_as_there_is_something_to_choose(content: Content, values: list[str]) -> None:
    found = list(buttons(said(content).blocks))
    assert [button["value"] for button in found] == values
    assert [button["action_id"] for button in found] == [f"choose_{value}" for value in values]


def test_a_hundred_teams_are_a_hundred_buttons_in_rows() -> None:
    result = said(WrongTeam(tuple(f"team {number}" for number in range(100))))
    check(result.blocks, total=50_000)
    assert len(list(buttons(result.blocks))) == 100


def test_teams_are_called_by_their_titles() -> None:
    labels = [button["text"] for button in buttons(said(WrongTeam(("billing", "it"))).blocks)]
    assert [label["text"] for label in labels if isinstance(label, dict)] == ["billing", "IT & Tools"]


def test_what_the_team_writes_may_hold_links_and_what_strangers_write_may_not() -> None:
    text = "See https://example.com/pay?id=7. Thanks!"
    assert '{"type": "link", "url": "https://example.com/pay?id=7"}' in shown(Reply("billing", text, None, "Ben"))
    assert '"type": "link"' not in shown(FollowUp("Ann", text))


def test_what_was_sent_shows_by_whom_to_whom_and_whether_it_arrived() -> None:
    assert "Ben sent to Ann ✓" in shown(Sent("We paid.", "Ben", "Ann"))
    assert "Not delivered to Ann ✗ they left" in shown(Sent("We paid.", "Ben", "Ann", problem="they left"))


def test_a_report_speaks_no_markup() -> None:
    assert "&lt;" in said(LearningReport("routing", "<routing>", True, ())).text


def test_a_report_lists_its_reasons() -> None:
    text = said(LearningReport("routing", "routing-4", False, ("worse on billing", "3 examples"))).text
    assert text.splitlines()[1:] == ["• worse on billing", "• 3 examples"]
