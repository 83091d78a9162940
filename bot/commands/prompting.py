"""The prompted arms of `switchboard compare`: which are wanted, with which examples, and their results."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import numpy as np

from bot.console import Counting, counting
from bot.domain.cascade import beside, cascade, unsure
from bot.domain.comparison import Arm
from bot.domain.embedders import known_of
from bot.domain.endpoints import Endpoint
from bot.domain.errors import Refused, Unreachable
from bot.domain.few_shot import SHOTS, Choice, ShownExamples, Variant, fixed, retrieved, teachable, variants
from bot.domain.learning import Example, text_key
from bot.domain.model_ports import Embedder, Vector, VoiceLessons
from bot.domain.price_book import PriceBook
from bot.domain.prompted import AnswerCache, PromptedBase
from bot.domain.prompted_arms import Asking, PromptedArm, hosted_arm, local_arm
from bot.domain.tasks import Task
from bot.domain.token_prices import Budget, TokenPrice
from bot.flow.fit_voices import MAX_LESSONS
from bot.flow.hosted_arms import HostedArms
from bot.flow.local_arms import LocalArms
from bot.prompted_models import hosted, open_answers, other_base
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class Wanted:
    """The prompted arms that the flags ask for."""

    endpoints: tuple[Endpoint, ...] = ()
    own_base: bool = False
    bases: tuple[str, ...] = ()
    shots: tuple[int, ...] | None = None
    """None: the usual numbers of examples, or an endpoint's own."""
    cascade: bool = False
    sure: float | None = None
    """The probability from which the mixture decides in a cascade; None: wherever it would not ask."""

    @property
    def anything(self) -> bool:
        return bool(self.endpoints or self.own_base or self.bases)

    @property
    def local_ways(self) -> list[Variant]:
        return variants(self.shots or SHOTS, tuple(Choice))

    def ways(self, endpoint: Endpoint) -> list[Variant]:
        return variants(self.shots or endpoint.shots, endpoint.choices)

    @property
    def every_way(self) -> list[Variant]:
        local = self.local_ways if self.own_base or self.bases else []
        return local + [way for endpoint in self.endpoints for way in self.ways(endpoint)]

    def arms(self, own: str) -> list[str]:
        """The names of all possible rows. `own` is the settings' base."""
        bases = ([own] if self.own_base else []) + list(self.bases)
        named = [way.of(base) for base in bases for way in self.local_ways]
        named += [way.of(one.name) for one in self.endpoints for way in self.ways(one)]
        cascades = [beside(name) for name in named] if self.cascade else []
        return [*bases, *(one.name for one in self.endpoints), *named, *cascades]


@dataclass(slots=True)
class Prompted:
    """The results of all prompted arms."""

    arms: list[Arm] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    """(arm, why it has no figures)"""
    notes: list[str] = field(default_factory=list)

    def add(self, made: Sequence[tuple[PromptedArm, Arm]]) -> None:
        for one, arm in made:
            if one.told:
                self.arms.append(arm)
                self.notes += one.notes()
            else:
                self.failed.append((one.name, one.stopped))


