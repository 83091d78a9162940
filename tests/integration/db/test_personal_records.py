"""What is stored about a person: all of it, nothing of others, and no words after they are forgotten."""

import json

from bot.commands.audit import exported
from bot.domain.messages import Person
from bot.domain.personal_records import Held
from db.engine import Database
from db.erasure import PostgresErasure
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.personal_records import PostgresPersonalRecords
from tests.integration.db.scenes import ANN, after, carded, reaction

OWN_KINDS = {Held.CONVERSATION, Held.MESSAGE, Held.POST}


async def test_all_that_is_held_is_found_and_forgetting_leaves_no_word_of_it(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    ref = await carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "eyes", 9, actor=ANN))
    records = PostgresPersonalRecords(database)
    found = await records.held_about(ANN)
    assert {one.kind for one in found.records} >= OWN_KINDS
    assert found.names == (ANN.name,)
    worded = {one.kind for one in found.records if one.text}
    assert {Held.CONVERSATION, Held.MESSAGE, Held.POST} <= worded
    counts = found.counts()
    assert sum(records for records, _ in counts.values()) == len(found.records)
    given = json.loads(json.dumps(exported(found, after(1))))
    assert given["person"] == ANN.key and given["records"]["message"][0]["text"]
    await PostgresErasure(database).erase(ANN, after(60))
    left = await records.held_about(ANN)
    assert not [one for one in left.records if one.text]
    assert left.names == ()


async def test_nobody_elses_words_are_in_it(database: Database, ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await carded(ledger, outbox)
    for stranger in (Person("slack", "nobody"), Person("slack", ANN.id)):
        found = await PostgresPersonalRecords(database).held_about(stranger)
        assert (found.records, found.names, found.adapters) == ((), (), ())
