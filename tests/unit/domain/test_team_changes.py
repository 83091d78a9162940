"""Which changes fit the settings, present names, and the report about labels that are not used."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.errors import UsageError
from bot.domain.tasks import Label, Task
from bot.domain.team_changes import (
    FormerNames,
    Kind,
    KnownLabel,
    MadeChange,
    TeamChange,
    check_change,
    check_known,
    former_names,
    is_done,
    renaming_of,
    unasked,
    unheard,
)

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TASK = Task("routing", "Which team?", (Label("access", "passwords"), Label("triage", "the rest")), "triage")


def wanted(kind: Kind, before: str, after: str) -> TeamChange:
    return TeamChange(kind, before, after, "ann")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (wanted(Kind.RENAME, "acess", "logins"), "the settings have no 'logins'; put it there first"),
        (
            wanted(Kind.RENAME, "access", "triage"),
            "the settings still have this team; rename it to 'triage' there first",
        ),
        (wanted(Kind.MERGE, "access", "triage"), "the settings still have this team; take it out there first"),
        (wanted(Kind.RETIRE, "access", "triage"), "take it out there first"),
        (wanted(Kind.SPLIT, "acess", "access"), "switchboard teams merge acess access"),
        (wanted(Kind.RENAME, "access", "access"), "name two teams"),
        (
            wanted(Kind.RETIRE, "triage", "triage"),
            r"another team that gets them, `--to TEAM`; tasks\.routing\.fallback names it",
        ),
        (wanted(Kind.RETIRE, "access", "access"), "access cannot get its own requests: name another team"),
    ],
)
def test_what_does_not_fit_the_settings_says_what_to_change(change: TeamChange, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check_change(TASK, change)


@pytest.mark.parametrize("kind", [Kind.RENAME, Kind.MERGE, Kind.RETIRE])
def test_a_team_that_left_the_settings_may_be_changed(kind: Kind) -> None:
    check_change(TASK, wanted(kind, "acess", "access"))


def test_a_name_that_nobody_ever_heard_of_is_a_slip_of_the_pen() -> None:
    slip = wanted(Kind.RENAME, "aces", "access")
    with pytest.raises(UsageError, match="called 'aces'; it knows acess"):
        check_known(slip, [KnownLabel("acess", 3)], [])
    check_known(slip, [], [MadeChange(Kind.RENAME, "aces", "access", "ann", START)])


def test_only_the_newest_change_of_a_name_is_done_already() -> None:
    there, back = (MadeChange(Kind.RENAME, *names, "ann", START) for names in (("a", "b"), ("b", "a")))
    again = wanted(Kind.RENAME, "a", "b")
    assert is_done(again, [there])
    assert not is_done(again, [there, back])
    assert not is_done(again, [])


def test_a_name_was_given_up_until_another_team_gets_it() -> None:
    there, back = (MadeChange(Kind.RENAME, *names, "ann", START) for names in (("a", "b"), ("b", "a")))
    part = MadeChange(Kind.SPLIT, "b", "c", "ann", START)
    assert renaming_of("a", [there, part]) == there
    assert renaming_of("a", [there, back]) is None
    assert renaming_of("b", [there]) is None
    assert renaming_of("a", [there, MadeChange(Kind.RETIRE, "a", "c", "ann", START)]) is None


def names(*changes: tuple[Kind, str, str]) -> FormerNames:
    """The names after these changes, one a day."""
    return former_names((*change, day(number)) for number, change in enumerate(changes, 1))


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def test_names_are_followed_through_every_change() -> None:
    changed = names((Kind.RENAME, "a", "b"), (Kind.MERGE, "b", "c"), (Kind.RETIRE, "d", "c"), (Kind.SPLIT, "c", "e"))
    assert [changed.now(label, day(0)) for label in "abcde"] == ["c", "c", "c", "d", "e"]
    back = names((Kind.RENAME, "a", "b"), (Kind.RENAME, "b", "a"))
    assert [back.now("a", day(0)), back.now("b", day(1.5))] == ["a", "a"]


def test_a_name_that_is_given_again_is_another_team() -> None:
    changed = names((Kind.RENAME, "billing", "payments"), (Kind.MERGE, "payments", "money"))
    assert [changed.now("billing", day(at)) for at in (0.5, 1.5)] == ["money", "billing"]
    swapped = names((Kind.RENAME, "a", "x"), (Kind.RENAME, "b", "a"), (Kind.RENAME, "x", "b"))
    assert [swapped.now("a", day(0)), swapped.now("b", day(0))] == ["b", "a"]
    assert [swapped.now("a", day(4)), swapped.now("b", day(4))] == ["a", "b"]
    again = names((Kind.MERGE, "a", "b"), (Kind.RENAME, "a", "c"))
    assert [again.renamed_since(day(at)) for at in (0.5, 1.5, 2.5)] == [{}, {"a": "c"}, {}]
    assert again.of_merges.now("a", day(1.5)) == "a"


def test_what_nobody_hears_is_named_with_the_command_that_mends_it() -> None:
    (said,) = unheard(TASK, [KnownLabel("acess", 40, 37, 2), KnownLabel("triage", 9), KnownLabel("old")])
    assert said == (
        "37 corrections and 3 examples and 2 requests of 'acess' are heard by nobody: tasks.routing.labels has no such "
        "team; switchboard teams rename acess access --task routing (or merge, or retire)"
    )
    assert unheard(TASK, [KnownLabel("access", 1, 1)]) == []


def test_the_only_new_team_is_the_likely_one_and_else_a_placeholder_is_shown() -> None:
    (said,) = unheard(TASK, [KnownLabel("pw", 1, 1), KnownLabel("triage", 9)])
    assert "1 correction of 'pw'" in said
    assert "rename pw access" in said
    more = replace(TASK, labels=(*TASK.labels, Label("billing", "money")))
    (said,) = unheard(more, [KnownLabel("pw", 1, 1)])
    assert "rename pw NEW" in said


def test_what_is_left_of_a_question_under_another_name_is_named_with_what_to_do() -> None:
    part = Task("subject.law", "About?", (Label("yes", "law"), Label("no", "else")), "no", part_of="subject")
    left = [KnownLabel("routing", 9, 2), KnownLabel("subject.law", 1), KnownLabel("subject.legal", 5, 2)]
    (said,) = unasked([TASK, part], left)
    assert said == (
        "2 corrections and 3 examples of the question 'subject.legal' are heard by nobody: the settings ask none of "
        "that name; call the label legal again under tasks.subject.labels, and change its title, which is what people "
        "read"
    )
    (said,) = unasked([TASK], [KnownLabel("mood", 1, 1)])
    assert said.endswith("call it mood again where it goes on under another name")


def test_what_came_of_a_team_after_it_ended_is_mended_by_the_same_change_once_more() -> None:
    """A bot with the settings of before went on for a while."""
    more = replace(TASK, labels=(*TASK.labels, Label("billing", "money")))

    def said(*changes: tuple[Kind, str, str]) -> str:
        made = [MadeChange(kind, before, after, "ann", day(at)) for at, (kind, before, after) in enumerate(changes)]
        (sentence,) = unheard(more, [KnownLabel("pw", 1, 1), KnownLabel("access", 2), KnownLabel("billing", 2)], made)
        return sentence.partition("; as on ")[2].partition(": ")[2]

    assert said((Kind.RENAME, "pw", "access")) == "switchboard teams rename pw access --task routing"
    assert said((Kind.MERGE, "pw", "billing")) == "switchboard teams merge pw billing --task routing"
    assert said((Kind.RETIRE, "pw", "triage")) == "switchboard teams retire pw --to triage --task routing"
    assert said((Kind.RENAME, "pw", "login"), (Kind.RENAME, "login", "access")) == (
        "switchboard teams merge pw access --task routing"
    ), "a name cannot be given twice"
    assert said((Kind.RENAME, "pw", "gone")) == "", "then it is guessed"
    assert said((Kind.SPLIT, "pw", "access")) == ""


@pytest.mark.parametrize("kind", list(Kind))
def test_a_label_that_is_a_question_of_its_own_keeps_its_name(kind: Kind) -> None:
    part = Task("subject.law", "About?", (Label("yes", "law"), Label("no", "else")), "no", part_of="subject")
    with pytest.raises(UsageError, match=r"^tasks.subject: .*\(subject.law\).* leave the label's name .* its title"):
        check_change(part, wanted(kind, "legal", "law"))
