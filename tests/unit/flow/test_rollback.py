"""A champion that leads correct too often is withdrawn, once, and they are told why in their language."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.automatic_rollback import Corrections, LiveRecord, Serving
from bot.domain.posts import Post
from bot.domain.report_posts import LearningReport, Withdrawal
from bot.domain.tasks import Task
from bot.flow.rollback import AutomaticRollback
from bot.platforms.wording import report
from tests.samples import NOW, TASK

BAD = Serving("routing", 7, "routing-2", Corrections(400, 80), "routing-1", Corrections(2_000, 160))


@dataclass
class FakeRecord:
    """One champion; `tests/integration/db/test_automatic_rollback.py` tests what the real one does."""

    found: Serving | None
    moved: bool = False
    """Whether somebody moved the pointer meanwhile."""
    reasons: list[str] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)

    async def serving(self, task: str, base: str, now: datetime) -> Serving | None:
        return self.found

    async def withdraw(self, serving: Serving, reason: str, posts: Sequence[Post], now: datetime) -> bool:
        if self.moved:
            return False
        self.found = None
        self.reasons.append(reason)
        self.posts += posts
        return True


def watching(record: FakeRecord, task: Task = TASK) -> AutomaticRollback:
    return AutomaticRollback([task], "starter", record, lambda: NOW)


async def test_it_is_withdrawn_once_with_the_figures_it_was_done_on() -> None:
    record = FakeRecord(BAD)
    assert [await watching(record).step() for _ in range(2)] == [0, 0]
    assert record.reasons == [
        "rolled back from routing-2: leads corrected 80 of its 400 decisions, and 160 of 2000 of routing-1"
    ]
    withdrawal = Withdrawal("routing-2", 400, 80, 2_000, 160)
    assert [post.content for post in record.posts] == [
        LearningReport("routing", "routing-1", False, (), withdrawal) for _ in TASK.label("triage").deliver_to
    ]


async def test_one_decision_is_recorded_in_the_singular() -> None:
    record = FakeRecord(replace(BAD, now=Corrections(1, 1), before=Corrections(100_000, 1)))
    await watching(record).step()
    assert record.reasons[0].startswith("rolled back from routing-2: leads corrected 1 of its 1 decision, and 1 of")


async def test_one_that_is_corrected_no_more_than_the_one_before_stays() -> None:
    record = FakeRecord(replace(BAD, now=Corrections(400, 34)))
    await watching(record).step()
    assert (record.reasons, record.posts) == ([], [])


async def test_nothing_goes_back_by_itself_where_the_settings_say_so() -> None:
    record = FakeRecord(BAD)
    await watching(record, replace(TASK, learning=replace(TASK.learning, automatic_rollback=False))).step()
    assert record.reasons == []


async def test_what_somebody_moved_meanwhile_is_left_alone() -> None:
    record = FakeRecord(BAD, moved=True)
    await watching(record).step()
    assert record.posts == []


def test_leads_are_told_why_in_every_language() -> None:
    content = LearningReport("routing", "routing-1", False, (), Withdrawal("routing-2", 400, 80, 2_000, 160))
    said = {language: report(content, language) for language in ("en", "pt-BR", "es")}
    assert said["en"] == [
        "routing-2 was withdrawn: leads corrected 80 of its 400 decisions, and 160 of 2000 before it. "
        "routing-1 serves again."
    ]
    for [sentence] in said.values():
        assert all(word in sentence for word in ("routing-2", "80", "400", "160", "2000", "routing-1"))
    assert len({sentence for [sentence] in said.values()}) == 3


_: type[LiveRecord] = FakeRecord
