"""Which corrections are learned at once, which wait for a second lead, and the weight of a lead's statement."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.conversations import Mark, label_by_leads
from bot.domain.embedders import Scale
from bot.domain.guards import Claim, Guards, Held, Near, contradicted, held, trust, weight
from bot.domain.memory_vote import Neighbour, Neighbours, memory_opinion
from bot.domain.messages import MessageRef, Person

USUAL, SCALE = Guards(), Scale()
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def near(*labels: str, similarity: float = 0.8) -> tuple[Near, ...]:
    return tuple(Near(label, similarity) for label in labels)


def test_what_a_lead_says_teaches_at_once() -> None:
    assert held(Claim("access", near=near("access", "billing", "access")), USUAL, SCALE) is None
    assert held(Claim("access", others=True, near=near("access", "billing", "access")), USUAL, SCALE) is None


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (Claim("access", taught=60), Held.TOO_MANY),
        (Claim("access", others=True, near=near(*["billing"] * 7)), Held.CONTRADICTED),
        (Claim("access", others=True, unlearned=True, of_team=4), Held.NEW_TEAM),
        (Claim("access", others=True, agreed=1, overruled=6), Held.DISTRUSTED),
    ],
)
def test_each_guard_holds_a_correction_back_until_a_second_lead_agrees(claim: Claim, why: Held) -> None:
    assert held(claim, USUAL, SCALE) is why
    seconded = Claim(claim.label, 2, False, claim.others, claim.near, claim.taught, claim.unlearned)
    assert held(seconded, USUAL, SCALE) is None


def test_two_of_three_who_agree_do_not_settle_a_dispute() -> None:
    assert held(Claim("access", 2, disputed=True), USUAL, SCALE) is Held.DISPUTED


@pytest.mark.parametrize(
    "claim",
    [Claim("access", near=near(*["billing"] * 7)), Claim("access", unlearned=True), Claim("access", overruled=50)],
)
def test_where_there_is_no_second_lead_nothing_waits_for_one(claim: Claim) -> None:
    assert held(claim, USUAL, SCALE) is None


def test_each_guard_can_be_switched_off() -> None:
    none = Guards(per_hour=0, new_team=0, neighbours=False)
    everything = Claim("access", others=True, near=near(*["billing"] * 7), taught=1_000, unlearned=True)
    assert held(everything, none, SCALE) is None


def test_a_team_that_has_its_first_corrections_needs_no_second_lead() -> None:
    assert held(Claim("access", others=True, unlearned=True, of_team=5), USUAL, SCALE) is None


@pytest.mark.parametrize(
    ("around", "speaks_against"),
    [
        (near("billing", "billing"), False),
        (near("billing", "billing", "billing"), True),
        (near("billing", "billing", "billing", similarity=0.5), False),
        (near("billing", "billing", "billing", "access", "access"), True),
        (near("billing", "billing", "access", "access"), False),
        (near("billing", "triage", "it", "hr"), False),
        ((*near(*["access"] * 7), *near(*["billing"] * 20, similarity=0.6)), False),
    ],
)
def test_many_near_ones_of_one_other_team_contradict(around: tuple[Near, ...], speaks_against: bool) -> None:
    assert contradicted("access", around, SCALE) is speaks_against


def test_a_leads_word_is_worth_what_became_of_it() -> None:
    assert trust(0, 0) == pytest.approx(0.8)
    assert trust(20, 0) == pytest.approx(24 / 25)
    assert trust(0, 5) == pytest.approx(0.4)
    assert (weight(0, 0), weight(100, 0)) == (1.0, 1.0)
    assert weight(4, 3) == pytest.approx((8 / 12) / 0.8)


def test_a_word_that_is_worth_less_weighs_less_in_the_memory() -> None:
    def found(trusted: float) -> Neighbours:
        return Neighbours((Neighbour(1, "access", 0.8, weight=trusted), Neighbour(2, "billing", 0.8)))

    full, half = memory_opinion(found(1.0)), memory_opinion(found(0.5))
    assert full.probabilities["access"] == pytest.approx(1 / 2)
    assert half.probabilities["access"] == pytest.approx(1 / 3)
    assert half.weight == pytest.approx(full.weight / 2)


def test_leads_who_say_the_same_are_counted_once_each() -> None:
    said = [("ann", "access", 1), ("ben", "billing", 2), ("ben", "access", 3), ("ann", "access", 4)]
    ref = MessageRef("slack", "C", "1")
    marks = [Mark(label, Person("slack", who), START + timedelta(seconds=when), ref) for who, label, when in said]
    ruling = label_by_leads(marks, "billing")
    assert ruling is not None
    assert (ruling.agreeing, ruling.disputed) == (2, False)
