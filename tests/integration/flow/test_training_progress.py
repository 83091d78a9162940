"""Leads see the progress of a training on one post, which finally shows the result."""

import pytest

from bot.domain.learning import Cycle, Judged, Phase, Verdict
from bot.domain.messages import MessageRef
from bot.domain.posts import Content, Post
from bot.domain.report_posts import LearningReport, TrainingProgress
from bot.flow.training_progress import TrainingProgressKeeper
from db.engine import Database
from db.outbox import PostgresOutbox
from db.registry import PostgresRegistry
from db.training_posts import PostgresTrainingPosts
from tests.integration.db.scenes import after
from tests.integration.db.test_registry import adapter
from tests.integration.flow.test_shadow_cards import ROOMS, TASK


class Room:
    """The leads' rooms, and a keeper that looks when a test says so."""

    def __init__(self, database: Database) -> None:
        self.registry = PostgresRegistry(database)
        self.outbox, self.posts = PostgresOutbox(database), PostgresTrainingPosts(database)
        self.keeper = TrainingProgressKeeper([TASK], self.registry, self.posts, lambda: after(0))
        self.said: dict[str, list[Content]] = {}
        """All texts of each message, by message."""

    async def look(self) -> None:
        await self.keeper.step()
        await self.deliver()

    async def deliver(self) -> None:
        while items := await self.outbox.claim_due(["slack", "telegram"], after(0), 50):
            for item in items:
                place = item.post.place
                ref = item.edits or MessageRef(place.platform, place.chat, f"said-{item.id}")
                await self.outbox.said(item, ref, after(0))
                self.said.setdefault(f"{ref.platform} {ref.id}", []).append(item.post.content)

    def once_each(self, *contents: Content) -> bool:
        return len(self.said) == len(ROOMS) and all(said == list(contents) for said in self.said.values())


def at(phase: Phase, percent: int, problem: str = "") -> TrainingProgress:
    return TrainingProgress("routing", "routing-1", phase, percent, problem)


@pytest.fixture
def room(database: Database) -> Room:
    return Room(database)


async def test_one_post_a_room_is_rewritten_up_to_the_verdict(room: Room) -> None:
    registry = room.registry
    await room.look()
    await registry.request_cycle("routing", "schedule", "a", after(0))
    await room.look()
    assert room.said == {}, "nobody trains yet"
    verdict = Verdict(False, ("not proven better",), {"n": 40.0})
    report = LearningReport("routing", "routing-1", False, verdict.reasons)
    async with registry.claim_cycle(after(0)) as cycle:
        assert cycle is not None
        for phase, share in [(Phase.TRAINING, 0.0), (Phase.TRAINING, 0.04), (Phase.TRAINING, 0.57), (Phase.SCORING, 1)]:
            await registry.update_cycle(cycle, phase, share, "routing-1")
            await room.look()
            await room.look()
        posts = [Post(place, report) for place in ROOMS]
        await registry.conclude_cycle(cycle, Judged(adapter("routing-1"), None, verdict), posts, after(0))
    await room.look()
    going = [at(Phase.TRAINING, 0), at(Phase.TRAINING, 50), at(Phase.SCORING, 100)]
    assert room.once_each(*going, report)


async def test_a_training_that_failed_says_so_where_it_was_told_of(room: Room) -> None:
    registry = room.registry
    await registry.request_cycle("routing", "schedule", "a", after(0))
    async with registry.claim_cycle(after(0)) as cycle:
        assert cycle is not None
        await registry.update_cycle(cycle, Phase.TRAINING, 0.3, "routing-1")
        await room.look()
        await registry.fail_cycle(cycle, "the loss was no number any more", after(0))
    for _ in range(2):
        await room.look()
    assert room.once_each(at(Phase.TRAINING, 30), at(Phase.FAILED, 0, "the loss was no number any more"))


async def test_a_cycle_that_waits_behind_it_holds_no_news_back(room: Room) -> None:
    """As when somebody is forgotten while it trains: the next cycle is asked for at once, and this one fails."""
    registry = room.registry
    await registry.request_cycle("routing", "schedule", "a", after(0))
    async with registry.claim_cycle(after(0)) as cycle:
        assert cycle is not None
        await registry.update_cycle(cycle, Phase.TRAINING, 0.3, "routing-1")
        await room.look()
        await registry.request_cycle("routing", "erasure", "b", after(0))
        await registry.update_cycle(cycle, Phase.TRAINING, 0.5, "routing-1")
        await room.look()
        await registry.fail_cycle(cycle, "somebody was forgotten", after(0))
    for _ in range(2):
        await room.look()
    failed = at(Phase.FAILED, 0, "somebody was forgotten")
    assert room.once_each(at(Phase.TRAINING, 30), at(Phase.TRAINING, 50), failed)


async def test_what_became_of_it_is_never_written_over(room: Room) -> None:
    registry = room.registry
    await registry.request_cycle("routing", "schedule", "a", after(0))
    report = LearningReport("routing", "routing-1", True, ("better",))
    async with registry.claim_cycle(after(0)) as cycle:
        assert cycle is not None
        await registry.update_cycle(cycle, Phase.TRAINING, 0.3, "routing-1")
        await room.look()
        [late] = await registry.cycles("routing", 1)
        judged = Judged(adapter("routing-1"), None, Verdict(True, ("better",)))
        await registry.conclude_cycle(cycle, judged, [Post(place, report) for place in ROOMS], after(0))
    await room.posts.tell(late, [Post(place, at(Phase.TRAINING, 90)) for place in ROOMS], after(0))
    await room.deliver()
    assert room.once_each(at(Phase.TRAINING, 30), report)


async def test_a_verdict_on_a_training_that_nobody_heard_of_is_a_post_of_its_own(room: Room) -> None:
    await room.registry.request_cycle("routing", "schedule", "a", after(0))
    report = LearningReport("routing", "routing-1", True, ("better",))
    async with room.registry.claim_cycle(after(0)) as cycle:
        assert isinstance(cycle, Cycle)
        judged = Judged(adapter("routing-1"), None, Verdict(True, ("better",)))
        await room.registry.conclude_cycle(cycle, judged, [Post(place, report) for place in ROOMS], after(0))
    await room.look()
    assert room.once_each(report)
