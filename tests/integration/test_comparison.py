"""`switchboard compare` with voices that are really fitted, in a separate process: each arm is its own voice's."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from bot.commands.compare import PRICES, price_book
from bot.commands.comparison import Priced, compare
from bot.domain.learning import Example, Side, Source, text_key
from bot.domain.memory_vote import Neighbours
from bot.domain.mixture import NEIGHBOURS, VECTORS, WORDS
from bot.domain.model_ports import Lesson
from bot.flow.score import Scorer
from inference.voices.fitted import FittedVoices
from tests.fakes import FakeEmbedder, fake_classifier
from tests.samples import NOW, TASK

THINGS = {"billing": "invoice refund charge receipt tax", "it": "laptop printer screen password keyboard"}


def examples(side: Side, phrase: str) -> list[Example]:
    return [
        Example(phrase.format(thing), label, Source.IMPORT, side, NOW)
        for label, things in THINGS.items()
        for thing in things.split()
    ]


async def test_fitted_voices_are_arms_that_know_what_they_learned(tmp_path: Path) -> None:
    learned = examples(Side.TRAIN, "something is wrong with the {}") + examples(Side.TRAIN, "{} broken, please look")
    embedder = FakeEmbedder()
    vectors = await embedder.embed([one.text for one in learned])
    voices = FittedVoices(tmp_path, embedder.name)
    lessons = [Lesson(text_key(e.text), e.text, e.label, v) for e, v in zip(learned, vectors, strict=True)]
    await voices.fit(TASK.name, "stamp 1", lessons)
    scorer = Scorer(replace(fake_classifier(Neighbours()), fitted=voices, embedder=embedder))
    asked = examples(Side.HELD_OUT, "who takes care of our old {} upstairs?")
    made = await compare(scorer, TASK, learned, asked, [], Priced(price_book(PRICES), gpu=True), date(2026, 7, 1))
    rows = {row.arm: row for row in made.rows}
    assert {WORDS, VECTORS, NEIGHBOURS} <= set(rows)
    assert rows[WORDS].accuracy == 1.0, "every thing was heard of before"
    assert rows["majority"].accuracy == 0.5
    for name in (WORDS, VECTORS, NEIGHBOURS, "mixture"):
        assert rows[name].unanswered == 0
        assert rows[name].p50 is not None and rows[name].per_1000 is not None
