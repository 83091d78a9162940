"""What was learned for a question is counted under its name, whether the settings still ask it or not."""

from bot.domain.learning import Example, Side, Source
from bot.domain.team_changes import KnownLabel
from db.engine import Database
from db.examples import PostgresExamples
from db.team_changes import PostgresTeamChanges
from tests.integration.db.scenes import START


def example(text: str, source: Source) -> Example:
    return Example(text, "yes", source, Side.TRAIN, START)


async def test_what_is_known_is_counted_by_question_without_what_the_settings_say(database: Database) -> None:
    examples, changes = PostgresExamples(database), PostgresTeamChanges(database)
    assert await changes.learned() == []
    await examples.sync_settings("subject.law", [example("a law", Source.SETTINGS)], START)
    assert await changes.learned() == []
    await examples.add_examples("subject.legal", [example("a contract", Source.IMPORT)])
    await examples.add_examples("mood", [example("how nice", Source.CORRECTION), example("so so", Source.IMPORT)])
    assert await changes.learned() == [KnownLabel("mood", 2, 1), KnownLabel("subject.legal", 1)]
