"""Tells the user what a training will take before it starts, and asks when that is much."""

import sys
from collections.abc import Awaitable, Callable

from bot.console import agreed, say
from bot.domain.errors import TrainingFailed, Unreachable, UsageError
from bot.domain.plural import worded
from bot.domain.tasks import Task
from bot.domain.training_estimate import TrainingEstimate, in_words
from bot.model_stack import ModelStack

Estimator = Callable[[Task], Awaitable[TrainingEstimate]]


async def may_train(estimator: Estimator | None, task: Task, yes: bool) -> bool:
    """Whether the training is short enough, or the user agreed; `yes` skips the question.

    A failed estimate prevents nothing where nobody is there to be asked. Raises UsageError when there is nobody to ask,
    or nothing to learn from.
    """
    if estimator is None:
        return True
    try:
        estimate = await estimator(task)
    except TrainingFailed as error:
        say(f"how long the training takes cannot be told: {error}")
        return yes or not sys.stdin.isatty() or agreed("Train all the same?")
    say(in_words(estimate))
    limit = task.learning.ask_above_minutes
    if yes or estimate.seconds <= limit * 60:
        return True
    most = f"that is more than the {limit:g} {worded(limit, 'minute')} of tasks.{task.name}.learning.ask_above_minutes"
    if not sys.stdin.isatty():
        raise UsageError(f"{most}, and nobody is there to be asked: add --yes, or raise it")
    return agreed(f"{most}. Train?")


async def judge_answers(models: ModelStack) -> None:
    """Raise Unreachable now, rather than after hours of training, if the model server that has to judge it is away.

    One of our own is not started yet.
    """
    if models.server is not None:
        return
    try:
        await models.adapters.loaded()
    except Unreachable as error:
        raise Unreachable(f"the model server judges what is trained: start it, then train ({error})") from error
