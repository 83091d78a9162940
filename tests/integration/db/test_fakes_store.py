"""What comes in is stored once, and what was learned is returned: by the real ledger and by its fake."""

from dataclasses import dataclass, replace

import pytest

from bot.domain.ledger import Ledger, Stored
from bot.domain.messages import Deletion, Edit, Fact, MessageRef, Place
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.fakes_ledger import FakeLedger
from tests.integration.db.scenes import ANN, JOINING, LEAD, ROOM, after, carded, message, note, press, reaction

SAID = message("m1", chat="chat-of-m1")


@dataclass(frozen=True)
class Scene:
    """Billing has Ann's message; the card is its card."""

    ledger: Ledger
    card: MessageRef

    async def add(self, fact: Fact) -> bool:
        """Store it as a fact of its kind; return whether it was new."""
        [alone] = await self.ledger.add_facts([fact], JOINING)
        assert isinstance(alone, Stored)
        return alone.new


@pytest.fixture(params=["real", "fake"])
async def scene(request: pytest.FixtureRequest, ledger: PostgresLedger, outbox: PostgresOutbox) -> Scene:
    card = await carded(ledger, outbox)
    fake = FakeLedger(stored=[SAID], teams={card})
    return Scene(ledger if request.param == "real" else fake, card)


async def test_an_edit_is_news_once(scene: Scene) -> None:
    first = Edit(SAID.ref, "where is my invoice", after(20))
    second = replace(first, text="where is my money", at=after(30))
    assert [await scene.ledger.add_edit(one) for one in (first, first, second, second)] == [True, False, True, False]


async def test_a_deletion_is_news_once(scene: Scene) -> None:
    gone = Deletion(SAID.ref, after(20))
    assert [await scene.ledger.add_deletion(gone) for _ in range(2)] == [True, False]


async def test_a_note_is_stored_once_and_the_next_one_too(scene: Scene) -> None:
    first, second = note("n1", scene.card), note("n2", scene.card, "it is 77", 21)
    assert [await scene.ledger.add_note(one) for one in (first, first, second)] == [True, False, True]


async def test_a_reaction_is_stored_once_and_its_taking_back_too(scene: Scene) -> None:
    given, taken = (reaction(scene.card, "key", 20 + n, added=n == 0) for n in range(2))
    assert [await scene.ledger.add_reaction(one) for one in (given, given, taken)] == [True, False, True]


async def test_a_press_is_stored_once(scene: Scene) -> None:
    pressed = press(scene.card, "take", actor=LEAD)
    assert [await scene.ledger.add_press(pressed) for _ in range(2)] == [True, False]


async def test_what_was_stored_alone_is_known_among_others(scene: Scene) -> None:
    first, second = note("n1", scene.card), reaction(scene.card, "key", 21)
    assert await scene.ledger.add_note(first)
    assert [await scene.add(one) for one in (first, second, second)] == [False, True, False]


async def test_what_is_said_under_a_card_is_a_teams_and_under_a_persons_words_is_not(scene: Scene) -> None:
    assert [await scene.ledger.is_of_a_team(under, ours=False) for under in (scene.card, SAID.ref)] == [True, False]


async def test_a_request_is_made_of_what_is_stored_alone(scene: Scene) -> None:
    unknown = replace(SAID.ref, id="never-seen")
    assert [await scene.ledger.make_request(ref, after(20)) for ref in (SAID.ref, unknown)] == [True, False]


async def test_what_somebody_said_is_left_once(scene: Scene) -> None:
    left = [await scene.ledger.leave(ANN, "chat-of-m1", after(20)) for _ in range(2)]
    elsewhere = await scene.ledger.leave(ANN, "another-chat", after(20))
    assert (left, elsewhere) == ([True, False], False)


async def test_the_room_that_stands_in_for_another_is_remembered(scene: Scene) -> None:
    assert await scene.ledger.learned_rooms("slack") == {}
    await scene.ledger.add_room(ROOM, Place("slack", "C-NEW"))
    assert await scene.ledger.learned_rooms("slack") == {ROOM.chat: "C-NEW"}


async def test_a_chat_that_has_moved_is_remembered(scene: Scene) -> None:
    assert await scene.ledger.moved_chats("telegram") == {}
    await scene.ledger.move_chat("telegram", "-1001", "-1001001")
    assert await scene.ledger.moved_chats("telegram") == {"-1001": "-1001001"}
