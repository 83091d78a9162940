"""What commands do besides for questions about topics: a topic belongs to a team, so both are known."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.commands.examples import Ready
from bot.domain.decisions import Decision
from bot.domain.learning import Example
from bot.domain.score_metrics import accuracy
from bot.domain.tasks import Task
from bot.domain.topics import among_its_topics
from bot.flow.score import Scorer


def taught_by(teams: Task, task: Task, ready: Ready) -> list[tuple[Task, Ready]]:
    """The tasks that learn from a file, each with its examples: its question, and for topics also the teams."""
    if not task.asks_topics:
        return [(task, ready)]
    return [(task, ready), (teams, replace(ready, examples=_of_teams(task, ready.examples)))]


async def beside_teams(scorer: Scorer, teams: Task, task: Task, examples: Sequence[Example]) -> Mapping[str, float]:
    """For topics: how often the team is right, too, and the topic among those of the decided team.

    `folded_team_accuracy` is the accuracy if each team got its topics' probabilities. Empty for any other question.
    """
    if not task.asks_topics:
        return {}
    classifier = scorer.classifier
    routed = await scorer.answers(await classifier.query(teams), _of_teams(task, examples))
    fine = await scorer.answers(await classifier.query(task), examples)
    folded = [_folded(task, of.decision) == team.example.label for of, team in zip(fine, routed, strict=True)]
    kept = [among_its_topics((task,), [f.decision], t.decision.label) for f, t in zip(fine, routed, strict=True)]
    right = [any(of.label == one.example.label for of in answer) for one, answer in zip(fine, kept, strict=True)]
    return {
        "team_accuracy": accuracy([one.score for one in routed]),
        "folded_team_accuracy": sum(folded) / len(folded),
        "topic_accuracy_with_team": sum(right) / len(right),
    }


def _folded(task: Task, answer: Decision) -> str:
    """The team whose topics are the likeliest together."""
    shares: dict[str, float] = {}
    for label in task.labels:
        shares[label.team] = shares.get(label.team, 0.0) + answer.probabilities.get(label.name, 0.0)
    return max(shares, key=lambda team: shares[team])


def _of_teams(task: Task, examples: Sequence[Example]) -> list[Example]:
    return [replace(one, label=task.label(one.label).team) for one in examples]
