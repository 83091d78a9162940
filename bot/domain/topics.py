"""Topics: which part of its team's work a request is about. One question; its labels are all teams' topics. Pure.

It is answered together with the team, among that team's topics alone: other teams' topics are left out and the rest
scaled to sum to 1, so that a card never names a topic of another team. `benchmarks/topics.py` measures what that costs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.domain.decisions import Author, Decision
from bot.domain.tasks import Task

TOPIC = "topic"
"""The name of the question; the settings derive it from the teams' topics."""


def topics_of(task: Task, team: str) -> tuple[str, ...]:
    """The topics of that team; empty if it has none."""
    return tuple(label.name for label in task.labels if team and label.team == team)


def asked_of(questions: Iterable[Task], team: str | None) -> tuple[Task, ...]:
    """The questions for a conversation of this team: the one about its topic only if the team has topics."""
    return tuple(one for one in questions if not one.asks_topics or topics_of(one, team or ""))


def standing_of(questions: Sequence[Task], answers: Iterable[Decision], team: str | None) -> tuple[Decision, ...]:
    """The stored answers that count now: a topic of the team that has it, none of a team that had it before."""
    topics = {one.name: topics_of(one, team or "") for one in questions if one.asks_topics}
    return tuple(one for one in answers if one.task not in topics or one.label in topics[one.task])


def among_its_topics(questions: Sequence[Task], answers: Iterable[Decision], team: str | None) -> tuple[Decision, ...]:
    """The new answers, the topic chosen from the team's own or left out. `team` None: not known yet."""
    by_name = {one.name: one for one in questions if one.asks_topics}
    found = []
    for answer in answers:
        about = by_name.get(answer.task)
        counts = answer if about is None else _among(about, answer, team or "")
        found += [counts] if counts is not None else []
    return tuple(found)


def _among(task: Task, answer: Decision, team: str) -> Decision | None:
    own = topics_of(task, team)
    if answer.by in (Author.LEAD, Author.RULE):
        return answer if answer.label in own else None
    if not own:
        return None
    left = {name: answer.probabilities.get(name, 0.0) for name in own}
    total = sum(left.values())
    if total <= 0:  # no voice has an opinion on these: it is answered, without anything that a card would show
        return replace(answer, label=own[0], by=Author.FALLBACK, probabilities={})
    shares = {name: p / total for name, p in left.items()}
    return replace(answer, label=max(own, key=lambda name: shares[name]), probabilities=shares)
