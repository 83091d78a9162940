"""What a rule decides about a bare text, when neither its author nor its place is known."""

from dataclasses import replace
from datetime import datetime

from bot.domain.decisions import Decision
from bot.domain.messages import Person, Place
from bot.domain.rules import Rules, Written, asking, ruled
from bot.domain.tasks import Task
from bot.flow.classify import Considered


def by_rule(task: Task, known: Considered, rules: Rules, now: datetime) -> Decision | None:
    """The decision of the rule that answers this question; None if no rule does without knowing author or place."""
    nobody, nowhere = Person("", ""), Place("", "")
    rule = rules.applying(Written(known.text, nobody, nowhere, now, known.language)).get(task.name)
    if rule is None:
        return None
    if rule.then.asks:
        return asking(task, rule, known.decided(task, may_ask=True))
    return replace(ruled(rule), language=known.language)
