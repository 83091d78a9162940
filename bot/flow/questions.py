"""The further questions: asked of every conversation with the one about its team, and later where that was too early.

Nobody waits for them. What is not answered a moment after the team is known, or could not be said by anybody, is asked
again by the step; neither an error nor a slow answer reaches the decision on the team.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from bot.domain.conversations import State, UnansweredConversation
from bot.domain.decisions import Decision, NoPrediction, Opinion
from bot.domain.embedders import known_of
from bot.domain.errors import SwitchboardError, Unreachable
from bot.domain.failures import ItemKey, reason_of
from bot.domain.ledger import Change, Ledger
from bot.domain.model_ports import Vector
from bot.domain.questions import Said, alerts_now, answered, effects, shown, with_answers
from bot.domain.suggestions import SolvedRequests, history_opinion
from bot.domain.tasks import Task
from bot.domain.topics import among_its_topics, asked_of, standing_of
from bot.flow.classify import Classifier, Considered
from bot.flow.step import Step

log = logging.getLogger(__name__)

_GRACE = 0.25
"""Seconds after the team is known for which its decision waits for the other answers, to be stored with them."""
Answers = tuple[Decision, ...]
Asking = Sequence["asyncio.Task[list[Decision | None]]"]
"""A task for each question."""


@dataclass(frozen=True, slots=True)
class Questions:
    """Asks the further questions about texts."""

    tasks: Sequence[Task]
    classifier: Classifier
    grace: float = _GRACE
    history: SolvedRequests | None = None
    """What similar requests were solved with, for questions that suggest; None: nobody knows."""

    def begin(
        self, texts: Sequence[str], askers: Sequence[str], vectors: "asyncio.Future[Sequence[Vector | None]]"
    ) -> Asking:
        """Ask all questions of all texts, at once and beside whatever else is asked; `vectors` are the texts'."""
        return [
            asyncio.create_task(self._ask(task, texts, askers, vectors), name=f"question {task.name}")
            for task in self.tasks
        ]

    async def answers(self, texts: Sequence[str]) -> list[Answers]:
        """Every answer to every text, however long it takes; one that nobody can give now is missing."""
        vectors = self.classifier.embedding(texts)
        try:
            return await self.all_of(self.begin(texts, (), vectors), len(texts))
        finally:
            vectors.cancel()

    async def in_time(self, asking: Asking, texts: int) -> list[Answers]:
        """What was answered in time, of each text; the rest is asked again later. Never raises for it."""
        return await self.all_of(asking, texts, self.grace)

    async def all_of(self, asking: Asking, texts: int, grace: float | None = None) -> list[Answers]:
        """The same, however long it takes."""
        try:
            done, _ = await asyncio.wait(asking, timeout=grace)
        finally:
            for task in asking:
                task.cancel()
        columns = [task.result() for task in asking if task in done]
        return [tuple(one for of in columns if (one := of[n]) is not None) for n in range(texts)]

    async def _ask(
        self,
        task: Task,
        texts: Sequence[str],
        askers: Sequence[str],
        vectors: "asyncio.Future[Sequence[Vector | None]]",
    ) -> list[Decision | None]:
        """The answers to one question. Whatever is wrong with it concerns no other question."""
        try:
            query = replace(await self.classifier.query(task, hurried=True), further=True)
            known = await self.classifier.consider(query, texts, False, askers, vectors, tell_language=False)
            heard = await self._with_history(task, known)
            return [answered(task, of, one.language) for of, one in zip(heard, known, strict=True)]
        except SwitchboardError as error:
            log.warning("question not answered", extra={"task": task.name, "problem": str(error)})
        except Exception as error:  # noqa: BLE001 - of this question alone: the team is decided all the same
            log.error("question failed", extra={"task": task.name, "problem": reason_of(error)})
        return [None] * len(texts)

    async def _with_history(self, task: Task, known: Sequence[Considered]) -> list[Sequence[Opinion | NoPrediction]]:
        """What every voice says, and what similar requests were solved with where that is asked for."""
        opinions: list[Sequence[Opinion | NoPrediction]] = [one.opinions for one in known]
        if self.history is None or not task.suggests:
            return opinions
        near = known_of(self.classifier.embedder.name).scale.near
        found = await self.history.similar(task, [one.vector for one in known], near)
        more = [history_opinion(task, of) for of in found]
        return [(*of, one) if one is not None else of for of, one in zip(opinions, more, strict=True)]

    def missing(self, answers: Answers, team: str | None) -> bool:
        """Whether a question is still to be answered about a conversation of this team; None: it is nobody's yet."""
        if team is None and any(task.asks_topics for task in self.tasks):
            return True
        return bool({task.name for task in asked_of(self.tasks, team)} - {one.task for one in answers})


@dataclass(frozen=True, slots=True)
class QuestionAsker(Step[UnansweredConversation]):
    """Asks what was not answered when the team was decided, and rewrites the card once it is said."""

    name: ClassVar[str] = "ask"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.FREED, Change.OWED})

    questions: Questions
    ledger: Ledger
    now: Callable[[], datetime]

    async def claim(self, limit: int, at_work: Sequence[UnansweredConversation] = ()) -> list[UnansweredConversation]:
        """Conversations whose team is known, and about which a question was not answered."""
        return await self.ledger.claim_unanswered(self.now(), limit) if self.questions.tasks else []

    def key(self, item: UnansweredConversation) -> ItemKey:
        return ItemKey(self.name, str(item.conversation.id), item.conversation.id)

    async def handle(self, item: UnansweredConversation) -> None:
        """Ask what is missing, and show everything on the card. Raises Unreachable while nobody can answer."""
        team = item.conversation.label
        tasks = asked_of(self.questions.tasks, team)
        known = standing_of(tasks, item.answers, team)
        missing = [task for task in tasks if task.name not in {one.task for one in known}]
        fresh = among_its_topics(tasks, await self._ask(item, missing), team) if missing else ()
        answers = (*known, *fresh)
        still = self.questions.missing(answers, team)
        if still and not fresh:
            raise Unreachable("nobody could answer a question; it is asked again")
        looked = item.conversation.taken_by is not None or item.conversation.state is State.CLOSED
        on_card = shown(tasks, answers, {task.name: Said(looked=looked) for task in tasks})
        posts = [*with_answers([], item.card, on_card), *alerts_now(item.card, item.alerts, on_card)]
        await self.ledger.conclude_answers(item, fresh, effects(tasks, answers), posts, still, self.now())
        log.info("questions answered", extra={"conversation": item.conversation.id, "answers": len(fresh)})

    async def _ask(self, item: UnansweredConversation, missing: Sequence[Task]) -> Answers:
        classifier = self.questions.classifier
        vectors: asyncio.Future[Sequence[Vector | None]] = asyncio.get_running_loop().create_future()
        vectors.set_result([item.vector])
        if item.vector is None or item.embedder != classifier.embedder.name:
            vectors = classifier.embedding([item.text])
        asker = item.conversation.person.key
        questions = replace(self.questions, tasks=missing)
        [answers] = await questions.all_of(questions.begin([item.text], [asker], vectors), 1)
        return answers
