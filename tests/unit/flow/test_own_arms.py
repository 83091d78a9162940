"""In a comparison, what serves is asked nothing twice, and everything again if anything that decides has changed."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.decisions import Prediction
from bot.domain.errors import Unreachable
from bot.domain.learning import Adapter, Example, Side, Source
from bot.domain.memory_vote import Neighbours
from bot.domain.model_ports import Query
from bot.domain.own_answers import OwnAnswer, OwnAnswers
from bot.flow.classify import BATCH
from bot.flow.own_arms import OwnArms
from bot.flow.score import Scorer
from inference.answer_cache import SqliteAnswerCache, SqliteOwnAnswers
from tests.fakes import FakePredictor, fake_classifier
from tests.samples import NOW, TASK

JUDGING = [Example(f"laptop {n} is broken", "it", Source.IMPORT, Side.HELD_OUT, NOW) for n in range(2 * BATCH + 5)]
QUERY = Query(TASK, dict.fromkeys(TASK.names, "x"), None)
CHAMPION = Adapter("routing-1", "routing", Path("runs"), "starter", dict.fromkeys(TASK.names, "x"), 1.0, NOW)


class MortalPredictor(FakePredictor):
    """Gives no answer after so many questions."""

    def __init__(self, batches: int = 1_000) -> None:
        super().__init__()
        self.left = batches
        self.texts: list[str] = []

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        if not self.left:
            raise Unreachable("the model server is gone")
        self.left -= 1
        self.texts += texts
        return await super().predict(query, texts)


async def asked(
    kept: OwnAnswers, model: MortalPredictor, query: Query = QUERY, known: str = "12 3"
) -> tuple[list[OwnAnswer], list[OwnAnswer]]:
    scorer = Scorer(fake_classifier(Neighbours(), model))
    counted: list[int] = []
    found = await OwnArms(scorer, query, kept, known).ask(JUDGING, counted.append)
    assert sum(counted) == 2 * len(JUDGING), "what was known before counts as done"
    return found


def written(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_an_interrupted_comparison_goes_on_where_it_was(tmp_path: Path) -> None:
    with SqliteAnswerCache(tmp_path / "answers.sqlite") as cache, pytest.raises(Unreachable):
        await asked(SqliteOwnAnswers(cache), MortalPredictor(batches=2))
    second = MortalPredictor()
    with SqliteAnswerCache(tmp_path / "answers.sqlite") as cache:
        whole, without = await asked(SqliteOwnAnswers(cache), second)
        assert second.texts == [example.text for example in JUDGING[2 * BATCH :]]
        unbroken = await asked(SqliteOwnAnswers(cache), MortalPredictor(batches=0))
    assert (whole, without) == unbroken
    assert {one.label for one in whole} == {"it"} and whole[0].heard["model"][0] == "it"
    assert b"laptop" not in written(tmp_path)


@pytest.mark.parametrize(
    ("query", "known"),
    [
        (QUERY, "13 4"),
        (replace(QUERY, adapter=CHAMPION), "12 3"),
        (replace(QUERY, task=replace(TASK, question="Who?")), "12 3"),
        (replace(QUERY, task=replace(TASK, unasked_right=0.5)), "12 3"),
    ],
)
async def test_whatever_decides_is_another_all_is_asked_anew(query: Query, known: str, tmp_path: Path) -> None:
    with SqliteAnswerCache(tmp_path / "answers.sqlite") as cache:
        kept = SqliteOwnAnswers(cache)
        await asked(kept, MortalPredictor())
        another = MortalPredictor()
        await asked(kept, another, query, known)
        assert len(another.texts) == len(JUDGING)
        await asked(kept, MortalPredictor(batches=0))  # and what was stored before is still there


async def test_what_cannot_be_read_is_asked_again(tmp_path: Path) -> None:
    with SqliteAnswerCache(tmp_path / "answers.sqlite") as cache:
        kept = SqliteOwnAnswers(cache)
        answer = OwnAnswer("it", {"it": 0.75, "billing": 0.25}, True, "pt", {"words": ("billing", 0.5)})
        kept.keep("a", answer)
        assert kept.known("a") == answer
        for harmed in ("", "[]", '["it", {}]', "null", '["it", {}, true, null, [["words"]]]'):
            cache.write("a", harmed)
            assert kept.known("a") is None
