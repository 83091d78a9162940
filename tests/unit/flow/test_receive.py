"""Facts are made storable and are stored once."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.ledger import ThreadingPolicy
from bot.domain.messages import Deletion, Edit, Media, MediaKind, MessageRef, Note, Person, Press
from bot.flow.receive import Receiver
from tests.fakes_failed_items import FakeFailedItems
from tests.fakes_ledger import FakeLedger
from tests.samples import AGENT, NOW, message, reaction

JOINING = ThreadingPolicy(timedelta(seconds=3), timedelta(hours=24), timedelta(hours=72))
REF = MessageRef("web", "customer", "1")
DIRTY = Person("web", "u\u0301", "Cle\x00o " + "o" * 200)


class BotIdentity:
    def __init__(self) -> None:
        self.ledger, self.rung, self.failures = FakeLedger(), list[timedelta](), FakeFailedItems()
        self.inbox = Receiver(self.ledger, JOINING, self.rung.append, self.failures, lambda: NOW)


async def test_a_message_is_stored_once_and_wakes_the_sorter_when_it_is_ripe() -> None:
    ears = BotIdentity()
    await ears.inbox.message(message("charged twice"))
    await ears.inbox.message(message("charged twice"))
    assert ears.ledger.stored == [message("charged twice")]
    assert ears.rung == [timedelta(seconds=3)]


async def test_everything_that_people_write_is_storable() -> None:
    ears = BotIdentity()
    media = (Media("web", "1", MediaKind.DOCUMENT, "a\x00" * 100),)
    await ears.inbox.message(replace(message(" a\x00b "), author=DIRTY, media=media))
    await ears.inbox.edit(Edit(REF, " c\x00d ", NOW))
    await ears.inbox.note(Note(REF, REF, DIRTY, "e\x00f", NOW, media))
    await ears.inbox.press(Press(REF, DIRTY, "0\x00", NOW))
    await ears.inbox.reaction(reaction("👀\x00", DIRTY))
    assert len(ears.ledger.stored) == 5
    assert "\\x00" not in repr(ears.ledger.stored)
    stored = ears.ledger.stored[0]
    assert stored == replace(
        message("ab"), author=replace(DIRTY, name="Cleo " + "o" * 75), media=(replace(media[0], name="a" * 80),)
    )


async def test_edits_deletions_notes_and_moved_chats_are_facts_too() -> None:
    ears = BotIdentity()
    edit, deletion = Edit(REF, "three times", NOW), Deletion(REF, NOW)
    note = Note(REF, REF, AGENT, "look at this", NOW, send=True)
    for _ in range(2):
        await ears.inbox.edit(edit)
        await ears.inbox.deletion(deletion)
        await ears.inbox.note(note)
        await ears.inbox.chat_moved("web", "before", "after")
    assert ears.ledger.stored == [edit, deletion, note, ("web", "before", "after")]
    assert ears.rung == []


async def test_everything_is_stamped_by_our_own_clock() -> None:
    ears = BotIdentity()
    await ears.inbox.message(message("charged twice"))
    await ears.inbox.note(Note(REF, REF, AGENT, "look at this", NOW - timedelta(hours=1)))
    await ears.inbox.press(Press(REF, AGENT, "0", NOW - timedelta(hours=1)))
    await ears.inbox.reaction(reaction("👀", AGENT, 5))
    await ears.inbox.deletion(Deletion(REF, NOW - timedelta(hours=1)))
    assert [getattr(fact, "heard", None) for fact in ears.ledger.stored] == [NOW] * 5
