"""What the page is given: people's rooms and learning, as text, never markup."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from bot.domain.learning import Cycle, Phase, Verdict
from bot.domain.messages import Media, MediaKind, Message, MessageRef, Person, Place
from bot.domain.posts import NO, YES, Answer, Content, Moved, Post, Question, Reply, Solved, Split, WordsPlease
from bot.domain.queries import TranscriptLine
from bot.domain.question_posts import Alert
from bot.platforms.web import render
from bot.platforms.web.words import Object, Words, team_rooms
from tests.fakes_web import TASK, VOCABULARY

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WORDS = Words(TASK, ("en", "pt-BR"), "starter", VOCABULARY)


def _posted(number: int, content: Content, place: Place) -> TranscriptLine:
    ref = MessageRef("web", place.chat, f"post-{number}")
    return TranscriptLine(ref, place, NOW, None, Post(place, content), ())


def _written(text: str, number: str = "m1", thread: str = "m1") -> TranscriptLine:
    place = Place("web", "customer", thread)
    ref = MessageRef("web", "customer", number)
    return TranscriptLine(
        ref, place, NOW, Message(ref, place, Person("web", "customer", "Customer"), text, NOW), None, ()
    )


def _state(*lines: TranscriptLine) -> Object:
    return render.state(WORDS, lines, {}, NOW)


def _threads(*lines: TranscriptLine) -> list[list[Object]]:
    people = cast(list[Object], _state(*lines)["people"])
    return [cast(list[Object], thread["lines"]) for thread in cast(list[Object], people[0]["threads"])]


def _answer(content: Content) -> Object:
    return _threads(_posted(1, content, Place("web", "customer", "m1")))[0][0]


def test_a_thread_holds_what_was_said_in_it_in_order() -> None:
    answer = _posted(1, Answer("billing", None), Place("web", "customer", "m1"))
    other = _written("another matter", "m2", "m2")
    threads = _threads(_written("I was charged twice"), answer, other, _written("twice!", "m3"))
    assert [[line["text"] for line in lines] for lines in threads] == [
        ["I was charged twice", "Thanks! This is one for billing. It is with them now.", "twice!"],
        ["another matter"],
    ]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (Answer("billing", "pt-PT"), "Obrigado! Isto é com a equipe billing. O pedido já está com ela."),
        (
            Answer("billing", "fi", remembered=True),
            "Thanks! This is one for billing, as with a similar request before.",
        ),
        (Answer("triage", "en", undecided=True), "Thanks! A person at triage will read this and find the right team."),
        (WordsPlease(None), "Hello! Tell me in a few words what you need"),
        (Moved("legal", "en"), "legal has your request now."),
        (Question((), "en", answered="legal", chosen=True), "You chose legal."),
        (
            Answer("billing", "en", back=datetime(2026, 11, 23, 9, 0, tzinfo=UTC)),
            "Thanks! This is one for billing. They are back on Monday at 09:00",
        ),
        (Solved("billing", "en"), "billing thinks that this is dealt with. Is it?"),
        (Solved("billing", "en", answer=NO), "I told billing that it is not solved yet."),
        (Solved("billing", "en", answer=YES), "Good to hear."),
        (Split("billing", "en", MessageRef("web", "customer", "m2")), "This seems to be about something"),
    ],
)
def test_what_the_person_reads(content: Content, text: str) -> None:
    assert str(_answer(content)["text"]).startswith(text)


def test_an_open_question_has_a_button_for_each_candidate_and_one_for_none() -> None:
    line = _answer(Question(("billing", "legal"), "en"))
    assert line["buttons"] == [
        {"value": "0", "text": "billing"},
        {"value": "1", "text": "legal"},
        {"value": "other", "text": "Something else"},
    ]


def test_a_team_speaks_for_itself_in_its_own_words() -> None:
    photo = Media("slack", "F1", MediaKind.PHOTO, "receipt.png", link="https://slack.example/F1")
    line = _answer(Reply("billing", "Sorry about that!", "en", by="Lee", media=(photo,)))
    assert (line["kind"], line["title"], line["text"]) == ("reply", "billing writes:", "Sorry about that!")
    assert line["attached"] == [{"name": "receipt.png", "link": "https://slack.example/F1"}]
    assert "Lee" not in str(line)
    assert _answer(Reply("billing", "Sorry!", "en", by="Lee", edited=True))["title"] == "billing writes (edited):"


def test_whether_it_is_solved_is_a_question_until_it_is_answered() -> None:
    yes, no = {"value": "yes", "text": "Yes, thank you"}, {"value": "no", "text": "Not yet"}
    assert _answer(Solved("billing", "en"))["buttons"] == [yes, no]
    for answer in (YES, NO, ""):
        assert _answer(Solved("billing", "en", answer=answer))["buttons"] == []


def test_another_matter_is_split_off_with_one_button_which_goes() -> None:
    split = Split("billing", "en", MessageRef("web", "customer", "m2"))
    assert _answer(split)["buttons"] == [{"value": "split", "text": "A new request"}]
    assert _answer(replace(split, done=True))["buttons"] == []


def test_a_message_shows_that_it_was_changed_or_deleted() -> None:
    shown = [_threads(line)[0][0] for line in (_written("a"), replace(_written("b"), edited=True), _written(""))]
    assert [(line["edited"], line["deleted"]) for line in shown] == [(False, False), (True, False), (False, True)]


def test_teams_are_called_by_their_titles() -> None:
    titled = replace(TASK.labels[0], title="Customer billing")
    task = replace(TASK, labels=(titled, *TASK.labels[1:]))
    words = replace(WORDS, task=task)
    question = _posted(1, Question(("billing", "legal"), "en"), Place("web", "customer", "m1"))
    state = render.state(words, [question], {}, NOW)
    people, teams = cast(list[Object], state["people"]), cast(list[Object], state["teams"])
    lines = cast(list[Object], cast(list[Object], people[0]["threads"])[0]["lines"])
    assert cast(list[Object], lines[0]["buttons"])[0] == {"value": "0", "text": "Customer billing"}
    assert cast(list[Object], teams[0]["teams"])[0]["name"] == "Customer billing"


def test_markup_stays_the_text_it_was() -> None:
    nasty = "<img src=x onerror=alert(1)> &amp; {team} {0}"
    assert _threads(_written(nasty))[0][0]["text"] == nasty
    assert _answer(Reply("billing", nasty, "en", by="Lee"))["text"] == nasty


def test_every_room_is_there_when_nothing_was_said() -> None:
    state = _state()
    assert [room["room"] for room in cast(list[Object], state["people"])] == ["customer", "employee"]
    assert [room["room"] for room in cast(list[Object], state["teams"])] == list(TASK.names)
    assert state["examples"] == ["I was charged twice for order L-20418", "My parcel should have come on Monday"]


def test_two_labels_may_share_a_room() -> None:
    shared = tuple(replace(label, deliver_to={"web": Place("web", "desk")}) for label in TASK.labels[:2])
    rooms = team_rooms(replace(TASK, labels=(*shared, replace(TASK.labels[2], deliver_to={}))))
    assert {chat: [label.name for label in labels] for chat, labels in rooms.items()} == {
        "desk": ["billing", "delivery"]
    }


def test_a_lesson_ends_with_its_verdict_in_words() -> None:
    cycle = Cycle(1, "routing", "web:lead", Phase.DONE, 1.0, "routing-2", Verdict(False, ("only 7 held-out examples",)))
    shown = render.learning(WORDS, None, cycle, 3)
    assert shown["verdict"] == (
        "Learned, but routing-2 does not serve: the present model stays. Only 7 held-out examples."
    )
    assert (shown["adapter"], shown["promoted"], shown["waiting"]) == (None, False, 3)


def test_a_failed_lesson_says_what_went_wrong() -> None:
    cycle = Cycle(1, "routing", "schedule", Phase.FAILED, 0.2, "routing-2", None, "disk full")
    assert render.learning(WORDS, None, cycle, 0)["verdict"] == (
        "Learning failed, routing-2 was not made. `switchboard models` says why."
    )


def test_nothing_was_learned_yet() -> None:
    assert render.learning(WORDS, None, None, 0)["phase"] is None


def test_a_room_that_only_hears_of_answers_is_there_with_what_it_heard() -> None:
    alert = Alert("fraud", "yes", "Suspicious", 0.97, "model", "billing", None)
    words = replace(WORDS, listening=("security",))
    state = render.state(words, [_posted(1, alert, Place("web", "security"))], {}, NOW)
    room = cast(list[Object], state["teams"])[-1]
    assert room["room"] == "security"
    assert room["teams"] == [{"name": "security", "means": "Hears of answers to further questions", "emoji": ""}]
    assert "Suspicious · 97%" in str(room["cards"])
