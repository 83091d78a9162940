"""What leads' emoji and buttons say about the further questions."""

from dataclasses import replace

from bot.domain.conversations import CardState, PendingReactions
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.messages import choice
from bot.domain.posts import WrongTeam
from bot.domain.question_rules import concluded, read, states, wrong_answers
from bot.domain.reaction_rules import Statement
from bot.domain.tasks import Label, Task
from tests.samples import TASK, VOCABULARY, pending, reaction

MOOD = Task(
    "mood", "How?", (Label("upset", "a", emoji={"web": "😠"}), Label("calm", "b", title="Calm")), "calm", ask_below=0.6
)
UPSET = Decision("mood", "upset", Author.MODEL, Reason.CONFIDENT, {"upset": 0.9, "calm": 0.1})


def said(*emoji: str) -> tuple[PendingReactions, list[Statement]]:
    """Leads' emoji on the card of an upset person, and what they mean."""
    put = [reaction(sign, seconds=60 + n) for n, sign in enumerate(emoji)]
    found = replace(pending(*put), answers=(UPSET,), first_answers=(UPSET,))
    every = [read(TASK, (MOOD,), VOCABULARY, one) for one in put]
    return found, [one for one in every if one is not None]


def test_an_emoji_names_a_team_or_an_answer_and_anything_else_nothing() -> None:
    _, heard = said("💻", "😠", "🐌", "👀")
    assert [(one.task, one.label) for one in heard] == [("", "it"), ("mood", "upset"), ("", "")]


def test_a_button_names_an_answer_only_while_the_emoji_stands_that_brought_it() -> None:
    word = choice("mood/calm", via="👎")
    found, heard = said("👎", word)
    [state] = states((MOOD,), found, heard)
    assert state.decision is not None and state.decision.label == "calm"
    found, heard = said(word)
    assert states((MOOD,), found, heard)[0].decision is None


def test_a_choice_of_a_team_is_none_of_an_answer_that_is_called_alike() -> None:
    team = replace(TASK, labels=(*TASK.labels, Label("calm", "a team")))
    heard = read(team, (MOOD,), VOCABULARY, reaction(choice("calm")))
    assert heard is not None and (heard.task, heard.label) == ("", "calm")


def test_what_leads_say_of_the_mood_says_nothing_of_the_team() -> None:
    found, heard = said("😠")
    state, answers = concluded((MOOD,), found, CardState(), heard)
    assert state.lead_label is None and state.looked
    [mood] = state.questions
    assert mood.lead_label is not None and mood.lead_label.confirms and mood.decision is None
    assert [one.label for one in answers] == ["upset"]


def test_the_question_what_is_right_is_asked_once_and_goes_with_the_emoji() -> None:
    found, heard = said("👎")
    [asked] = wrong_answers((MOOD,), found, heard)
    assert asked.content == WrongTeam(("calm",), question="mood", titles=("Calm",))
    open_now = replace(found, asking=((5, WrongTeam(("calm",), question="mood", titles=("Calm",))),))
    assert wrong_answers((MOOD,), open_now, heard) == []
    [over] = wrong_answers((MOOD,), open_now, [])
    assert (over.edits, over.content) == (5, WrongTeam(("calm",), "upset", "mood", ("Calm",)))


def test_where_every_answer_has_an_emoji_no_buttons_are_needed() -> None:
    both = replace(MOOD, labels=(MOOD.labels[0], replace(MOOD.labels[1], emoji={"web": "🙂"})))
    found, heard = said("👎")
    assert wrong_answers((both,), found, heard) == []
