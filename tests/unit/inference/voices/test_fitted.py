"""Fitted in a separate process, asked in this one, and without an opinion if its files are unusable."""

import asyncio
import logging
import os
import sys
from pathlib import Path

import pytest

from bot.domain.errors import TrainingFailed
from bot.domain.mixture import ADAPTER, NEIGHBOURS, VECTORS, WORDS
from bot.domain.model_ports import Lesson
from inference.voices.fitted import FittedVoices

LESSONS = [
    Lesson("1", "I was charged twice", "billing", [1.0, 0.0]),
    Lesson("2", "where is my refund", "billing", [1.0, 0.1]),
    Lesson("3", "my laptop is broken", "it", [0.0, 1.0]),
    Lesson("4", "the printer is broken", "it", None),
]


ALL = (WORDS, VECTORS, NEIGHBOURS)


async def fitted(folder: Path) -> FittedVoices:
    voices = FittedVoices(folder, "fake")
    await voices.fit("routing", "stamp 1", LESSONS)
    return voices


async def test_it_says_what_it_learned_and_again_after_a_restart(tmp_path: Path) -> None:
    voices = await fitted(tmp_path)
    again = FittedVoices(tmp_path, "fake")
    assert voices.fitted_on("routing") == again.fitted_on("routing") == "stamp 1"
    for one in (voices, again):
        [said] = await one.say("routing", ["charged twice, refund!"], [[1.0, 0.0]], ALL)
        assert said[WORDS]["billing"] > said[WORDS]["it"]
        assert said[VECTORS]["billing"] > said[VECTORS]["it"]
        assert said[NEIGHBOURS]["billing"] > said[NEIGHBOURS]["it"]
        assert sum(one.taught("routing").values()) == pytest.approx(1.0, abs=0.001)
        assert one.taught("routing")["en"] > 0.5
    assert os.listdir(tmp_path) == ["routing"]  # noqa: PTH208  nothing is left beside it


async def test_without_a_vector_or_with_anothers_only_the_words_speak(tmp_path: Path) -> None:
    voices = await fitted(tmp_path)
    [said] = await voices.say("routing", ["charged twice"], [None], ALL)
    assert set(said) == {WORDS}
    other = FittedVoices(tmp_path, "another embedder")
    [said] = await other.say("routing", ["charged twice"], [[1.0, 0.0]], ALL)
    assert set(said) == {WORDS}


async def test_who_is_not_asked_says_nothing(tmp_path: Path) -> None:
    voices = await fitted(tmp_path)
    assert voices.usual.keys() == set(ALL)
    [said] = await voices.say("routing", ["charged twice"], [[1.0, 0.0]], {NEIGHBOURS})
    assert set(said) == {NEIGHBOURS}


async def test_two_may_fit_the_same_task_at_once(tmp_path: Path) -> None:
    one, other = FittedVoices(tmp_path, "fake"), FittedVoices(tmp_path, "fake")
    await asyncio.gather(*(voices.fit("routing", "stamp 1", LESSONS) for voices in (one, other)))
    assert FittedVoices(tmp_path, "fake").fitted_on("routing") == "stamp 1"


async def test_what_was_never_fitted_says_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    voices = FittedVoices(tmp_path, "fake")
    with caplog.at_level(logging.WARNING):
        assert await voices.say("routing", ["hello", "you"], [None, None], ALL) == [{}, {}]
        assert await voices.say("routing", ["hello"], [None], ALL) == [{}]
    assert [record.message for record in caplog.records] == ["voices silent until they are fitted"]
    assert voices.fitted_on("routing") is None
    assert voices.unseen("routing", {"1"}) == {}


async def test_a_harmed_file_is_silent_and_fitted_again(tmp_path: Path) -> None:
    await fitted(tmp_path)
    (tmp_path / "routing" / "voices.npz").write_bytes(b"half a fi")
    voices = FittedVoices(tmp_path, "fake")
    assert await voices.say("routing", ["charged"], [None], ALL) == [{}]
    await voices.fit("routing", "stamp 2", LESSONS)
    assert voices.fitted_on("routing") == "stamp 2"
    [said] = await voices.say("routing", ["charged"], [None], ALL)
    assert set(said) == {WORDS}


async def test_a_fit_that_fails_leaves_the_old_ones_speaking(tmp_path: Path) -> None:
    await fitted(tmp_path)
    broken = FittedVoices(tmp_path, "fake", (sys.executable, "-c", "raise ValueError('charged twice')"))
    with pytest.raises(TrainingFailed) as failed:
        await broken.fit("routing", "stamp 2", LESSONS)
    assert "ValueError" in str(failed.value)
    assert "charged" not in str(failed.value)
    assert broken.fitted_on("routing") == "stamp 1"


async def test_what_it_says_of_its_own_lessons_is_known_by_their_keys(tmp_path: Path) -> None:
    voices = await fitted(tmp_path)
    unseen = voices.unseen("routing", {"1", "4", "another"})
    assert set(unseen) == {"1", "4"}
    assert set(unseen["1"]) == set(ALL)
    assert sum(unseen["1"][WORDS].values()) == pytest.approx(1.0, abs=0.01)


async def test_weights_follow_who_was_right(tmp_path: Path) -> None:
    right, wrong = {"billing": 0.9, "it": 0.1}, {"billing": 0.1, "it": 0.9}
    weights = FittedVoices(tmp_path, "fake").fit_weights([{ADAPTER: right, WORDS: wrong}] * 300, ["billing"] * 300)
    assert weights[ADAPTER] > 0.5
    assert weights[WORDS] == pytest.approx(0.0, abs=0.05)
    assert FittedVoices(tmp_path, "fake").fit_weights([], []) == {}
