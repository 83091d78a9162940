"""The packs beside routing, on a real database: none changes a routing decision, or what is learned for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.domain.decisions import Decision, NoPrediction, Opinion
from bot.domain.learning import Example, Side, Source
from bot.domain.model_ports import Lesson
from bot.domain.tasks import Task
from bot.flow.questions import Questions
from bot.init import of_names, settings_text
from bot.packs import Pack, packs, settings_block
from bot.platforms import platform_modules
from bot.settings import load
from db.engine import Database
from db.voice_lessons import PostgresVoiceLessons
from tests.samples import NOW, TASK
from tests.unit.test_packs import rows
from tests.worlds.story import Story

ASKED = ["I was charged twice", "where is my parcel", "the vpn is down, outrageous", "gift cards, now", "who can help"]
KNOWN = {"I was charged for a cable": "billing", "my parcel is late": "delivery", "the vpn needs a password": "it"}


@dataclass(frozen=True, slots=True)
class Said:
    """All routing decisions on some texts, and what is learned from them."""

    opinions: Sequence[Sequence[Opinion | NoPrediction]]
    decisions: Sequence[Decision]
    lessons: Sequence[Lesson]
    examples: Sequence[Example]
    stamp: str


async def said_by_routing(story: Story, *beside: Task) -> Said:
    """Routing's decisions while these questions are asked, too."""
    lessons, name = PostgresVoiceLessons(story.database), story.embedder.name
    classifier = story.classifier
    questions, vectors = Questions(beside, classifier), classifier.embedding(ASKED)
    asking = questions.begin(ASKED, (), vectors)
    known = await classifier.consider(await classifier.query(TASK), ASKED, vectors=vectors)
    if asking:
        answered = await questions.all_of(asking, len(ASKED))
        assert all(len(row) == len(beside) for row in answered), "they were asked"
    return Said(
        [one.opinions for one in known],
        [one.decided(TASK, may_ask=True) for one in known],
        await lessons.lessons(TASK, name, 1_000),
        await story.examples.examples(TASK.name),
        await lessons.stamp(TASK, name),
    )


def question_of(chosen: Pack, folder: Path) -> Task:
    """The question as `switchboard pack add` writes it and the settings read it."""
    modules = of_names(["web"], platform_modules())
    file = folder / "switchboard.toml"
    file.write_text(settings_text(modules, http=False) + settings_block(chosen, modules, ())[0], "utf-8")
    text = file.read_text("utf-8")
    file.write_text(text.replace("emoji = { web", "# emoji = { web"), "utf-8")
    return load(file, {}).task(chosen.name)


@pytest.mark.parametrize("chosen", packs(), ids=lambda one: one.name)
async def test_no_pack_changes_an_opinion_a_decision_or_a_lesson_of_routing(
    chosen: Pack, database: Database, tmp_path: Path
) -> None:
    story = Story(database, tmp_path)
    taught = [Example(text, label, Source.CORRECTION, Side.TRAIN, NOW) for text, label in KNOWN.items()]
    await story.examples.add_examples(TASK.name, taught)
    await story.embedding_backfill.all(lambda _done: None)
    before = await said_by_routing(story)

    own = [Example(text, label, Source.IMPORT, Side.TRAIN, NOW) for text, label in rows(chosen.examples)[::4]]
    same_words = [Example(text, own[0].label, Source.CORRECTION, Side.TRAIN, NOW) for text in (*ASKED, *KNOWN)]
    await story.examples.add_examples(chosen.name, [*own, *same_words])
    await story.embedding_backfill.all(lambda _done: None)
    question = question_of(chosen, tmp_path)
    assert await said_by_routing(story, question) == before
    assert len(await story.examples.examples(chosen.name)) == len(own) + len(same_words)
