"""Which sentence is said when, in every available language."""

from dataclasses import replace
from datetime import datetime
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from bot.domain.decisions import Author, Reason
from bot.domain.messages import Media, MediaKind, MessageRef
from bot.domain.posts import (
    NO,
    YES,
    Answer,
    Card,
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
from bot.domain.report_posts import LearningReport, ShadowCard, ShadowExplanation, TrainingProgress, Trial
from bot.domain.shadow_card import Fate
from bot.domain.tasks import Label, Task
from bot.locales import available
from bot.platforms.shadow_card import shadow_buttons, shadow_card, shadow_explanation
from bot.platforms.wording import attachment, question, reply, report, to_person, to_team, training_progress

TASK = Task(
    name="routing",
    question="Which team?",
    labels=(Label("billing", "Invoices", title="Accounts"), Label("triage", "The rest", title="Front desk")),
    fallback="triage",
)
SOURCE = MessageRef("web", "customer", "1")
CARD = Card(7, "billing", "I was charged twice", "Cleo", SOURCE, Author.MODEL, Reason.CONFIDENT, 0.96, "routing-3", ())
WEDNESDAY = datetime(2026, 11, 25, 9, 0, tzinfo=ZoneInfo("America/Sao_Paulo"))

TO_PERSON: tuple[tuple[Answer | WordsPlease | Moved | Solved | Split, str], ...] = (
    (Answer("billing", "en"), "Thanks! This is one for Accounts. It is with them now."),
    (
        Answer("billing", "en", remembered=True),
        "Thanks! This is one for Accounts, as with a similar request before. It is with them now.",
    ),
    (
        Answer("triage", "en", undecided=True),
        "Thanks! A person at Front desk will read this and find the right team.",
    ),
    (
        Answer("billing", "en", back=WEDNESDAY),
        "Thanks! This is one for Accounts. They are back on Wednesday at 09:00 and will read it then.",
    ),
    (
        Answer("billing", "en", back=WEDNESDAY, days=0),
        "Thanks! This is one for Accounts. They are back today at 09:00 and will read it then.",
    ),
    (
        Answer("billing", "en", back=WEDNESDAY, days=1),
        "Thanks! This is one for Accounts. They are back tomorrow at 09:00 and will read it then.",
    ),
    (
        Answer("billing", "en", back=WEDNESDAY, days=6),
        "Thanks! This is one for Accounts. They are back on Wednesday at 09:00 and will read it then.",
    ),
    (
        Answer("billing", "en", back=WEDNESDAY, days=7),
        "Thanks! This is one for Accounts. They are back on Wednesday next week at 09:00 and will read it then.",
    ),
    (
        Answer("triage", "en", undecided=True, unread=True),
        "Thanks! I cannot read this well, so a person at Front desk will.",
    ),
    (
        Answer("triage", "en", undecided=True, unread=True, back=WEDNESDAY, days=1),
        "Thanks! I cannot read this well, so a person at Front desk will. They are back tomorrow at 09:00.",
    ),
    (
        Answer("triage", "en", undecided=True, back=WEDNESDAY),
        "Thanks! A person at Front desk will read this and find the right team. They are back on Wednesday at 09:00.",
    ),
    (WordsPlease("en"), "Hello! Tell me in a few words what you need, and I will bring it to the right team."),
    (Moved("billing", "en"), "Accounts has your request now. There is nothing you need to do."),
    (Solved("billing", "en"), "Accounts thinks that this is dealt with. Is it?"),
    (Solved("billing", "en", YES), "Good to hear. Write again whenever you need something."),
    (Solved("billing", "en", NO), "I told Accounts that it is not solved yet."),
    (Solved("billing", "en", ""), "Your request is still open."),
    (
        Split("billing", "en", SOURCE),
        "This seems to be about something other than your request to Accounts. Shall I treat it as a new one?",
    ),
    (Split("billing", "en", SOURCE, done=True), "I treat it as a new request."),
)
NOTICES = {
    What.LEFT: "This went to Accounts",
    What.UNTAKEN: "Nobody has taken this for 30 minutes",
    What.UNREACHABLE: "Nothing reaches the person any more: they blocked the bot",
    What.MISDELIVERED: "A card for Accounts could not be posted, so it is here: they blocked the bot",
    What.REOPENED: "Cleo wrote again, so it is open again. To close it, put the emoji for done on the card anew",
    What.SOLVED: "Cleo says that it is solved",
    What.UNSOLVED: "Cleo says that it is not solved. Once it is, put the emoji for done on the card anew",
    What.NOT_YOURS: "Only Cleo can answer this, so your press changed nothing",
    What.NO_MODEL_LEAD: (
        "Only leads of all teams decide which model serves, so your press changed nothing. Thank you for looking: "
        "they see this card, too"
    ),
    What.NO_MEMBER: "Only people of the team can do that, so your press changed nothing",
    What.NO_LEAD: "Only leads move requests to another team, so your emoji changed nothing",
    What.NOTHING_TO_SEND: (
        "Nothing was sent: there is nothing in this message that can be passed on. Write the words, or attach the file"
    ),
    What.DISPUTED: (
        "Another lead named another team. The last word counts (Accounts); nothing is learned until you agree"
    ),
    What.UNTOLD: "A room that should hear of it (Accounts) could not be posted in: they blocked the bot",
}
TO_TEAM: tuple[tuple[Notice | Sent | Offer | WrongTeam | FollowUp, str], ...] = (
    *((Notice(what, "billing", "Cleo", "they blocked the bot", 30), said) for what, said in NOTICES.items()),
    (
        Notice(What.REOPENED),
        "someone wrote again, so it is open again. To close it, put the emoji for done on the card anew",
    ),
    (
        Notice(What.UNTAKEN, "billing", "Cleo", minutes=60, about=SOURCE),
        "Nobody at Accounts has taken the request from Cleo for 60 minutes",
    ),
    (Sent("Refunded", "Ben", "Cleo"), "Ben sent to Cleo ✓"),
    (Sent("Refunded", "Ben", ""), "Ben sent to someone ✓"),
    (Sent("Refunded", "Ben", "Cleo", "they blocked the bot"), "Not delivered to Cleo ✗ they blocked the bot"),
    (Offer(3, "Cleo", "Refunded"), "Only your team sees this. Send it to Cleo?"),
    (Offer(3, "Cleo", "Refunded", sent=True), "On its way to Cleo"),
    (WrongTeam(("billing", "triage")), "Which team does this belong to?"),
    (WrongTeam(("billing", "triage"), chosen="triage"), "It belongs to Front desk"),
    (FollowUp("Cleo", "and again"), "Cleo added"),
    (FollowUp("", "and again"), "someone added"),
    (FollowUp("Cleo", "and once more", edited=True), "Cleo added (edited since)"),
    (FollowUp("Cleo", "", edited=True, replaces=True), "Cleo changed the attachments: these count now"),
    (FollowUp("Cleo", "", edited=True, deleted=True), "Cleo deleted what they had added"),
)


@pytest.mark.parametrize(("content", "said"), TO_PERSON)
def test_the_person_hears(content: Answer | WordsPlease | Moved | Solved | Split, said: str) -> None:
    assert to_person(content, "en", TASK) == said


@pytest.mark.parametrize(("content", "said"), TO_TEAM)
def test_the_team_reads(content: Notice | Sent | Offer | WrongTeam | FollowUp, said: str) -> None:
    assert to_team(content, "en", TASK) == said


def test_a_file_of_what_is_pointed_at_says_so() -> None:
    scan = Media("slack", "F1", MediaKind.PHOTO, "bill.png", cited=True)
    assert attachment(scan, "en") == "bill.png (from the message it points at)"
    assert attachment(replace(scan, cited=False), "en") == "bill.png"


def test_every_notice_there_is_has_words() -> None:
    assert set(NOTICES) == set(What)


@pytest.mark.parametrize(("language", "content"), list(product(available(), [content for content, _ in TO_PERSON])))
def test_the_person_hears_it_in_their_language(
    language: str, content: Answer | WordsPlease | Moved | Solved | Split
) -> None:
    said = to_person(content, language, TASK)
    assert said and "{" not in said
    assert (said == to_person(content, "en", TASK)) == (language == "en")


@pytest.mark.parametrize(("language", "content"), list(product(available(), [content for content, _ in TO_TEAM])))
def test_the_team_reads_it_in_its_language(
    language: str, content: Notice | Sent | Offer | WrongTeam | FollowUp
) -> None:
    said = to_team(content, language, TASK)
    assert said and "{" not in said
    assert (said == to_team(content, "en", TASK)) == (language == "en")


def test_hours_are_said_in_the_words_of_the_language() -> None:
    later = Answer("billing", None, back=WEDNESDAY)
    assert "Ela volta na quarta-feira às 09:00" in to_person(later, "pt-BR", TASK)
    assert "Vuelve el miércoles a las 09:00" in to_person(later, "es", TASK)


def test_a_team_that_the_settings_know_no_more_keeps_its_name() -> None:
    assert to_person(Moved("returns", "en"), "en", TASK).startswith("returns has your request")


def test_a_reply_says_who_speaks_and_that_it_was_changed() -> None:
    said = Reply("billing", "Refunded", "en", "Ben")
    assert reply(said, "en", TASK) == "Accounts writes:"
    assert reply(replace(said, edited=True), "en", TASK) == "Accounts writes (edited):"
    assert "Ben" not in reply(said, "es", TASK)


def test_a_question_says_what_the_person_chose_and_not_what_others_did() -> None:
    open_ = Question(("billing", "triage"), "en")
    assert question(open_, "en", TASK) == "Who can help you best?"
    assert question(replace(open_, answered="billing", chosen=True), "en", TASK) == "You chose Accounts."
    assert question(replace(open_, answered="billing"), "en", TASK) == "Who can help you best?"


def test_leads_hear_a_verdict_with_its_reasons() -> None:
    judged = LearningReport("routing", "routing-4", True, ("12 more are right",))
    assert report(judged, "en") == ["Learned: routing-4 serves now.", "12 more are right"]
    refused = report(replace(judged, promoted=False), "en")
    assert refused[0] == "Learned, but routing-4 does not serve: the present model stays."


@pytest.mark.parametrize(
    ("trial", "promoted", "expected"),
    [
        (Trial(0.1, ended=False), True, "Learned: routing-2 proved better, and serves 10% of the requests first."),
        (
            Trial(0.1, 300, 20, 2_700, 200),
            True,
            "routing-2 serves everybody now: as a canary leads corrected 20 of its 300 decisions, "
            "and 200 of 2700 of the other's.",
        ),
        (
            Trial(0.1, 90, 40, 900, 60),
            False,
            "routing-2 was withdrawn: as a canary leads corrected 40 of its 90 decisions, "
            "and 60 of 900 of the other's. The present model stays.",
        ),
    ],
    ids=["begun", "promoted", "withdrawn"],
)
def test_leads_hear_of_a_canary(trial: Trial, promoted: bool, expected: str) -> None:
    assert report(LearningReport("routing", "routing-2", promoted, ("better",), trial=trial), "en") == [
        expected,
        "better",
    ]


def test_a_training_says_how_far_it_is_and_why_it_failed() -> None:
    said = [
        training_progress(
            TrainingProgress("routing", "routing-2", phase, 40, "on the Ray cluster it ended with 7: words"), "en"
        )
        for phase in ("training", "scoring", "failed")
    ]
    assert said == [
        "Learning: routing-2 is being trained, 40 %",
        "Learning: routing-2 is being compared with what serves, 40 %",
        "Learning failed, routing-2 was not made: on the Ray cluster it ended with 7. `switchboard models` says more.",
    ]


def test_a_shadow_card_says_what_would_have_been_and_then_what_was_decided() -> None:
    open_card = ShadowCard("routing", "routing-3", 212, 14, 11)
    assert shadow_card(open_card, "en") == [
        "routing-3 answers nobody yet: it has not proved better. It would have routed 14 of 212 requests differently; "
        "leads later agreed with it on 11."
    ]
    assert shadow_buttons(open_card, "en") == [
        ("promote", "Promote"),
        ("keep", "Keep what serves"),
        ("explain", "Explain"),
    ]
    kept = replace(open_card, decided="kept", by="Lee")
    assert shadow_card(kept, "en") == [
        "routing-3 had not proved better. It would have routed 14 of 212 requests differently; leads later agreed with "
        "it on 11.",
        "Lee decided: what serves stays.",
    ]
    assert shadow_buttons(kept, "en") == []


@pytest.mark.parametrize("language", ["en", "pt-BR", "es"])
@pytest.mark.parametrize("fate", Fate)
def test_a_shadow_card_that_is_over_says_in_every_language_why(fate: Fate, language: str) -> None:
    told = shadow_card(ShadowCard("routing", "routing-3", 212, 14, 11, fate.value), language)
    assert len(told) == 2, "what it would have done, then what became of it"
    others = [shadow_card(ShadowCard("routing", "routing-3", 212, 14, 11, one.value), language) for one in Fate]
    assert [one[1] for one in others].count(told[1]) == 1


def test_an_explanation_names_what_was_compared_and_every_reason() -> None:
    told = ShadowExplanation("routing-3", 400, 0.91, 0.905, ("not proven better", "240 more messages are missing"))
    assert shadow_explanation(told, "en") == [
        "Of 400 messages kept apart, routing-3 sorts 91.0% right, what serves 90.5%. What the gate found:",
        "not proven better",
        "240 more messages are missing",
    ]
