"""The leads of a simulated company, on PostgreSQL."""

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from benchmarks import simulated_leads, simulated_life
from benchmarks.simulated_leads import NEVER, Leads, Request, Told, another, drawn
from benchmarks.simulated_life import START
from benchmarks.simulated_office import Model, Office, Untrained
from benchmarks.simulated_words import Words, task_on
from bot.domain.learning import Example, Side, Source
from db.engine import Database

WORDS = Words(
    {
        "garage": [f"the {thing} of the car is broken" for thing in ("engine", "clutch", "bumper", "radiator")],
        "garden": [f"the {thing} in the garden is dry" for thing in ("lawn", "hedge", "rose", "orchard")],
        "kitchen": [f"the {thing} in the kitchen is dirty" for thing in ("oven", "kettle", "sink", "toaster")],
    },
    {},
    {},
    {},
    "garage",
    "nothing",
)
TEXT = "water the hedge in the garden"


@pytest.fixture
async def office(database: Database, tmp_path: Path) -> Office:
    opened = Office(database, tmp_path, START, task_on(0, WORDS), Model(Untrained(), "none"), WORDS.languages)
    rows = [(text, team) for team, texts in WORDS.early.items() for text in texts]
    known = [Example(text, team, Source.IMPORT, Side.TRAIN, START) for text, team in rows]
    await opened.examples.add_examples(opened.task.name, known)
    await opened.backfill.all(lambda _done: None)  # the memory alone decides: no voice takes its time to be fitted
    return opened


async def request(office: Office, truth: str) -> Request:
    """Somebody writes `TEXT`, which comes to the garden, and belongs to that team."""
    found = await office.sorted({"room": TEXT}, {"room": "garden"})
    assert found["room"].team == "garden"
    return Request("room", TEXT, truth, truth, found["room"])


def says(monkeypatch: pytest.MonkeyPatch, leads: Leads, words: Iterator[tuple[str, bool]]) -> None:
    """Whoever may say something does; the words come in this order."""
    monkeypatch.setattr(simulated_leads, "CORRECTED", 1.0)
    monkeypatch.setattr(leads, "_word", lambda *_: next(words))


async def test_the_team_that_a_wrong_correction_reached_corrects_it_and_nothing_is_learned(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads = Leads(NEVER, 0)
    says(monkeypatch, leads, iter([("garage", True), ("kitchen", False)]))
    assert await leads.correct(office, await request(office, "kitchen"), late=False) == Told(2, 1)
    card, _ = office.chat.cards["room"]
    assert (card.label, card.disputed) == ("kitchen", True)
    assert leads.taught == {TEXT: "kitchen"}
    assert await office.said_of(TEXT) == "correction (disputed) < correction withdrawn"


async def test_one_request_is_moved_three_times_at_most(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    leads = Leads(NEVER, 0)
    says(monkeypatch, leads, iter([("garage", True), ("garden", True)] * 3))
    assert await leads.correct(office, await request(office, "kitchen"), late=True) == Told(3, 3)
    assert leads.taught == {}


async def test_a_push_is_noted_as_the_malicious_leads(office: Office) -> None:
    leads, one = Leads(NEVER, 0), await request(office, "garden")
    leads.taught[TEXT] = "garden"
    assert await leads.push(office, [one]) == Told(wrong=1)
    assert office.chat.cards["room"][0].label == "kitchen"
    assert (leads.taught, leads.ruled["room"]) == ({}, (TEXT, "garden", -1))


async def test_a_correction_that_waits_is_answered_once_by_another_lead(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads, one = Leads(NEVER, 0), await request(office, "garden")
    await office.corrects(one.sorted.card or "", "garage", "lead-0")
    leads.ruled["room"] = TEXT, "garden", 0
    assert await leads.second(office, {"garden": "garden"}, late=False) == Told(), "nothing waits"
    monkeypatch.setattr(office, "waiting", lambda: {"room"})
    says(monkeypatch, leads, repeat(("garage", False)))
    assert await leads.second(office, {"garden": "garage"}, late=False) == Told(1, 0)
    assert (await office.said_of(TEXT)).split(" < ")[0] == "correction"
    assert await leads.second(office, {"garden": "garage"}, late=False) == Told()


async def test_a_company_without_messages_to_judge_by_begins_all_the_same(database: Database, tmp_path: Path) -> None:
    opened = Office(database, tmp_path, START, task_on(0, WORDS), Model(Untrained(), "none"), WORDS.languages)
    await simulated_life._begins(opened, WORDS, judged=False)
    assert len(await opened.examples.examples(opened.task.name)) == 12


def test_another_lead_is_never_the_same() -> None:
    for lead in (-1, 0, 1, 2):
        draws = {another(drawn(seed, "x"), lead) for seed in range(40)}
        assert draws == {0, 1, 2} - {lead}
