"""Every step: of three items one raises, one never ends, and the third is concluded all the same."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.conversations import (
    Conversation,
    OverdueConversation,
    PendingEdit,
    PendingFollowUp,
    PendingNote,
    PendingPress,
    PendingReactions,
    State,
    UnansweredConversation,
)
from bot.domain.errors import Unreachable
from bot.domain.failures import STEPS, ItemKey
from bot.domain.memory_vote import Neighbours
from bot.domain.messages import MessageRef, Note, Place, Press
from bot.domain.model_ports import Vector
from bot.domain.posts import YES, Answer, OutboxItem, Post, Solved
from bot.flow.buttons import ButtonHandler
from bot.flow.correct import Corrector
from bot.flow.deliver import Deliverer
from bot.flow.embed import EmbeddingBackfill
from bot.flow.questions import QuestionAsker, Questions
from bot.flow.relay import EditRelay, NoteRelay, Relay
from bot.flow.remind import Reminder
from bot.flow.sort import Sorter
from bot.flow.step import Step
from bot.flow.worker_pool import WorkerPool
from bot.lifecycle import Wakeup
from tests.fakes import FakeEmbedder, FakePlatform, fake_classifier
from tests.fakes_ledger import FakeFailedItems, FakeLedger, FakeOutbox
from tests.samples import (
    AGENT,
    CUSTOMER,
    NOW,
    TASK,
    VOCABULARY,
    case,
    conversation,
    message,
    pending,
    reaction,
    standing,
)
from tests.waiting import until

RAISES, HANGS, ENDS = 1, 2, 3
ALL = (RAISES, HANGS, ENDS)


def now() -> datetime:
    return NOW


def talk(id: int, state: State = State.ROUTED, label: str | None = "billing") -> Conversation:
    return replace(conversation(state, label), id=id)


@dataclass
class Scene:
    """A ledger, an outbox and a chat in which one item fails and one hangs."""

    ledger: FakeLedger = field(default_factory=lambda: FakeLedger(trouble={RAISES: KeyError("gone"), HANGS: None}))
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    chat: FakePlatform = field(default_factory=FakePlatform)
    failures: FakeFailedItems = field(default_factory=FakeFailedItems)

    def concluded(self) -> int:
        return len(self.ledger.concluded) + len(self.outbox.concluded)


def sort(scene: Scene) -> Step[Any]:
    scene.ledger.cases = [replace(case("I was charged twice"), conversation=talk(id, State.NEW, None)) for id in ALL]
    minutes = timedelta(minutes=10)
    return Sorter(TASK, scene.ledger, fake_classifier(Neighbours()), timedelta(0), minutes, "ask", now)


def press(scene: Scene) -> Step[Any]:
    pressed = Press(MessageRef("web", "customer", "post 30"), CUSTOMER, YES, NOW)
    scene.ledger.presses = [PendingPress(id, pressed, talk(id), (), 20, Solved("billing", "en")) for id in ALL]
    return ButtonHandler(TASK, VOCABULARY, scene.ledger, {"web": scene.chat}, now)


def correct(scene: Scene) -> Step[Any]:
    scene.ledger.pendings = [replace(pending(reaction("💻")), conversation=talk(id)) for id in ALL]
    return Corrector(TASK, VOCABULARY, scene.ledger, {"web": scene.chat}, now)


def relay(scene: Scene) -> Step[Any]:
    scene.ledger.news = [PendingFollowUp(message("since Monday"), talk(id), standing(), id=id) for id in ALL]
    return Relay(TASK, scene.ledger, fake_classifier(Neighbours()), now)


def note(scene: Scene) -> Step[Any]:
    written = Note(MessageRef("web", "billing", "n1"), MessageRef("web", "billing", "post 12"), AGENT, "hm", NOW)
    scene.ledger.notes = [PendingNote(id, written, talk(id), card=standing()) for id in ALL]
    return NoteRelay(VOCABULARY, scene.ledger, {"web": scene.chat}, now)


def edit(scene: Scene) -> Step[Any]:
    scene.ledger.revised = [PendingEdit(id, talk(id), message("thrice"), False, standing(), True) for id in ALL]
    return EditRelay(VOCABULARY, scene.ledger, now)


def remind(scene: Scene) -> Step[Any]:
    long_ago = NOW - timedelta(days=1)
    scene.ledger.waiting = [OverdueConversation(talk(id), standing(), long_ago, 0) for id in ALL]
    return Reminder(TASK, scene.ledger, timedelta(minutes=30), now)


def ask(scene: Scene) -> Step[Any]:
    scene.ledger.unanswered = [UnansweredConversation(talk(id), "charged", None, None) for id in ALL]
    questions = Questions((replace(TASK, name="mood"),), fake_classifier(Neighbours()))
    return QuestionAsker(questions, scene.ledger, now)


def deliver(scene: Scene) -> Step[Any]:
    scene.chat.trouble = {str(RAISES): KeyError("gone"), str(HANGS): None}
    scene.outbox.owed = [OutboxItem(id, Post(Place("web", str(id)), Answer("billing", "en")), 1) for id in ALL]
    return Deliverer(TASK, scene.outbox, scene.ledger, {"web": scene.chat}, now, to="web")


STEP: Mapping[str, Callable[[Scene], Step[Any]]] = {
    made.__name__: made for made in (sort, ask, press, correct, relay, note, edit, remind, deliver)
}


def test_no_step_is_left_out() -> None:
    assert set(STEP) == set(STEPS) - {"embed", "intake"}, "these two have tests of their own"


@pytest.mark.parametrize("name", STEP)
async def test_one_item_that_raises_and_one_that_hangs_delay_no_other(name: str) -> None:
    scene = Scene()
    step = STEP[name](scene)
    assert step.name == name
    pool = WorkerPool(step, scene.failures, now, Wakeup(), slots=1, deadline=0.5, slow=0.01)
    running = asyncio.create_task(pool.run(at_most=0.01, grace=0.0))
    await until(lambda: scene.concluded() == 1 and len(scene.failures.recorded) == 2)
    running.cancel()
    await asyncio.wait({running})
    assert scene.concluded() == 1
    failed = {failure.key.item.split()[-1]: failure for failure in scene.failures.recorded}
    assert (failed[str(RAISES)].reason, failed[str(RAISES)].later) == ("KeyError", False)
    assert (failed[str(HANGS)].reason, failed[str(HANGS)].later) == ("TimeoutError", True)
    assert {failure.key.step for failure in failed.values()} == {name}


# --- what several items share ---


class Picky(FakeEmbedder):
    """Cannot embed one text, nor any batch with that one in it."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        if "poison" in texts:
            raise ValueError("poison")
        return await super().embed(texts)


