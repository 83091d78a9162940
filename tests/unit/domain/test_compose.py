"""Who gets which posts after a decision."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain import compose
from bot.domain.conversations import CardState, LeadLabel, Mark, PendingReactions, State, label_by_leads
from bot.domain.decisions import Author, Basis, Decision, Evidence, Reason, fallback
from bot.domain.hours import hours
from bot.domain.learning import Verdict
from bot.domain.messages import MessageRef, Person, Place, Press
from bot.domain.posts import ON_THE_CARD, Answer, Card, Moved, Notice, Post, Question, Solved, What, WrongTeam
from bot.domain.presses import PendingPress
from bot.domain.report_posts import LearningReport
from tests.samples import (
    AGENT,
    CUSTOMER,
    LEAD,
    NOW,
    PHOTO,
    TASK,
    card,
    case,
    conversation,
    message,
    pending,
    reaction,
    standing,
)

BILLING = Decision("routing", "billing", Author.MODEL, Reason.CONFIDENT, {"billing": 0.9}, "routing-1")
TO_IT = Decision("routing", "it", Author.LEAD, Reason.CORRECTED, actor="web:lead")
MOVED = CardState(LeadLabel("it", LEAD, NOW, confirms=False, disputed=False))
SAID = compose.told(case("charged twice").messages, "charged twice")


def test_what_several_messages_point_at_is_attached_once_and_in_its_order() -> None:
    own, other = replace(PHOTO, id="photo-2"), replace(PHOTO, id="photo-3")
    first, second = (
        replace(message(text), media=media) for text, media in (("a", (own, PHOTO)), ("b", (PHOTO, other)))
    )
    assert compose.told([first, second], "a\nb").media == (own, PHOTO, other)


def routed(text: str = "charged twice", decision: Decision = BILLING, now: datetime = NOW) -> list[Post]:
    known = compose.told(case(text).messages, text)
    return compose.routed(TASK, case(text), decision, known, now)


def the_card(posts: list[Post]) -> Card:
    [new] = [p.content for p in posts if isinstance(p.content, Card) and p.edits is None]
    return new


def judged(of: PendingReactions, decision: Decision | None, now_standing: CardState) -> list[Post]:
    return compose.judged(TASK, of, decision, now_standing, NOW)


# --- the first decision ---


def test_the_person_hears_the_team_and_the_team_gets_the_card() -> None:
    answer, posted = routed()
    assert answer == Post(Place("web", "customer", "1"), Answer("billing", "en"))
    assert posted.place == Place("web", "billing")
    assert the_card([posted]).legend == (("💰", "billing"), ("📦", "delivery"), ("💻", "it"), ("🧭", "triage"))


def test_a_card_carries_a_long_text_whole() -> None:
    assert the_card(routed("x" * 5000)).excerpt == "x" * 5000


def test_a_card_shows_what_was_attached() -> None:
    with_photo = replace(case("charged twice"), messages=(replace(message("charged twice"), media=(PHOTO,)),))
    known = compose.told(with_photo.messages, "charged twice")
    assert the_card(compose.routed(TASK, with_photo, BILLING, known, NOW)).media == (PHOTO,)


def test_an_open_question_loses_its_buttons() -> None:
    asked = replace(case("hmm", asked=True, state=State.ASKED), question=31)
    closing, *_ = compose.routed(TASK, asked, BILLING, SAID, NOW)
    assert (closing.edits, closing.content) == (31, Question((), "en", answered="billing"))


def test_words_are_asked_for_once_a_conversation() -> None:
    silent = case("hi")
    assert len(compose.words_please(silent)) == 1
    again = replace(silent, conversation=replace(silent.conversation, asked_for_words=True))
    assert compose.words_please(again) == []


def test_a_label_without_a_room_is_reached_through_the_fallback() -> None:
    roomless = replace(TASK, labels=(replace(TASK.labels[0], deliver_to={}), *TASK.labels[1:]))
    _, posted = compose.routed(roomless, case("charged twice"), BILLING, SAID, NOW)
    assert posted.place == Place("web", "triage")


def test_out_of_hours_the_answer_says_when_the_team_is_back() -> None:
    working = hours("Mon-Fri 09:00-17:30", "Europe/Lisbon")
    task = replace(TASK, labels=(replace(TASK.labels[0], hours=working), *TASK.labels[1:]))
    tomorrow, monday = (datetime(2026, 11, day, 9, tzinfo=ZoneInfo("Europe/Lisbon")) for day in (24, 23))
    for now, back, days in (
        (NOW, None, None),
        (NOW.replace(hour=20), tomorrow, 1),
        (NOW.replace(hour=5), monday, 0),
        (NOW.replace(day=20, hour=20), monday, 3),
    ):
        answer, _ = compose.routed(task, case("charged twice"), BILLING, SAID, now)
        assert answer.content == Answer("billing", "en", back=back, days=days)


def test_the_card_tells_which_corrections_it_leaned_on() -> None:
    long = "the  refund\nfor my order " * 20
    known = [
        Evidence(1, "billing", long),
        Evidence(2, "it", "my vpn"),
        Evidence(3, "billing", "a double charge"),
        Evidence(4, "billing", "not leaned on"),
        Evidence(5, "billing", "a double charge"),
        Evidence(6, "billing", "chosen by somebody", Basis.TAP),
        Evidence(9, "billing", "from a file", Basis.EXAMPLE),
    ]
    decision = replace(BILLING, by=Author.MEMORY, reason=Reason.REMEMBERED, evidence=(1, 2, 3, 5, 6, 9))
    leaned_on = compose.remembered(decision, known)
    first, second = leaned_on.texts
    assert leaned_on.basis is Basis.CORRECTION
    assert len(first) == compose.REMEMBERED
    assert first.startswith("the refund for my order the refund") and first.endswith("…")
    assert second == "a double charge"


@pytest.mark.parametrize(("basis", "shown"), [(Basis.TAP, "chosen"), (Basis.EXAMPLE, "from a file")])
def test_what_no_lead_corrected_is_never_called_a_correction(basis: Basis, shown: str) -> None:
    known = [Evidence(6, "billing", "chosen", Basis.TAP), Evidence(9, "billing", "from a file", Basis.EXAMPLE)]
    decision = replace(BILLING, by=Author.MEMORY, evidence=(9, 6) if basis is Basis.TAP else (9,))
    assert compose.remembered(decision, known) == compose.Remembered((shown,), basis)


def test_a_decision_of_the_model_leans_on_no_correction() -> None:
    assert compose.remembered(BILLING, [Evidence(1, "billing", "refund")]).texts == ()


def test_a_tap_closes_the_question_and_brings_the_card() -> None:
    pressed = PendingPress(
        1,
        Press(MessageRef("web", "customer", "q"), CUSTOMER, "0", NOW),
        conversation(State.ASKED, None),
        (message("hi", "1"), message("charged twice", "2")),
        post=31,
        on=Question(("billing", "it"), "en"),
    )
    closing, posted = compose.chosen(TASK, pressed, replace(BILLING, by=Author.PERSON, reason=Reason.CHOSEN))
    assert (closing.edits, closing.content) == (31, Question((), "en", answered="billing", chosen=True))
    assert the_card([posted]).excerpt == "charged twice"


# --- a card that moves ---


def test_a_move_strikes_the_old_card_posts_a_new_one_and_tells_the_person_once() -> None:
    struck, posted, person = judged(pending(reaction("💻")), TO_IT, MOVED)
    assert isinstance(struck.content, Card)
    assert (struck.edits, struck.content.moved_to) == (12, "it")
    assert posted.place == Place("web", "it")
    assert person == Post(Place("web", "customer", "1"), Moved("it", "en"))


def test_the_new_team_sees_what_was_said_before_and_the_old_one_that_it_left() -> None:
    words = [("Cleo", f"{n} " + "more " * 100) for n in range(60)]
    before = replace(pending(reaction("💻")), history=tuple(words))
    posts = judged(before, TO_IT, MOVED)
    new = the_card(posts)
    assert new.replaces == 12
    assert new.history == (("…", "+10"), *words[-compose.MOST_HISTORY :])
    assert Post(Place("web", "billing"), Notice(What.LEFT, team="it"), under=12) in posts


def test_a_card_that_somebody_had_taken_is_nobodys_in_its_new_room() -> None:
    taken = replace(card(), taken_by="Ada", done=True, edited=True, media=(PHOTO,), remembered=("old",))
    new = the_card(judged(pending(reaction("💻"), content=taken), TO_IT, MOVED))
    assert (new.taken_by, new.done, new.edited, new.media, new.remembered) == ("", False, True, (PHOTO,), ())


def test_a_move_without_a_card_still_brings_one() -> None:
    posted, person = judged(replace(pending(), card=None), TO_IT, MOVED)
    assert the_card([posted]).excerpt == "charged twice"
    assert isinstance(person.content, Moved)


def test_buttons_that_asked_for_the_team_go_when_it_moves() -> None:
    asking = replace(pending(reaction("💻")), asking=((20, WrongTeam(("it", "delivery"))),))
    posts = judged(asking, TO_IT, MOVED)
    assert Post(ON_THE_CARD, WrongTeam(("it", "delivery"), chosen="it"), edits=20) in posts


def test_a_leads_choice_answers_what_the_person_was_asked() -> None:
    asked = replace(pending(), conversation=conversation(State.ASKED, None), card=None, cards=(), question=31)
    closing, answer, posted = judged(asked, TO_IT, MOVED)
    assert (closing.edits, closing.content) == (31, Question((), "en", answered="it"))
    assert answer.content == Answer("it", "en")
    assert the_card([posted]).by == Author.LEAD


# --- what agents say on a card ---


def test_a_card_says_who_is_on_it_and_that_it_is_done() -> None:
    edited, solved = judged(pending(), None, CardState(taken_by=AGENT, done=True))
    assert edited == Post(Place("web", "billing"), replace(card(), taken_by="Ada", done=True), edits=12)
    assert solved == Post(Place("web", "customer", "1"), Solved("billing", "en"))


def test_a_card_that_says_the_same_is_not_rewritten() -> None:
    assert judged(pending(content=replace(card(), taken_by="Ada")), None, CardState(taken_by=AGENT)) == []


def test_somebody_without_a_name_is_on_it_nevertheless() -> None:
    [edited] = judged(pending(), None, CardState(taken_by=Person("web", "u7")))
    assert isinstance(edited.content, Card)
    assert edited.content.taken_by == "u7"


def test_the_person_is_asked_once_whether_it_is_solved() -> None:
    done = replace(card(), done=True)
    assert judged(pending(state=State.CLOSED, content=done), None, CardState(done=True)) == []


def test_no_longer_done_the_question_goes() -> None:
    asking = ((30, Solved("billing", "en")),)
    closed = replace(pending(state=State.CLOSED, content=replace(card(), done=True)), asking=asking)
    edited, settled = judged(closed, None, CardState())
    assert edited.content == card()
    assert settled == Post(Place("web", "customer", "1"), Solved("billing", "en", answer=""), edits=30)


def test_a_closed_conversation_that_moves_asks_nobody_whether_it_is_solved() -> None:
    closed = replace(pending(reaction("💻"), state=State.CLOSED), asking=((30, Solved("billing", "en")),))
    posts = judged(closed, TO_IT, MOVED)
    assert [p.content for p in posts if isinstance(p.content, Solved)] == [Solved("billing", "en", answer="")]


def test_a_dispute_is_told_once_and_stays_on_the_card() -> None:
    marks = [
        Mark("it", LEAD, NOW, MessageRef("web", "billing", "c")),
        Mark("billing", Person("web", "lead2"), NOW.replace(minute=1), MessageRef("web", "billing", "c")),
    ]
    disputed = CardState(label_by_leads(marks, "billing"))
    edited, notice = judged(pending(), None, disputed)
    assert isinstance(edited.content, Card)
    assert edited.content.disputed
    assert notice == Post(ON_THE_CARD, Notice(What.DISPUTED, team="billing"))
    assert judged(pending(content=edited.content), None, disputed) == []


def test_wrong_team_offers_the_others_the_likeliest_first_and_only_once_at_a_time() -> None:
    [offered] = compose.wrong_team(TASK, pending())
    assert offered == Post(ON_THE_CARD, WrongTeam(("it", "triage", "delivery")))
    asking = replace(pending(), asking=((20, WrongTeam(("it",))),))
    assert compose.wrong_team(TASK, asking) == []


def test_only_who_tried_hears_that_they_may_not() -> None:
    post = compose.no_lead(Place("web", "billing"), AGENT)
    assert (post.only_for, post.content) == (AGENT, Notice(What.NO_LEAD))


# --- other cases ---


def test_leads_hear_the_verdict_in_the_fallback_teams_room() -> None:
    [post] = compose.learned(TASK, "routing-2", Verdict(True, ("better",)))
    assert post.place == Place("web", "triage")
    assert post.content == LearningReport("routing", "routing-2", True, ("better",))


@pytest.mark.parametrize(
    ("text", "short"), [("short", "short"), ("a\n b", "a b"), ("abcdefghijk", "abcdefghi…"), ("", "")]
)
def test_a_shortened_text_is_one_line(text: str, short: str) -> None:
    assert compose.shortened(text, 10) == short


def test_a_card_nobody_could_decide_on_says_the_fallback_has_it() -> None:
    answer, posted = routed("charged twice", fallback(TASK, Reason.WORDLESS))
    assert answer.content == Answer("triage", "en", undecided=True)
    assert the_card([posted]).reason == Reason.WORDLESS


def test_the_standing_card_of_the_samples_is_the_one_the_reactions_are_on() -> None:
    assert standing().ref == reaction("💻").ref


def test_what_was_said_before_and_does_not_go_along_is_counted() -> None:
    said = tuple(("Ann", f"line {n}") for n in range(compose.MOST_HISTORY + 3))
    assert compose.newest(said[3:]) == said[3:]
    assert compose.newest(said) == (("…", "+3"), *said[3:])
