"""Figures by language, and the gate's limit for each."""

from collections.abc import Mapping
from dataclasses import replace

from bot.domain.gate import judge
from bot.domain.languages import UNDETERMINED, by_language, too_few
from bot.domain.learning import Score, Source


def score(key: str, language: str | None, right: bool) -> Score:
    answer = "billing" if right else "it"
    return Score(key, Source.IMPORT, "billing", answer, {answer: 0.99}, language)


def run(wrong: Mapping[str, int], **counts: int) -> list[Score]:
    """So many scores of each language, the first `wrong` of them wrong."""
    return [
        score(f"{language} {n}", None if language == "none" else language, n >= wrong.get(language, 0))
        for language, count in counts.items()
        for n in range(count)
    ]


def test_scores_are_told_by_language_the_most_frequent_first() -> None:
    rows = by_language(run({}, pt=2, en=3, none=1))
    assert [(language, len(of)) for language, of in rows.items()] == [("en", 3), ("pt", 2), (UNDETERMINED, 1)]


def test_one_language_paying_for_the_others_stops_a_candidate() -> None:
    champion = run({"en": 60}, en=400, pt=60)
    verdict = judge(champion, run({"pt": 6}, en=400, pt=60))
    assert not verdict.promoted
    assert verdict.reasons == ("the language pt falls from 100.0% to 90.0%",)


def test_a_language_may_lose_what_a_team_may() -> None:
    assert judge(run({"en": 60}, en=400, pt=60), run({"pt": 3}, en=400, pt=60)).promoted


def test_of_a_language_of_few_messages_the_verdict_says_how_many_are_missing() -> None:
    verdict = judge(run({"en": 60}, en=400, pt=49), run({"pt": 4}, en=400, pt=49))
    assert verdict.promoted
    assert verdict.reasons[-1] == "too few held-out messages to judge a language by: pt has 49, 1 more needed"


def test_a_language_of_few_messages_may_not_lose_more_than_chance_explains() -> None:
    """Binomial: six or more of 49 lost at a true 5 points has a probability of .036, five or more .10."""
    assert judge(run({"en": 60}, en=400, pt=49), run({"pt": 5}, en=400, pt=49)).promoted
    verdict = judge(run({"en": 60}, en=400, pt=49), run({"pt": 6}, en=400, pt=49))
    assert not verdict.promoted
    assert verdict.reasons[0] == "the language pt falls from 100.0% to 87.8%, more than chance explains"


def test_a_verdict_says_which_languages_nobody_can_judge_yet() -> None:
    after = run({}, en=400, es=12) + [replace(one, truth="it", answer="it") for one in run({}, fr=20)]
    verdict = judge(run({"en": 60}, en=400, es=12) + after[412:], after)
    assert verdict.promoted
    assert verdict.reasons[-1].endswith("fr has 20, 30 more needed; es has 12, 38 more needed")


def test_a_misread_message_or_one_of_no_language_is_no_language_to_judge() -> None:
    assert too_few(run({}, en=400, nl=4, none=30)) == ""
    champion = run({"en": 60}, en=400, none=60)
    assert judge(champion, run({"none": 6}, en=400, none=60)).promoted, "only languages have a floor of their own"


def test_a_verdict_holds_the_figures_of_every_language() -> None:
    figures = judge(run({"en": 60, "pt": 3}, en=400, pt=60), run({}, en=400, pt=60)).figures
    assert (figures["n_pt"], figures["champion_accuracy_pt"], figures["candidate_accuracy_pt"]) == (60, 0.95, 1.0)
