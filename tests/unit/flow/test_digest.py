"""A busy week is counted completely, however few conversations the review holds at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

from bot.domain.digest import Digests
from bot.domain.memory_vote import Neighbours
from bot.domain.model_ports import Memory
from bot.domain.outcomes import Outcome
from bot.domain.posts import Post
from bot.domain.report_posts import Digest
from bot.flow.digest import DigestSender
from bot.flow.review import MOST, Reviewer
from tests.fakes import FakeKnowledge
from tests.samples import NOW, TASK
from tests.unit.domain.test_review import ASKED, moved, outcome
from tests.unit.flow.test_review import Known


@dataclass(slots=True)
class Kept:
    """A `Digests` that keeps what it is given."""

    posts: list[Post] = field(default_factory=list)

    async def owe_digest(self, task: str, tick: str, posts: Sequence[Post], now: datetime) -> bool:
        self.posts += posts
        return True


_: type[Digests] = Kept


def over(found: Sequence[Outcome], since_days: float, days: float) -> list[Outcome]:
    """The outcomes, evenly over so many days."""
    start = NOW - timedelta(days=since_days)
    return [replace(one, at=start + n * timedelta(days=days) / len(found)) for n, one in enumerate(found)]


async def test_a_week_of_more_than_a_review_holds_is_counted_whole() -> None:
    week = [outcome(n) for n in range(MOST)] + [moved(n, "it") for n in range(4)] + [outcome(1, ASKED)]
    known = Known([*over([outcome(n) for n in range(700)], 14, 7), *over(week, 1, 1)])
    kept = Kept()
    reviewer = Reviewer(known, cast(Memory, FakeKnowledge(Neighbours())), "tiny", lambda: NOW)
    assert await DigestSender(reviewer, kept, lambda: NOW).send(TASK, "a monday")
    (post,) = kept.posts
    assert isinstance(post.content, Digest)
    said = post.content
    assert (said.decided, said.moved, said.asked) == (MOST + 5, 4, 1)
    assert (said.pairs, said.counts) == ((("billing", "it"),), (4,))
    assert dict(said.teams) == {"billing": MOST + 1, "IT": 4}
    assert said.days[:7] == (100,) * 7
    assert said.days[7:] == (0,) * 6 + (MOST + 5,)
