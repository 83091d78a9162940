"""Questions that several labels may answer: where yes begins, and what an emoji means."""

from dataclasses import replace

import pytest

from bot.domain.asking import record
from bot.domain.conversations import CardState
from bot.domain.decisions import Author, Decision, Opinion, Reason
from bot.domain.posts import WrongTeam
from bot.domain.question_rules import concluded, read, wrong_answers
from bot.domain.questions import answered, shown
from bot.domain.several import yes_from
from bot.domain.tasks import Label, Task
from tests.samples import TASK, VOCABULARY, pending, reaction

LEGAL = Task(
    "subject.legal",
    "What is it about?",
    (Label("yes", "law", title="Legal", emoji={"web": "⚖"}), Label("no", "else", title="✗ Legal")),
    "no",
    part_of="subject",
)


def said(yes: float) -> Decision:
    label = "yes" if yes >= 0.5 else "no"
    return Decision(LEGAL.name, label, Author.MODEL, Reason.CONFIDENT, {"yes": yes, "no": 1 - yes})


def test_yes_begins_where_it_gave_the_best_f1_on_texts_nobody_learned_from() -> None:
    rows = [(0.05, "no", 60), (0.25, "no", 8), (0.35, "yes", 10), (0.85, "yes", 12)]
    known = [({"yes": p, "no": 1 - p}, truth) for p, truth, many in rows for _ in range(many)]
    line = yes_from(record([p for p, _ in known], [truth for _, truth in known]))
    assert 0.26 < line <= 0.35, "above what was no, and not above what was yes"
    proved = record([p for p, _ in known], [truth for _, truth in known])
    for yes, label in ((0.36, "yes"), (0.24, "no")):
        made = answered(LEGAL, [Opinion(Author.EXAMPLES, {"yes": yes, "no": 1 - yes}, proved=proved)])
        assert made is not None and made.label == label
        assert made.confidence == pytest.approx(yes if label == "yes" else 1 - yes)


def test_few_texts_say_nothing_of_it() -> None:
    assert yes_from(None) == 0.5
    assert yes_from(record([{"yes": 0.3, "no": 0.7}] * 9, ["yes"] * 9)) == 0.5


@pytest.mark.parametrize(("yes", "after", "title"), [(0.9, "no", "✗ Legal"), (0.2, "yes", "Legal")])
def test_an_emoji_takes_off_what_is_there_and_adds_what_is_not(yes: float, after: str, title: str) -> None:
    first = said(yes)
    put = [reaction("⚖")]
    heard = [one for sign in put if (one := read(TASK, (LEGAL,), VOCABULARY, sign)) is not None]
    found = replace(pending(*put), answers=(first,), first_answers=(first,))
    state, answers = concluded((LEGAL,), found, CardState(), heard)
    [now] = answers
    assert (now.label, now.title, now.by, now.absent) == (after, title, Author.LEAD, False)
    [question] = state.questions
    assert question.lead_label is not None and not question.lead_label.confirms
    taken_back = replace(found, answers=(question.decision or first,))
    back, _ = concluded((LEGAL,), taken_back, CardState(), [])
    assert back.questions[0].decision == replace(first, reason=Reason.WITHDRAWN)


def test_what_is_not_there_is_shown_by_nothing_but_the_emoji_that_adds_it() -> None:
    [answer] = shown((LEGAL,), (said(0.1),))
    assert answer.absent and answer.legend == (("web", "⚖", "Legal"),)


def test_buttons_are_for_labels_without_an_emoji() -> None:
    heard = [one for one in [read(TASK, (LEGAL,), VOCABULARY, reaction("👎"))] if one is not None]
    found = replace(pending(reaction("👎")), answers=(said(0.9),))
    assert wrong_answers((LEGAL,), found, heard) == []
    plain = replace(LEGAL, labels=tuple(replace(label, emoji={}) for label in LEGAL.labels))
    [asked] = wrong_answers((plain,), found, heard)
    assert asked.content == WrongTeam(("no",), question="subject.legal", titles=("✗ Legal",))
