"""The further questions: asked of every conversation together with the one about its team, or later if that fails.

Nobody waits for them. A question that is not answered a moment after the team is known, or that no voice could answer,
is asked again by the step. Neither an error nor a slow answer affects the decision on the team.
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
"""Seconds for which the decision on the team waits for the other answers, to be stored with them."""
Answers = tuple[Decision, ...]
Asking = Sequence["asyncio.Task[list[Decision | None]]"]
"""One asyncio task for each question."""


@dataclass(frozen=True, slots=True)
class Questions:
    """Asks the further questions about texts."""

    tasks: Sequence[Task]
    classifier: Classifier
    grace: float = _GRACE
    history: SolvedRequests | None = None
    """What similar requests were solved with, for questions that suggest; None: that is not known."""

    def begin(
        self, texts: Sequence[str], askers: Sequence[str], vectors: "asyncio.Future[Sequence[Vector | None]]"
    ) -> Asking:
        """Start asking all questions about all texts, beside whatever else is asked. `vectors`: the texts' vectors."""
        return [
            asyncio.create_task(self._ask(task, texts, askers, vectors), name=f"question {task.name}")
            for task in self.tasks
        ]

    async def answers(self, texts: Sequence[str]) -> list[Answers]:
        """All answers to each text, however long that takes; an answer that no voice can give now is missing."""
        vectors = self.classifier.embedding(texts)
        try:
            return await self.all_of(self.begin(texts, (), vectors), len(texts))
        finally:
            vectors.cancel()

    async def in_time(self, asking: Asking, texts: int) -> list[Answers]:
        """The answers to each text that came in time; the rest is asked again later. Never raises because of them."""
        return await self.all_of(asking, texts, self.grace)

    async def all_of(self, asking: Asking, texts: int, grace: float | None = None) -> list[Answers]:
        """The answers to each text, once all are there or `grace` seconds are over; the rest is cancelled."""
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
        """The answers to one question, None for each text when it fails. A failure affects no other question."""
        try:
            query = replace(await self.classifier.query(task, hurried=True), further=True)
            known = await self.classifier.consider(query, texts, False, askers, vectors, tell_language=False)
            heard = await self._with_history(task, known)
            return [answered(task, of, one.language) for of, one in zip(heard, known, strict=True)]
        except SwitchboardError as error:
            log.warning("question not answered", extra={"task": task.name, "problem": str(error)})
        except Exception as error:  # noqa: BLE001 - it concerns this question alone: the team is decided all the same
            log.error("question failed", extra={"task": task.name, "problem": reason_of(error)})
        return [None] * len(texts)

    async def _with_history(self, task: Task, known: Sequence[Considered]) -> list[Sequence[Opinion | NoPrediction]]:
        """What every voice says of each text; where the task suggests, also what similar requests were solved with."""
        opinions: list[Sequence[Opinion | NoPrediction]] = [one.opinions for one in known]
        if self.history is None or not task.suggests:
            return opinions
        near = known_of(self.classifier.embedder.name).scale.near
        found = await self.history.similar(task, [one.vector for one in known], near)
        more = [history_opinion(task, of) for of in found]
        return [(*of, one) if one is not None else of for of, one in zip(opinions, more, strict=True)]

    def missing(self, answers: Answers, team: str | None) -> bool:
        """Whether a question about a conversation of this team is unanswered. `team` None: it has no team yet."""
        if team is None and any(task.asks_topics for task in self.tasks):
            return True
        return bool({task.name for task in asked_of(self.tasks, team)} - {one.task for one in answers})


@dataclass(frozen=True, slots=True)
class QuestionAsker(Step[UnansweredConversation]):
    """Asks what was not answered when the team was decided, and rewrites the card with the answers."""

    name: ClassVar[str] = "ask"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.FREED, Change.OWED})

    questions: Questions
    ledger: Ledger
    now: Callable[[], datetime]

    async def claim(self, limit: int, at_work: Sequence[UnansweredConversation] = ()) -> list[UnansweredConversation]:
        """Claim conversations whose team is known and that have an unanswered question."""
        return await self.ledger.claim_unanswered(self.now(), limit) if self.questions.tasks else []

    def key(self, item: UnansweredConversation) -> ItemKey:
        return ItemKey(self.name, str(item.conversation.id), item.conversation.id)

    async def handle(self, item: UnansweredConversation) -> None:
        """Ask what is missing, and show everything on the card. Raises Unreachable while no voice can answer."""
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
        posts = [*with_answers([], item.card, on_card), *alerts_now(item.card, item.alerts, on_card, team or "")]
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
