"""The pure parts of a simulated year: which days are lived, what is told of its adapters, and what a shelf keeps."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.simulated_cycle import LEARNING, Event, Inventory, Shelf, counted, figures, learning, told
from benchmarks.simulated_life import MONTH, YEAR, Company, Lived, Month, Pace, Year, resumed, state_of
from benchmarks.simulated_words import SPLIT_DAY, Words, domains, task_on
from benchmarks.simulated_year import main, store, stored, tell, tell_adapters
from bot.domain.learning import Outcome, RegistryEvent

BEGAN = datetime(2025, 1, 6, 8, 0, tzinfo=UTC)
WORDS = Words({"a": ["one"], "b": ["two"], "part": ["three"]}, {}, {}, {"b": 56}, "a", "part")


@pytest.mark.parametrize("days", [3, 26, 52, 364])
def test_every_day_is_lived_once_whole_or_month_by_month(days: int) -> None:
    pace = Pace(days, 20, 0)
    whole, monthly = pace.parts(0, monthly=False), pace.parts(0, monthly=True)
    assert whole == [range(days)]
    assert [step for part in monthly for step in part] == list(range(days))
    months = [{pace.day(step) // MONTH for step in part} for part in monthly]
    assert all(len(month) == 1 for month in months)
    assert len(months) == len(set[int]().union(*months)), "each month is one part"
    assert 0 <= pace.day(0) <= pace.day(days - 1) < YEAR


def test_a_year_goes_on_after_its_last_kept_month() -> None:
    parts = Pace(52, 20, 0).parts(8, monthly=True)
    assert parts[0] == range(8, 12)
    assert Pace(52, 20, 0).parts(52, monthly=True) == []


def test_a_state_that_was_kept_is_the_same_year() -> None:
    year = Year(WORDS, Company("it"), 20, 0)
    year.months[3] = Month((8, 10), (1, 2), 4, 5, 1)
    year.leads.taught["one"] = "a"
    year.leads.ruled["3-1"] = "one", "a", 2
    year.leads.looked.add("3-1")
    year.events[3] = [Event(111.2, "refused", "routing-2", "not proven better")]
    again = Year(WORDS, Company("it"), 20, 0)
    assert resumed(again, json.loads(json.dumps(state_of(year, 16)))) == 16
    assert again == year
    assert resumed(again, None) == 0


def test_a_shelf_keeps_the_last_month_whole_with_its_links_and_modes(tmp_path: Path) -> None:
    company, shelf = tmp_path / "company", Shelf(tmp_path / "kept")
    assert shelf.take(tmp_path / "nowhere") is None
    (company / "runs").mkdir(parents=True)
    (company / "runs" / "log").write_text("first", "utf-8")
    shelf.keep(company, 1, {"step": 4})
    (company / "runs" / "log").write_text("second", "utf-8")
    (company / "runs" / "log").chmod(0o600)
    shelf.keep(company, 10, {"step": 44})
    assert [one.name for one in (tmp_path / "kept").iterdir()] == ["month-10"]
    (tmp_path / "kept" / "unfinished").mkdir()  # killed while it kept another
    assert shelf.take(tmp_path / "again") == {"step": 44}
    log = tmp_path / "again" / "runs" / "log"
    assert (log.read_text("utf-8"), log.stat().st_mode & 0o777) == ("second", 0o600)
    shelf.clear()
    assert not (tmp_path / "kept").exists()


def test_what_the_registry_tells_of_a_month_is_told_in_order() -> None:
    days = [BEGAN + timedelta(days=day) for day in (27, 28, 35.5, 56)]
    kinds = (Outcome.REFUSED, Outcome.CANARY, Outcome.ROLLED_BACK, Outcome.SERVES)
    both = zip(days, kinds, strict=True)
    history = [RegistryEvent(at, f"routing-{n}", what, "gate", "why") for n, (at, what) in enumerate(both)]
    of_month = told(history[::-1], BEGAN, days[1], days[3])
    assert of_month == [Event(28, "canary", "routing-1", "why"), Event(35.5, "rolled back", "routing-2", "why")]
    everything = told(history, BEGAN, BEGAN, days[3] + timedelta(days=1))
    assert counted(everything) == {"canary": 1, "promoted": 1, "refused": 1, "rolled back": 1}


def test_figures_are_told_where_something_was_compared() -> None:
    assert figures({}) == ""
    compared = {"candidate_accuracy": 0.9, "champion_accuracy": 0.875, "n": 800.0}
    compared |= {"candidate_ece": 0.0412, "champion_ece": 0.03}
    said = "90.0% right, the champion 87.5%, of 800; off by 0.041, the champion by 0.030"
    assert figures(compared) == said
    assert figures(compared | {"look": 3.0}) == f"{said}; look 3"


def test_a_company_with_adapters_differs_in_its_learning_alone() -> None:
    task = task_on(SPLIT_DAY, WORDS)
    assert set(task.names) == {"a", "b", "part"}
    assert set(task_on(0, WORDS).names) == {"a"}
    assert learning(task).learning == LEARNING
    assert learning(task).labels == task.labels


def test_adapters_are_judged_by_early_intents_of_the_validation_split_alone(tmp_path: Path) -> None:
    rows = [
        {"text": f"{split} of {intent} number {n}", "label": intent, "split": split}
        for intent in ("a0", "a1", "a2", "b0")
        for split, many in (("train", 3), ("valid", 12), ("test", 9))
        for n in range(many)
    ]
    teams = [row | {"label": row["label"][0]} for row in rows]
    for name, of in (("clinc150", rows), ("clinc_domains", teams)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in of), "utf-8")
    words = domains(tmp_path)
    assert {text.split(" number")[0] for text in words.judged["a"]} == {"valid of a0", "valid of a1"}
    assert (len(words.judged["a"]), len(words.judged["b"])) == (20, 10)
    assert len(words.late["a"]) == 3, "the third intent comes late"
    assert (len(words.early["a"]), len(words.asked["a"])) == (6, 21)


FOUND = Lived(
    {0: Month((8, 10), (1, 2), 4, 5, 1), 1: Month((9, 10))},
    0.75,
    0.8,
    0.1,
    6,
    {"correction": 1},
    {},
    {0: [Event(27, "trained", "routing-1", "90.0% right"), Event(27, "refused", "routing-1", "not proven better")]},
    Inventory(1, 1, 0.3, 0, 1, {"remembered": 6}, 0),
)


def test_a_year_that_was_kept_is_read_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "years" / "it.json"
    assert stored(None) is None
    assert stored(file) is None
    assert store(file, FOUND) == FOUND
    assert stored(file) == FOUND


def test_months_with_adapters_stand_beside_those_without(capsys: pytest.CaptureFixture[str]) -> None:
    company, plain = Company("it"), replace(FOUND, events={}, inventory=None)
    tell({company: plain})
    assert "| 1 | 80% | – | 50% | – | 4 | – | 5 (1) |" in capsys.readouterr().out
    tell_adapters({company: plain}, {company: FOUND})
    told_of = capsys.readouterr().out
    assert "| 1 | 75% | 75% | 4 | 4 | 5 (1) | 1 refused, 1 trained |" in told_of
    assert "| 2 | 90% | 90% | 0 | 0 | 0 (0) | – |" in told_of
    assert "- day 27: routing-1 refused: not proven better" in told_of
    assert "| it, with adapters | 75.0% | 80.0% | 10.0% | 81.8% | 5 (1) | 1 of 6: 1 correction | 0 of 6 |" in told_of


def test_adapters_are_refused_where_nothing_judges_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--data", "nowhere", "--adapters", "--languages"])
    assert "--adapters needs messages to judge by" in capsys.readouterr().err
