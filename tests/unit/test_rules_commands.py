"""`switchboard rules test` and `list`: which rule matches a message, why the others do not, and what each did."""

import io
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.commands.rules_report import list_rules
from bot.domain.rule_record import RuleRecord
from bot.settings import Settings, load

DOCS = Path(__file__).parents[2] / "docs" / "rules.md"
COMPANY = """
[conversation]
languages = ["en", "pt-BR"]
[platforms.web]
[tasks.routing]
question = "Which team?"
fallback = "triage"
[tasks.routing.labels.billing]
means = "Invoices"
deliver_to = { web = "billing" }
[tasks.routing.labels.triage]
means = "The rest"
deliver_to = { web = "triage" }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A company with the rules that the handbook shows."""
    [shown] = re.findall(r"^```toml\n(.*?)^```", DOCS.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    path = tmp_path / "switchboard.toml"
    path.write_text(COMPANY + shown, "utf-8")
    return path


@pytest.fixture
def settings(file: Path) -> Settings:
    return load(file, {})


def run(file: Path, *arguments: str) -> tuple[int, str, str]:
    told = CliRunner().invoke(cli, ["rules", "test", *arguments, "--config", str(file)])
    return told.exit_code, told.stdout, told.stderr


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["Where is purchase order 77?"], "routing\tbilling\tpurchase orders\n"),
        (["qual é a ORDEM de compra?"], "routing\tbilling\tpurchase orders\n"),
        (["PO-2041 is missing", "--language", "en", "--platform", "web"], "routing\tbilling\torder numbers\n"),
        (["PO-2041 fehlt", "--language", "de"], "routing\t-\tno rule: the voices decide\n"),
        (
            ["the heating is off", "--from", "web:employee", "--at", "2026-12-24T23:00"],
            "routing\ttriage\tfrom the caretaker, at night\n",
        ),
        (
            ["the heating is off", "--from", "employee", "--at", "2026-12-24T12:00"],
            "routing\t-\tno rule: the voices decide\n",
        ),
        (["hello", "--from", "bo@mail.partner.example"], "routing\task\tfrom our partner\n"),
    ],
)
def test_which_rule_a_message_would_meet(file: Path, arguments: list[str], answer: str) -> None:
    code, out, _ = run(file, *arguments)
    assert (code, out) == (0, answer)


def test_why_the_others_do_not_apply_is_said_beside_it(file: Path) -> None:
    _, out, told = run(file, "PO-7777 please", "--language", "en", "--at", "2026-12-24T12:00", "--json")
    assert json.loads(out) == [{"rule": "order numbers", "task": "routing", "label": "billing", "asks": False}]
    assert told.splitlines() == [
        "1. purchase orders: no, not its words",
        "3. from the caretaker, at night: no, not its from, not its outside_hours",
        "4. from our partner: no, not its domain",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x", "--at", "tomorrow"], "--at 'tomorrow' is no time; write one like 2026-12-24T20:00"),
        (["x", "--platform", "icq"], "no platform called 'icq' is set up; there are web"),
    ],
)
def test_what_cannot_be_pretended_is_said(file: Path, arguments: list[str], said: str) -> None:
    code, _, told = run(file, *arguments)
    assert code == 2
    assert said in told


def test_what_rules_did_is_listed_with_those_that_leads_often_correct(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    records = {"purchase orders": RuleRecord(9, 3, 2), "long gone": RuleRecord(1)}
    out = io.StringIO()
    list_rules(settings.rules, records, False, out)
    first, second, *_ = out.getvalue().splitlines()
    assert first.startswith(
        '1. purchase orders: words = ["purchase order", "ordem de compra", "发票"] → routing: billing\t'
    )
    assert first.endswith("applied 9 times, corrected 3, confirmed 2; leads often correct it: change it or take it out")
    assert second.endswith("applied 0 times, corrected 0, confirmed 0")
    assert "no longer in the settings, but decided once: long gone" in capsys.readouterr().err
    out = io.StringIO()
    list_rules(settings.rules, records, True, out)
    row = json.loads(out.getvalue().splitlines()[0])
    assert (row["number"], row["applied"], row["corrected"], row["often_corrected"]) == (1, 9, 3, True)


@pytest.mark.parametrize(
    ("applied", "corrected", "often"), [(3, 3, True), (2, 2, False), (15, 3, True), (16, 3, False)]
)
def test_a_rule_is_often_corrected_from_three_times_and_a_fifth_on(applied: int, corrected: int, often: bool) -> None:
    assert RuleRecord(applied, corrected).often_corrected is often
