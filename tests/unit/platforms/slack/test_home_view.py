"""The Home tab and the commands' answers, within Slack's limits."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.asking import Record
from bot.domain.conversations import State
from bot.domain.correction_life import CorrectionLife, Facts
from bot.domain.decisions import Author, Basis, Decision, Reason
from bot.domain.guards import Held
from bot.domain.learning import Adapter, Side
from bot.domain.messages import MessageRef, Place
from bot.domain.mixture import Mixture
from bot.domain.queries import Account, Erased, Request, Week
from bot.domain.tasks import Label, Task
from bot.locales import available
from bot.platforms.slack import command_answers
from bot.platforms.slack.home_view import Desktop, ForLeads, home
from tests.servers.slack.blocks import check, elements
from tests.servers.wire import Json, items, word

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
NASTY = "<!channel> <@U1> & *x*"
TASK = Task(
    "routing",
    "?",
    (
        Label(
            "billing", "money", deliver_to={"slack": Place("slack", "C1")}, emoji={"slack": "moneybag"}, title="Billing"
        ),
        Label("mood", "records only"),
    ),
    fallback="billing",
)
REQUEST = Request(
    conversation=7,
    label="billing",
    state=State.ROUTED,
    excerpt="I was charged twice",
    source=MessageRef("slack", "C0HELP", "1.1"),
    card=MessageRef("slack", "C1", "2.2"),
    since=AT,
    taken_by=None,
)
LEADS = ForLeads([], Week(10, 2, 1), "routing-3", runs=True)


def many(count: int) -> list[Request]:
    return [replace(REQUEST, conversation=n, source=MessageRef("slack", "C1", f"{n}.1")) for n in range(count)]


def shown(view: Json) -> str:
    return json.dumps(view, ensure_ascii=False)


@pytest.mark.parametrize("language", sorted(available()))
def test_the_busiest_home_tab_fits_in_a_hundred_blocks(language: str) -> None:
    desktop = Desktop(
        many(200), dict.fromkeys(range(200), "https://x.slack.com/a"), "done", replace(LEADS, doubtful=many(200))
    )
    view = home(desktop, TASK, language)
    check(items(view, "blocks"), most=100, total=250_000)


def test_people_see_their_requests_and_nothing_of_the_leads() -> None:
    text = shown(home(Desktop([REQUEST], {7: "https://x.slack.com/a"}), TASK, "en"))
    for part in (
        "Billing",
        "waiting for somebody",
        "I was charged twice",
        "<https://x.slack.com/a|See the conversation>",
    ):
        assert part in text
    for part in ("routing-3", "Learn now", "in doubt"):
        assert part not in text


def test_leads_see_the_queue_the_week_and_the_model_and_can_act() -> None:
    view = home(Desktop([], {}, leads=replace(LEADS, doubtful=[REQUEST])), TASK, "en")
    text = shown(view)
    for part in ("10 sorted, 80% of them", "1 had to be asked", "routing-3 serves", "I was charged twice"):
        assert part in text
    found = list(elements(items(view, "blocks")))
    assert [word(element, "action_id") for element in found] == ["home_learn", "home_rollback", "home_route"]
    assert found[2]["block_id"] == "slack C0HELP 1.1"


def test_a_lead_of_one_team_has_no_buttons_for_all() -> None:
    view = home(Desktop([], {}, leads=replace(LEADS, runs=False)), TASK, "en")
    assert list(elements(items(view, "blocks"))) == []


def test_who_is_forgotten_hears_until_when_a_model_serves_that_had_learned_from_them() -> None:
    plain = command_answers.forgotten(Erased(2, 1, ()), "en").text
    assert plain.startswith("Erased: requests 2, examples 1.") and "model" not in plain
    learned = command_answers.forgotten(Erased(2, 1, ("routing-1",), AT), "en").text
    assert learned.endswith(f"trained anew without them, and may serve until {AT:%Y-%m-%d} at the latest.")


def test_a_week_without_requests_divides_by_nothing() -> None:
    assert "0 sorted, - of them" in shown(home(Desktop([], {}, leads=replace(LEADS, week=Week(0, 0, 0))), TASK, "en"))


@pytest.mark.parametrize("language", sorted(available()))
def test_every_answer_fits_and_pings_nobody(language: str) -> None:
    nasty = replace(REQUEST, excerpt=NASTY, taken_by=NASTY)
    decisions = tuple(
        (AT, Decision("routing", "billing", by, Reason.CONFIDENT, {"billing": 0.9}, adapter=NASTY)) for by in Author
    )
    said = [
        command_answers.helped(language, lead=True),
        command_answers.status(language, TASK, [], {}),
        command_answers.forgotten(Erased(1, 2, ("routing-1",), AT), language),
        command_answers.with_backlog(
            command_answers.status(language, TASK, [nasty] * 10, {7: "https://x/a"}), language, {"unsaid": 3.0}
        ),
        command_answers.teams(language, TASK),
        command_answers.why(language, TASK, Account(nasty, decisions, (NASTY,))),
        command_answers.models(language, TASK, "starter", []),
        command_answers.models(
            language, TASK, "starter", [(Adapter("routing-1", "routing", Path("x"), "starter", {}, 1.0, AT), True)]
        ),
        command_answers.may_forget(language),
        command_answers.asked_by(language, NASTY, NASTY),
        command_answers.taken(language, "https://x/a"),
    ]
    for answer in said:
        check(answer.blocks)
        assert answer.text
        assert "<!channel>" not in answer.text + json.dumps([b for b in answer.blocks if b["type"] != "rich_text"])


def test_leads_read_what_comes_of_deciding_unasked() -> None:
    proved = Record((("billing", 40, 90, 88, "en"), ("billing", 20, 10, 5, "en")))
    first = Adapter("routing-1", "routing", Path("x"), "starter", {}, 1.0, AT)
    counted = replace(first, name="routing-2", mixture=Mixture(proved=proved))
    by_hand = replace(TASK, ask_below=0.60)
    told = command_answers.models("en", by_hand, "starter", [(first, False), (counted, True)]).text.splitlines()
    assert told[0] == "• routing-1 (2026-03-02)"
    assert told[1] == "• routing-2 (2026-03-02)  ✓ serves: 98% right, 90% covered; asks below 0.60"
    assert command_answers.models("en", TASK, "starter", [(first, True)]).text.endswith("✓ serves")


def test_teams_show_what_they_are_for_and_not_what_is_only_recorded() -> None:
    text = json.dumps(command_answers.teams("en", TASK).blocks)
    assert ":moneybag: *Billing* (billing): money" in text
    assert "records only" not in text


def test_why_lists_the_decisions_oldest_first() -> None:
    first = Decision("routing", "mood", Author.MODEL, Reason.CONFIDENT, {"mood": 0.7}, adapter="routing-3")
    second = Decision("routing", "billing", Author.LEAD, Reason.CORRECTED)
    text = json.dumps(
        command_answers.why("en", TASK, Account(REQUEST, ((AT, first), (AT, second)), ("charged 2x",))).blocks
    )
    assert text.index("mood, says the model (70%, routing-3)") < text.index("Billing, a lead's word")
    assert "charged 2x" in text


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"taken_by": "Ben"}, "Ben is on it"),
        ({"state": State.CLOSED}, "Done"),
        ({"label": None, "state": State.NEW}, "not sorted yet"),
    ],
)
def test_a_request_says_what_became_of_it(changes: dict[str, object], part: str) -> None:
    assert part in command_answers.line("en", TASK, replace(REQUEST, **changes), {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("by", "reason", "said"),
    [
        (Author.MEMORY, Reason.REMEMBERED, "Billing, as similar requests before (90%)"),
        (Author.MEMORY, Reason.MODEL_DOWN, "the model could not be asked"),
        (Author.MEMORY, Reason.NOT_TRAINED, "the model is not trained yet"),
        (Author.FALLBACK, Reason.UNSURE, "because nobody could decide"),
        (Author.FALLBACK, Reason.NOT_TRAINED, "because the model is not trained yet and no known example is similar"),
        (Author.FALLBACK, Reason.RETIRED, "because its team was closed or became part of this one"),
        (Author.MODEL, Reason.MODEL_DOWN, "Billing, says the model (90%, -)"),
    ],
)
def test_why_says_what_is_true_of_a_model_that_did_not_speak(by: Author, reason: Reason, said: str) -> None:
    decision = Decision("routing", "billing", by, reason, {"billing": 0.9})
    account = Account(REQUEST, ((AT, decision),), ("charged twice",), Basis.TAP)
    shown = str(command_answers.why("en", TASK, account).blocks)
    assert said in shown
    assert "Similar, chosen: charged twice" in shown


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (Facts(Side.TRAIN, retired_by="routing-4"), "was learned by routing-4, which gets it right alone"),
        (Facts(Side.TRAIN), "The correction is remembered"),
        (Facts(Side.TRAIN, held=Held.TOO_MANY), "many corrections by one lead within an hour"),
    ],
)
def test_why_says_where_a_correction_is_in_its_life(facts: Facts, said: str) -> None:
    decision = Decision("routing", "billing", Author.LEAD, Reason.CORRECTED)
    corrected = CorrectionLife(1, "billing", "slack:U1", AT, facts)
    account = Account(REQUEST, ((AT, decision),), (), correction=corrected)
    assert said in str(command_answers.why("en", TASK, account).blocks)
