"""A text that was imported outlives the person who wrote the same: a file does not say whose its texts are."""

from bot.domain.learning import Example, Side, Source
from bot.domain.messages import Person
from db.engine import Database
from db.erasure import PostgresErasure
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.integration.db.scenes import after
from tests.integration.db.test_team_changes import corrected


async def test_their_example_goes_and_the_imported_one_stays(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    found = await corrected(ledger, outbox)
    person = found.conversation.person
    (theirs,) = await PostgresExamples(database).examples("routing")
    assert theirs.source is Source.CORRECTION
    imported = Example(theirs.text, "billing", Source.IMPORT, Side.TRAIN, after(0))
    await PostgresExamples(database).add_examples("routing", [imported])
    erased = await PostgresErasure(database).erase(Person(person.platform, person.id), after(100))
    assert erased.examples == 1
    (left,) = await PostgresExamples(database).examples("routing")
    assert (left.text, left.source) == (theirs.text, Source.IMPORT)
