"""Every step: of three items one raises, one never ends, and the third is still concluded."""

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
from bot.domain.presses import PendingPress
from bot.domain.report_posts import ShadowCard
from bot.domain.shadow_card import Ruling, ShadowPress, StandingShadowCard
from bot.domain.team_changes import Teamless
from bot.domain.webhooks import EventKind, Webhook, WebhookEvent, WebhookState
from bot.flow.buttons import ButtonHandler
from bot.flow.correct import Corrector
from bot.flow.deliver import Deliverer
from bot.flow.embed import EmbeddingBackfill
from bot.flow.hand_on import HandOn
from bot.flow.questions import QuestionAsker, Questions
from bot.flow.relay import EditRelay, NoteRelay, Relay
from bot.flow.remind import Reminder
from bot.flow.shadow_cards import ShadowButtons
from bot.flow.sort import Sorter
from bot.flow.step import Step
from bot.flow.webhooks import WebhookSender
from bot.flow.worker_pool import WorkerPool
from bot.lifecycle import Wakeup
from tests.fakes import FakeEmbedder, FakePlatform, fake_classifier
from tests.fakes_failed_items import FakeFailedItems
from tests.fakes_ledger import FakeLedger, FakeOutbox
from tests.fakes_registry import FakeRegistry
from tests.samples import (
    AGENT,
    CUSTOMER,
    LEAD,
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


def hand_on(scene: Scene) -> Step[Any]:
    known = pending(reaction("💻"))
    requests = [replace(known, conversation=talk(id, label="delivery")) for id in ALL]
    scene.ledger.teamless = [Teamless(one, merged=True, heir="it") for one in requests]
    return HandOn(TASK, scene.ledger, fake_classifier(Neighbours()), now)


def deliver(scene: Scene) -> Step[Any]:
    scene.chat.trouble = {str(RAISES): KeyError("gone"), str(HANGS): None}
    scene.outbox.owed = [OutboxItem(id, Post(Place("web", str(id)), Answer("billing", "en")), 1) for id in ALL]
    return Deliverer(TASK, scene.outbox, scene.ledger, {"web": scene.chat}, now, to="web")


@dataclass
class FakeShadowCards:
    """Three presses on cards of candidates; concluding them fails as the ledger's would."""

    ledger: FakeLedger
    waiting: list[ShadowPress]

    async def standing(self, task: str) -> Sequence[StandingShadowCard]:
        return []

    async def tell(self, task: str, adapter: str, posts: Sequence[Post], now: datetime) -> bool:
        return False

    async def renew(self, task: str, posts: Sequence[Post], now: datetime) -> None:
        pass

    async def claim_presses(self, now: datetime, limit: int) -> Sequence[ShadowPress]:
        return [self.waiting.pop() for _ in range(min(limit, len(self.waiting)))]

    async def conclude(self, pressed: ShadowPress, ruling: Ruling, posts: Sequence[Post], now: datetime) -> bool:
        about = PendingPress(pressed.id, pressed.press, talk(pressed.id), (), 20, pressed.on.card)
        await self.ledger.conclude_press(about, None, posts, now)
        return True


def shadow_press(scene: Scene) -> Step[Any]:
    card = StandingShadowCard(20, Place("web", "triage"), ShadowCard("routing", "routing-2", 6, 6, 0))
    pressed = Press(MessageRef("web", "triage", "post 20"), LEAD, "keep", NOW)
    cards = FakeShadowCards(scene.ledger, [ShadowPress(id, pressed, card, (card,), True) for id in ALL])
    return ShadowButtons({"routing": TASK}, cards, FakeRegistry(), {"web": scene.chat}, now)


@dataclass
class FakeWebhookEvents:
    """Three events; storing that one was accepted fails as the ledger would."""

    ledger: FakeLedger
    waiting: list[WebhookEvent]

    async def declare(self, webhooks: Sequence[Webhook]) -> None:
        pass

    async def claim(self, webhook: str, now: datetime, limit: int) -> Sequence[WebhookEvent]:
        return [self.waiting.pop(0) for _ in range(min(limit, len(self.waiting)))]

    async def sent(self, event: int, now: datetime) -> None:
        pressed = Press(MessageRef("web", "customer", "post 30"), CUSTOMER, YES, NOW)
        about = PendingPress(event, pressed, talk(event), (), 20, Solved("billing", "en"))
        await self.ledger.conclude_press(about, None, (), now)

    async def tidy(self, webhook: str, now: datetime) -> int:
        return 0

    async def states(self) -> Mapping[str, WebhookState]:
        return {}

    async def replay(self, webhook: str, since: datetime, until: datetime) -> int:
        return 0


class TakesAll:
    """A receiver that accepts everything."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        return 200


def webhook(scene: Scene) -> Step[Any]:
    told = [WebhookEvent(id, str(id), EventKind.CLOSED, NOW, {}, id) for id in ALL]
    hook = Webhook("helpdesk", "http://localhost/", frozenset(EventKind), "secret")
    return WebhookSender(hook, FakeWebhookEvents(scene.ledger, told), TakesAll(), now)


STEP: Mapping[str, Callable[[Scene], Step[Any]]] = {
    made.__name__: made
    for made in (sort, ask, press, correct, relay, note, edit, remind, hand_on, deliver, shadow_press, webhook)
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
    """Cannot embed one text, nor any batch that contains it."""

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
