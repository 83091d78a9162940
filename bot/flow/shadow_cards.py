"""Shows leads on one card what the candidate in the shadow would have done, and handles the card's buttons."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain import shadow_card
from bot.domain.failures import ItemKey
from bot.domain.learning import Cycle, Outcome
from bot.domain.ledger import Change
from bot.domain.model_ports import Registry
from bot.domain.ports import Platform
from bot.domain.posts import Post
from bot.domain.report_posts import ShadowCard
from bot.domain.shadow import ShadowFigures, Shadows
from bot.domain.shadow_card import EXPLAIN, KEEP, PROMOTE, Fate, Ruling, ShadowCards, ShadowPress, StandingShadowCard
from bot.domain.tasks import Task
from bot.flow.lookups import looked_up
from bot.flow.step import Step

log = logging.getLogger(__name__)

_FAR_BACK = 50
"""How many of the newest cycles and promotions are searched for the candidate's."""


@dataclass(frozen=True, slots=True)
class ShadowCardKeeper:
    """Keeps one card for the candidate in each of the leads' rooms."""

    name: ClassVar[str] = "shadow card"
    wakes_on: ClassVar[frozenset[Change]] = frozenset()
    tasks: Sequence[Task]
    base: str
    shadows: Shadows
    cards: ShadowCards
    registry: Registry
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Look at every task. Always returns 0: new figures take a while to come."""
        for task in self.tasks:
            if task.leads_rooms:
                await self._keep(task)
        return 0

    async def _keep(self, task: Task) -> None:
        shadow = await self.shadows.shadow(task.name, self.base)
        standing = await self.cards.standing(task.name)
        for card in standing:
            if shadow is None or card.card.adapter != shadow.name:
                over = shadow_card.decided([card], await _fate(self.registry, card.card))
                await self.cards.renew(task.name, over, self.now())
        if shadow is None:
            return
        known = [one for one in await self.shadows.shadow_figures(task.name) if one.adapter == shadow.name]
        for figures in known:
            await self._tell(task, figures, [card for card in standing if card.card.adapter == shadow.name])

    async def _tell(self, task: Task, figures: ShadowFigures, standing: Sequence[StandingShadowCard]) -> None:
        if standing:
            if posts := shadow_card.renewed(standing, figures):
                await self.cards.renew(task.name, posts, self.now())
            return
        posts = shadow_card.first_cards(task, figures)
        if posts and await self.cards.tell(task.name, figures.adapter, posts, self.now()):
            log.info("shadow card owed", extra={"task": task.name, "adapter": figures.adapter})


@dataclass(frozen=True, slots=True)
class ShadowButtons(Step[ShadowPress]):
    """Does what leads ask for with the buttons of such a card, and politely refuses everybody else."""

    name: ClassVar[str] = "shadow_press"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.PRESS})

    tasks: Mapping[str, Task]
    cards: ShadowCards
    registry: Registry
    platforms: Mapping[str, Platform]
    now: Callable[[], datetime]

    async def claim(self, limit: int, at_work: Sequence[ShadowPress] = ()) -> Sequence[ShadowPress]:
        """Claim presses on such cards, except those that are being handled now."""
        busy = {item.id for item in at_work}
        return [item for item in await self.cards.claim_presses(self.now(), limit) if item.id not in busy]

    def key(self, item: ShadowPress) -> ItemKey:
        return ItemKey(self.name, str(item.id))

    async def handle(self, item: ShadowPress) -> None:
        """Carry out what the press means. If somebody else was faster, it is looked at anew."""
        ruling, posts = await self._ruling(item)
        if await self.cards.conclude(item, ruling, posts, self.now()):
            log.info("shadow card pressed", extra={"adapter": item.on.card.adapter, "means": ruling.value})

    async def _ruling(self, item: ShadowPress) -> tuple[Ruling, list[Post]]:
        task, who = self.tasks.get(item.on.card.task), item.press.actor
        if task is None or item.press.value not in (PROMOTE, KEEP, EXPLAIN):
            return Ruling.NOTHING, []
        if not await self._may(task, item):
            whispers = self.platforms[item.on.place.platform].whispers and who.platform == item.on.place.platform
            return Ruling.REFUSED, [shadow_card.refused(item.on.place, who)] if whispers else []
        if item.press.value == EXPLAIN:
            return Ruling.EXPLAIN, shadow_card.explained(item, await self._cycle(item))
        if item.on.card.decided:
            return Ruling.NOTHING, []
        if not item.in_shadow:
            return Ruling.NOTHING, shadow_card.decided(item.cards, await _fate(self.registry, item.on.card))
        fate = Fate.PROMOTED if item.press.value == PROMOTE else Fate.KEPT
        return Ruling(item.press.value), shadow_card.decided(item.cards, fate, who.name or who.id)

    async def _may(self, task: Task, item: ShadowPress) -> bool:
        """Whether they may decide; no, if they cannot be looked up: a second press costs little, a stranger's a lot."""
        platform = self.platforms[item.on.place.platform]
        asked = platform.may_correct(item.press.actor, shadow_card.leads_of_the_model(task), item.on.place)
        return bool(await looked_up(asked, platform.name))

    async def _cycle(self, item: ShadowPress) -> Cycle | None:
        cycles = await self.registry.cycles(item.on.card.task, _FAR_BACK)
        return next((cycle for cycle in cycles if cycle.adapter == item.on.card.adapter), None)


async def _fate(registry: Registry, card: ShadowCard) -> Fate:
    """Why the candidate is no longer in the shadow though nobody decided on its card.

    Who promoted it elsewhere is not named: a command knows no name that people would read.
    """
    for event in await registry.history(card.task, _FAR_BACK):
        if event.adapter == card.adapter and event.what is Outcome.SERVES:
            return Fate.PROMOTED
    made = [one for one in await registry.adapters(card.task) if one.name == card.adapter]
    return Fate.FORGOTTEN if any(one.retires is not None for one in made) else Fate.SUPERSEDED
