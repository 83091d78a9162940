"""Which corrections a second look judges wrong, and which it releases."""

from collections.abc import Mapping

import pytest

from bot.domain.second_look import FREED_FROM, HELD_BELOW, Ruling, rightness, verdicts

TEAMS = ("billing", "it", "sales", "legal", "people")
SURE = 0.96


def ruling(
    example: int, lead: str = "slack:lea", before: str = "billing", label: str = "it", held: bool = False
) -> Ruling:
    return Ruling(example, lead, before, label, f"key {example}", f"text {example}", held)


def sure_of(team: str, sure: float = SURE) -> dict[str, float]:
    """Opinions of voices that are this sure of one team."""
    return {name: sure if name == team else (1 - sure) / (len(TEAMS) - 1) for name in TEAMS}


def test_who_keeps_moving_what_belongs_where_it_is_is_believed_less_and_the_others_are_not() -> None:
    pushed = [ruling(n, "slack:mal", "billing", "it") for n in range(20)]
    honest = [ruling(100 + n, "slack:lea", "billing", "it") for n in range(20)]
    likely = {one.example: sure_of("billing") for one in pushed}
    likely |= {one.example: sure_of("it") for one in honest[:-1]} | {honest[-1].example: sure_of("billing")}
    found = verdicts([*pushed, *honest], likely)
    assert set(found.hold) == {one.example for one in pushed}, "the one sure mistake that Lea mended goes on teaching"
    assert found.free == ()


def test_who_moves_fifty_is_found_out_though_the_voices_have_learned_from_them() -> None:
    """Each of the fifty is asked of voices that know the other forty-nine; some they half believe."""
    there, own = (0.72, 0.62, 0.56, 0.43, 0.37, 0.27, 0.22), (0.02, 0.04, 0.05, 0.07, 0.08, 0.10, 0.20)
    torn = [
        {"billing": b, "it": i} | dict.fromkeys(TEAMS[2:], (1 - b - i) / 3) for b, i in zip(there, own, strict=True)
    ]
    pushed = [ruling(n, "slack:mal", "billing", "it") for n in range(49)]
    likely = {one.example: torn[one.example % len(torn)] for one in pushed}
    assert len(verdicts(pushed, likely, voices_right=0.8).hold) >= len(pushed) * 2 // 5
    assert len(verdicts(pushed[:14], likely, voices_right=0.8).hold) <= 2, "a few of the kind happen to anybody"


def test_who_mends_the_voices_sure_mistakes_all_year_is_believed_and_who_makes_them_is_not() -> None:
    """Corrections are made where the bot was wrong, so that the voices are against nearly all of them."""
    mended = [ruling(n, "slack:lea") for n in range(60)]
    pushed = [ruling(100 + n, "slack:mal") for n in range(60)]
    likely = {one.example: {**sure_of("billing", 0.75), "it": 0.20} for one in mended}
    likely |= {one.example: {**sure_of("billing", 0.97), "it": 0.01} for one in pushed}
    known = [*mended, *pushed]
    assert set(verdicts(known, likely, voices_right=0.8).hold) == {one.example for one in pushed}
    assert max(rightness(mended, likely)) < min(rightness(mended, likely, voices_right=0.8)), "who is oftener right"


def test_voices_that_seem_never_to_be_wrong_are_still_heard() -> None:
    pushed = [ruling(n, "slack:mal") for n in range(60)]
    likely = {one.example: {**sure_of("billing", 0.99), "it": 0.001} for one in pushed}
    assert len(verdicts(pushed, likely, voices_right=1.0).hold) == len(pushed)


def test_a_team_that_the_voices_rule_out_for_a_third_one_is_a_slip() -> None:
    slip = ruling(1, before="billing", label="it")
    likely = {**sure_of("legal", 0.999), "it": 1e-5}
    assert verdicts([slip], {1: likely}).hold == (1,)


def test_one_correction_against_a_sure_mistake_goes_on_teaching() -> None:
    assert verdicts([ruling(1)], {1: sure_of("billing")}).hold == ()


def test_what_the_voices_come_to_agree_with_teaches_again_and_what_is_in_between_stays_held() -> None:
    agreed, torn, wrong = (ruling(n, held=True) for n in (1, 2, 3))
    likely: dict[int, Mapping[str, float]] = {1: sure_of("it"), 3: {**sure_of("legal", 0.999), "it": 1e-5}}
    likely[2] = {"billing": 0.55, "it": 0.045, "sales": 0.13, "legal": 0.13, "people": 0.145}
    right = dict(zip((1, 2, 3), rightness([agreed, torn, wrong], likely), strict=True))
    assert HELD_BELOW < right[2] < FREED_FROM
    assert verdicts([agreed, torn, wrong], likely).free == (1,)
    assert verdicts([agreed, torn, wrong], likely).hold == (), "what is held is not held once more"


def test_of_what_no_voice_can_say_anything_nothing_changes() -> None:
    assert verdicts([ruling(1), ruling(2, held=True)], {1: {}}) == verdicts([], {})


@pytest.mark.parametrize("before", [None, "it", "retired"])
def test_where_it_was_before_may_be_unknown_the_same_or_no_team_any_more(before: str | None) -> None:
    one = Ruling(1, "slack:lea", before, "it", "key", "text")
    (right,) = rightness([one], {1: sure_of("it")})
    assert right > FREED_FROM


def test_the_order_of_the_corrections_says_nothing() -> None:
    rulings = [ruling(n, f"slack:{n % 3}", "billing", TEAMS[n % 5]) for n in range(30)]
    likely = {one.example: sure_of(TEAMS[(one.example * 7) % 5], 0.8) for one in rulings}
    there = dict(zip((one.example for one in rulings), rightness(rulings, likely), strict=True))
    back = dict(zip((one.example for one in reversed(rulings)), rightness(rulings[::-1], likely), strict=True))
    assert back == pytest.approx(there)
