"""What leads are told about the past weeks, in which rooms."""

from bot.domain.digest import digest, tally
from bot.domain.drift import Drift, Measure
from bot.domain.messages import Place
from bot.domain.report_posts import Digest
from bot.domain.review import Group, Item, Review, Why
from tests.samples import TASK
from tests.unit.domain.test_review import ASKED, moved, outcome


def test_the_week_counts_and_the_weeks_before_are_only_drawn() -> None:
    old, week = [moved(n, "it") for n in range(5)], [moved(6, "it"), outcome(7, ASKED), outcome(8)]
    days = [tally(old if n == 4 else week if n == 13 else []) for n in range(14)]
    drifts = {
        Measure.TEAMS: Drift(Measure.TEAMS, 0.4, 0.001, True),
        Measure.SCOPE: Drift(Measure.SCOPE, 0.0, 0.9, False),
    }
    made = Review([*old, *week], [Item(week[1], Why.UNSURE, None)], [], [Group((outcome(1),) * 6)], drifts, True)
    [post] = digest(TASK, made, days)
    assert post.place == Place("web", "triage")
    assert post.content == Digest(
        task="routing",
        days=(0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 3),
        decided=3,
        moved=1,
        asked=1,
        pairs=(("billing", "it"),),
        counts=(1,),
        groups=(6,),
        drifted=("teams",),
        waiting=1,
        teams=(("billing", 2), ("IT", 1)),
    )
