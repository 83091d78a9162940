"""What the leads' standing statements mean together."""

from datetime import timedelta

from bot.domain.conversations import Mark, label_by_leads
from bot.domain.messages import MessageRef, Person
from tests.samples import LEAD, NOW

CARD = MessageRef("web", "billing", "c1")
OTHER_LEAD = Person("slack", "U2")


def mark(label: str, seconds: int, lead: Person = LEAD) -> Mark:
    return Mark(label, lead, NOW + timedelta(seconds=seconds), CARD)


def test_nobody_spoke() -> None:
    assert label_by_leads([], "billing") is None


def test_the_last_statement_wins_whatever_order_they_arrive_in() -> None:
    early, late = mark("it", 1), mark("delivery", 2)
    for marks in ([early, late], [late, early]):
        lead_label = label_by_leads(marks, "billing")
        assert lead_label is not None
        assert (lead_label.label, lead_label.lead) == ("delivery", LEAD)


def test_one_lead_changing_her_mind_is_no_dispute() -> None:
    lead_label = label_by_leads([mark("it", 1), mark("delivery", 2)], "billing")
    assert lead_label is not None
    assert not lead_label.disputed


def test_two_leads_naming_different_teams_dispute() -> None:
    lead_label = label_by_leads([mark("it", 1), mark("delivery", 2, OTHER_LEAD)], "billing")
    assert lead_label is not None
    assert (lead_label.label, lead_label.disputed) == ("delivery", True)


def test_two_leads_naming_the_same_team_agree() -> None:
    lead_label = label_by_leads([mark("it", 1), mark("it", 2, OTHER_LEAD)], "billing")
    assert lead_label is not None
    assert not lead_label.disputed


def test_naming_the_team_it_has_already_confirms() -> None:
    lead_label = label_by_leads([mark("billing", 1)], "billing")
    assert lead_label is not None
    assert lead_label.confirms
