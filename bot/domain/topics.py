"""Topics: what of its team's work a request is about. One question, whose labels are the topics of all teams. Pure.

It is answered with the team, and among that team's topics alone: what is said of the others' is left out, and the rest
made to sum to 1, so that a card never names a topic of somebody else. `benchmarks/topics.py` measures what that costs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.domain.decisions import Author, Decision
from bot.domain.tasks import Task

TOPIC = "topic"
"""The name of the question; the settings derive it from the teams' topics."""


def topics_of(task: Task, team: str) -> tuple[str, ...]:
    """The topics of that team; none where it has none."""
    return tuple(label.name for label in task.labels if team and label.team == team)


def asked_of(questions: Iterable[Task], team: str | None) -> tuple[Task, ...]:
    """The questions that a conversation of this team is asked: about its topic only where the team has any."""
    return tuple(one for one in questions if not one.asks_topics or topics_of(one, team or ""))


def standing_of(questions: Sequence[Task], answers: Iterable[Decision], team: str | None) -> tuple[Decision, ...]:
    """What of the stored answers counts now: a topic of the team that has it, none of one that had it before."""
    topics = {one.name: topics_of(one, team or "") for one in questions if one.asks_topics}
    return tuple(one for one in answers if one.task not in topics or one.label in topics[one.task])


def among_its_topics(questions: Sequence[Task], answers: Iterable[Decision], team: str | None) -> tuple[Decision, ...]:
    """What was just answered, the topic out of that team's or left out. None: it is not known yet whose it is."""
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
    if total <= 0:  # nobody knows anything of these: answered, and nothing that a card would show
        return replace(answer, label=own[0], by=Author.FALLBACK, probabilities={})
    shares = {name: p / total for name, p in left.items()}
    return replace(answer, label=max(own, key=lambda name: shares[name]), probabilities=shares)
