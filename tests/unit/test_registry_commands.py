"""What `history` and `shadow` print."""

import json
from io import StringIO

import pytest

from bot.commands.registry import show_history, show_shadows
from bot.domain.learning import Outcome, RegistryEvent
from bot.domain.shadow import ShadowFigures
from tests.samples import NOW, TASK

SHADOWS = [ShadowFigures("routing-3", 212, 14, 11)]
EVENTS = [
    RegistryEvent(NOW, "routing-1", Outcome.ROLLED_BACK, "rollback", "rolled back from routing-2"),
    RegistryEvent(NOW, "routing-3", Outcome.REFUSED, "gate", "not proven", "schedule", "routing-2", {"n": 400.0}),
]


def test_history_is_one_json_document_for_scripts() -> None:
    out = StringIO()
    show_history(EVENTS, TASK, True, out)
    rolled_back, refused = json.loads(out.getvalue())
    assert (rolled_back["what"], rolled_back["by"], rolled_back["figures"]) == ("rolled back", "rollback", {})
    assert refused == {
        "at": NOW.isoformat(),
        "adapter": "routing-3",
        "what": "refused",
        "by": "gate",
        "why": "not proven",
        "asked_by": "schedule",
        "against": "routing-2",
        "figures": {"n": 400.0},
    }


def test_history_is_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    show_history(EVENTS, TASK, False, StringIO())
    told = " ".join(capsys.readouterr().err.split())
    for word in ("rolled", "refused", "proven", "gate", "schedule"):
        assert word in told


def test_a_shadow_is_a_sentence_and_json_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    show_shadows(SHADOWS, TASK, False, StringIO())
    said = "routing-3 would have routed 14 of 212 requests of routing differently; leads later agreed with it on 11"
    assert said in " ".join(capsys.readouterr().err.split())
    out = StringIO()
    show_shadows(SHADOWS, TASK, True, out)
    assert json.loads(out.getvalue()) == [{"adapter": "routing-3", "heard": 212, "differently": 14, "agreed": 11}]
    show_shadows([], TASK, False, out)
    assert "shadow = true in" in capsys.readouterr().err