class Examples:
    """A memory with examples that wait for their vectors."""

    def __init__(self, texts: Mapping[int, str]) -> None:
        self.waiting, self.vectors = dict(texts), dict[int, Vector]()

    async def unembedded(self, embedder: str, limit: int) -> list[tuple[int, str]]:
        return [(id, text) for id, text in self.waiting.items() if id not in self.vectors][:limit]

    async def remember(self, embedder: str, vectors: Mapping[int, Vector]) -> None:
        self.vectors |= vectors


async def test_an_example_that_cannot_be_embedded_delays_no_other() -> None:
    memory, failures = Examples({1: "parcel", 2: "poison", 3: "laptop"}), FakeFailedItems()
    await EmbeddingBackfill(memory, Picky(), failures, now).step()  # type: ignore[arg-type]
    assert set(memory.vectors) == {1, 3}
    assert [(f.key, f.reason) for f in failures.recorded] == [(ItemKey("embed", "2"), "ValueError")]


async def test_a_text_that_cannot_be_classified_delays_no_other_of_its_batch() -> None:
    scene = Scene(FakeLedger())
    scene.ledger.cases = [
        replace(case(text), conversation=talk(id, State.NEW, None))
        for id, text in enumerate(("I was charged twice", "poison", "my parcel"))
    ]
    known = replace(fake_classifier(Neighbours()), embedder=Picky())
    sorter = Sorter(TASK, scene.ledger, known, timedelta(0), timedelta(minutes=10), "ask", now)
    with pytest.raises(ValueError, match="poison"):
        await sorter.step()
    assert [done.of for done in scene.ledger.concluded] != []
    assert sorted(done.of.conversation.id for done in scene.ledger.concluded) == [0, 2]  # type: ignore[attr-defined]


async def test_an_outage_of_one_platform_postpones_only_what_must_ask_it() -> None:
    telegram, slack = FakePlatform("telegram"), FakePlatform("slack")
    telegram.lookup = Unreachable("telegram: timed out")
    scene = Scene(FakeLedger())
    there = replace(reaction("💻").actor, platform="telegram")
    theirs = [replace(pending(reaction("💻", there)), conversation=talk(id)) for id in range(100)]
    here = replace(reaction("💻").actor, platform="slack")
    ours = replace(pending(reaction("💻", here)), conversation=talk(500))
    scene.ledger.pendings = [*theirs, ours]
    corrector = Corrector(TASK, VOCABULARY, scene.ledger, {"slack": slack, "telegram": telegram}, now)
    pool = WorkerPool(corrector, scene.failures, now, Wakeup())
    running = asyncio.create_task(pool.run())
    await until(lambda: len(scene.ledger.concluded) == 101)
    running.cancel()
    await asyncio.wait({running})
    assert scene.failures.recorded == []
    both = zip(scene.ledger.concluded, scene.ledger.looked_up, strict=True)
    found = {done.of.conversation.id: (done, known) for done, known in both if isinstance(done.of, PendingReactions)}
    assert len(found) == 101
    done, known = found.pop(500)
    assert (done.of, known.unknown) == (ours, frozenset())
    assert all(len(later.unknown) == 1 and later.again is not None for _, later in found.values())


async def test_a_message_in_between_is_looked_at_again() -> None:
    scene = Scene(FakeLedger(overtaken={7}))
    scene.ledger.cases = [case("I was charged twice")]
    sorter = Sorter(TASK, scene.ledger, fake_classifier(Neighbours()), timedelta(0), timedelta(minutes=10), "ask", now)
    assert await sorter.step() == 1
    assert scene.ledger.concluded == []
    assert await sorter.step() == 1
    assert len(scene.ledger.concluded) == 1