@dataclass(frozen=True, slots=True)
class Prompter:
    """Asks all wanted models, one after the other."""

    wanted: Wanted
    settings: Settings
    embedder: Embedder
    lessons: VoiceLessons
    open_own: Callable[[], AbstractAsyncContextManager[PromptedBase]]
    """Opens the settings' base, behind the server that runs."""
    book: PriceBook
    gpu: bool
    let_go: Callable[[], Awaitable[None]]
    """Stops the server that runs: the next one would not get enough memory beside it."""
    count: Counting = counting

    async def ask(self, task: Task, judging: Sequence[Example], training: Sequence[Example], served: Arm) -> Prompted:
        """The results of every arm. A model that refuses, or does not start, does not affect the others."""
        asking = Asking(task, judging, await self._shown(task, judging, training))
        made = Prompted()
        with open_answers(self.settings) as cache:
            if self.wanted.own_base:
                await self._local(self.settings.model.base, True, asking, cache, made, served)
            await self.let_go()
            for base in self.wanted.bases:
                await self._local(base, False, asking, cache, made, served)
            for endpoint in self.wanted.endpoints:
                await self._hosted(endpoint, asking, cache, made, served)
        return made

    async def _local(
        self, base: str, own: bool, asking: Asking, cache: AnswerCache, made: Prompted, served: Arm
    ) -> None:
        ways = self.wanted.local_ways
        opened = self.open_own() if own else other_base(self.settings, base)
        try:
            async with opened as model:
                with self.count(f"prompting {base}", len(ways) * len(asking.judging)) as done:
                    arms = await LocalArms(model, base, cache).ask(asking, ways, done)
        except (Refused, Unreachable) as error:
            made.failed.append((base, str(error)))
            return
        self._add(made, [(one, local_arm(one, asking.judging, self._per_1000(one))) for one in arms], served)

    async def _hosted(
        self, endpoint: Endpoint, asking: Asking, cache: AnswerCache, made: Prompted, served: Arm
    ) -> None:
        ways = self.wanted.ways(endpoint)
        try:
            limit, price = _payable(endpoint, self.book)
            async with hosted(endpoint) as model:
                with self.count(f"asking {endpoint.name}", len(ways) * len(asking.judging)) as done:
                    asks = HostedArms(model, endpoint, price, self.book.currency, cache)
                    arms = await asks.ask(asking, ways, Budget(limit), done)
        except Refused as error:
            made.failed.append((endpoint.name, str(error)))
            return
        self._add(made, [(one, hosted_arm(one, asking.judging, price)) for one in arms], served)

    def _add(self, made: Prompted, arms: Sequence[tuple[PromptedArm, Arm]], served: Arm) -> None:
        """Add the arms, and the cascade to the one with the most examples, a choice that no figure influenced."""
        made.add(arms)
        last = next((arm for one, arm in reversed(arms) if one.told), None)
        if self.wanted.cascade and last is not None:
            made.arms.append(cascade(served, last, unsure(served.scores, served.asked, self.wanted.sure)))

    def _per_1000(self, one: PromptedArm) -> float | None:
        taken = one.milliseconds
        return self.book.per_1000(sum(taken) / len(taken), self.gpu) if taken else None

    async def _shown(self, task: Task, judging: Sequence[Example], training: Sequence[Example]) -> ShownExamples:
        """The examples for all prompts, from the training side."""
        pool, ways = teachable(training, task), self.wanted.every_way
        most = max((way.shots for way in ways), default=0)
        retrieves = any(way.shots and way.choice is Choice.RETRIEVED for way in ways)
        nearest: dict[str, Sequence[tuple[str, str]]] = {text_key(e.text): () for e in judging}
        if retrieves and pool:
            known = np.asarray(await self._vectors(task, pool), dtype=np.float32)
            asked = np.asarray(await self.embedder.embed([e.text for e in judging]), dtype=np.float32)
            found = retrieved(pool, known, asked, known_of(self.embedder.name).likeness, most)
            nearest = dict(zip(nearest, found, strict=True))
        return ShownExamples(fixed(pool, most), nearest)

    async def _vectors(self, task: Task, pool: Sequence[Example]) -> list[Vector]:
        """The pool's vectors: those that are stored, and the rest embedded now."""
        lessons = await self.lessons.lessons(task, self.embedder.name, MAX_LESSONS)
        stored = {one.key: one.vector for one in lessons if one.vector is not None}
        keys = [text_key(example.text) for example in pool]
        missing = [example.text for example, key in zip(pool, keys, strict=True) if key not in stored]
        new = dict(zip(map(text_key, missing), await self.embedder.embed(missing) if missing else [], strict=True))
        return [stored[key] if key in stored else new[key] for key in keys]


def _payable(endpoint: Endpoint, book: PriceBook) -> tuple[float, TokenPrice]:
    """The endpoint's budget and price. Raises Refused where one of them is unknown."""
    where = f"[compare.endpoints.{endpoint.name}]"
    price = book.tokens.get(endpoint.name) or book.tokens.get(endpoint.model)
    if endpoint.budget is None:
        raise Refused(f"it has no budget; write one in {where}, like budget = 2.00")
    if price is None:
        raise Refused(f"no price, so no budget can be kept; write price_in and price_out in {where}")
    return endpoint.budget, price
