"""Why a message is where it is, with the state of a lead's correction of it."""

import json
from dataclasses import replace
from io import StringIO

import pytest

from bot.commands.why import show
from bot.domain.conversations import State
from bot.domain.correction_life import CorrectionLife, Facts
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.guards import Held
from bot.domain.learning import Side
from bot.domain.messages import MessageRef
from bot.domain.queries import Account, Request
from bot.domain.tasks import Label, Task
from tests.samples import NOW, TASK

MODEL = Decision("routing", "billing", Author.MODEL, Reason.CONFIDENT, {"billing": 0.9})
LEAD = Decision("routing", "it", Author.LEAD, Reason.CORRECTED)
BACK = replace(MODEL, reason=Reason.WITHDRAWN)
MOOD = Task("mood", "How?", (Label("upset", "Upset", title="Very upset"), Label("calm", "Calm")), "calm")
ANSWERS = (
    (NOW, Decision("mood", "upset", Author.RULE, Reason.RULE, rule="shouting")),
    (NOW, Decision("gone", "left", Author.LEAD, Reason.CORRECTED)),
)
REQUEST = Request(7, "it", State.ROUTED, "I cannot log in", MessageRef("web", "c", "m"), None, NOW, None)


def told(facts: Facts | None, *made: Decision, as_json: bool = False, further: bool = False) -> list[str]:
    life = None if facts is None else CorrectionLife(3, "it", "web:lead", NOW, facts)
    out = StringIO()
    account = Account(REQUEST, tuple((NOW, one) for one in made), (), correction=life, answers=ANSWERS[: 2 * further])
    show(account, (TASK, MOOD), as_json, out)
    return out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (Facts(Side.TRAIN), "remembered"),
        (Facts(Side.TRAIN, drawn=True, learned_by="routing-3"), "learned by the adapter that serves (routing-3)"),
        (Facts(Side.TRAIN, retired_by="routing-3"), "learned, and let go of by the memory (routing-3)"),
        (Facts(Side.TRAIN, held=Held.CONTRADICTED), "waiting for a second lead (contradicted)"),
        (Facts(Side.TRAIN, held=Held.DISPUTED), "disputed"),
        (Facts(Side.TRAIN, withdrawn=True, held=Held.TOO_MANY), "withdrawn"),
    ],
)
def test_the_life_of_a_correction_is_the_last_line(facts: Facts, said: str) -> None:
    lines = told(facts, MODEL, LEAD)
    assert len(lines) == 3
    assert lines[-1] == f"-\tcorrection\t{said}"


def test_without_a_correction_there_are_decisions_alone() -> None:
    assert [line.split("\t")[2] for line in told(None, MODEL)] == ["model (confident, 90%)"]


def test_programs_find_it_with_the_decision_that_the_lead_made() -> None:
    rows = [json.loads(line) for line in told(Facts(Side.TRAIN, withdrawn=True), MODEL, LEAD, BACK, as_json=True)]
    assert [(row["label"], row["by"], row["correction"]) for row in rows] == [
        ("billing", "model", None),
        ("it", "lead", "withdrawn"),
        ("billing", "model", None),
    ]


def test_answers_to_further_questions_follow_with_their_question() -> None:
    lines = told(Facts(Side.TRAIN), MODEL, LEAD, further=True)
    assert [line.split("\t")[1:] for line in lines[-3:]] == [
        ["correction", "remembered"],
        ["mood: Very upset", "rule shouting (rule)"],
        ["gone: left", "lead (corrected)"],
    ]
    rows = [json.loads(line) for line in told(Facts(Side.TRAIN), LEAD, as_json=True, further=True)]
    assert [(row["task"], row["label"], row["rule"], row["correction"]) for row in rows] == [
        ("routing", "it", None, "remembered"),
        ("mood", "upset", "shouting", None),
        ("gone", "left", None, None),
    ]
