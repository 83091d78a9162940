"""Forms, within Slack's limits."""

import json

import pytest

from bot.domain.messages import Place
from bot.domain.tasks import Label, Task
from bot.locales import available
from bot.platforms.slack.modals import fitting, refusal, reply_form, route_form
from tests.servers.slack.blocks import check_form

TEAMS = tuple(Label(f"team{n}", "x", deliver_to={"slack": Place("slack", "C1")}, title="T" * 80) for n in range(120))
TASK = Task("routing", "?", (*TEAMS, Label("recorded", "no room")), fallback="team0")


def values(view: dict[str, object]) -> list[str]:
    return [part.split('"')[0] for part in json.dumps(view["blocks"]).split('"value": "')[1:]]


@pytest.mark.parametrize("language", sorted(available()))
@pytest.mark.parametrize("lead", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_every_form_opens_in_every_language(language: str, lead: bool, known: bool) -> None:
    check_form(route_form(TASK, language, {"chat": "C1"}, lead=lead, known=known))
    check_form(reply_form(language, {"card": "slack C1 1.1"}))


def test_a_lead_chooses_a_team_or_lets_us_decide() -> None:
    form = route_form(TASK, "en", {}, lead=True, known=False)
    assert values(form)[:3] == ["-", "team0", "team1"]
    assert "recorded" not in values(form)


def test_what_is_a_request_already_can_only_be_moved() -> None:
    assert "-" not in values(route_form(TASK, "en", {}, lead=True, known=True))


def test_others_can_only_let_us_decide() -> None:
    assert values(route_form(TASK, "en", {}, lead=False, known=False)) == []


@pytest.mark.parametrize("text", ["", "short", "x" * 9_000, '"\n' * 9_000, "Щ" * 9_000])
def test_notes_fit_whatever_was_written(text: str) -> None:
    notes = fitting({"chat": "C1", "ts": "1.1"}, text)
    check_form(route_form(TASK, "en", notes, lead=False, known=False))
    assert text.startswith(notes["text"].removesuffix("…"))
    assert len(notes["text"]) > 1_000 or notes["text"] == text


def test_a_refused_form_says_why_at_its_field() -> None:
    assert refusal("no") == {"response_action": "errors", "errors": {"answer": "no"}}
