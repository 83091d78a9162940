"""Somebody is forgotten during a training: the training continues unless it learns from their words."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.domain.errors import Refused
from bot.domain.learning import Cycle, Example, Phase, Side, Source
from bot.domain.memory_vote import Neighbours
from bot.domain.messages import Person
from bot.flow.forget import Forgetter, Unlearner
from bot.flow.learn import Learner
from bot.flow.score import Scorer
from db.engine import Database
from db.erasure import PostgresErasure
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.registry import PostgresRegistry
from db.unlearning import PostgresUnlearning
from inference.run_folder import CHECKPOINT, TEXTS, RunFolders
from inference.trainer_process import TrainerProcess
from tests.fakes import FakeAdapters, FakePredictor, fake_classifier
from tests.integration.db.scenes import ANN, TASK, after
from tests.integration.db.test_erasure import _a_story
from tests.waiting import until

NOBODY = Person("telegram", "nobody", "Nora")
NAME = "routing-1"
_TRAINER = """
import sys, time
from pathlib import Path
from inference.run_folder import CHECKPOINT, WEIGHTS, Done, adapter_of, finish, inputs_of, sha256_of
folder = Path(sys.argv[1])
(folder / CHECKPOINT).write_bytes(b"learned")
(folder / "began").touch()
while not (folder.parent / "go on").exists():
    print('{"progress": 0.5, "doing": "step 1 of 2"}', flush=True)
    time.sleep(0.05)
(folder / CHECKPOINT).unlink()
adapter_of(folder).mkdir(exist_ok=True)
(adapter_of(folder) / WEIGHTS).write_bytes(b"weights")
finish(folder, Done("starter", inputs_of(folder), sha256_of(adapter_of(folder) / WEIGHTS), 2, 0.1, 0.5, 15, 0, None))
"""


@dataclass
class School:
    """A learner whose training lasts as long as a test wants, over a real database and real run folders."""

    database: Database
    runs: Path

    def __post_init__(self) -> None:
        script = self.runs / "trainer.py"
        script.write_text(_TRAINER)
        self.registry = PostgresRegistry(self.database)
        self.texts = RunFolders(self.runs)
        self.unlearning = PostgresUnlearning(self.database)
        self.forgetter = Forgetter(PostgresErasure(self.database), self.unlearning, self.texts)
        self.trainer = TrainerProcess(("env", f"PYTHONPATH={Path.cwd()}", sys.executable, str(script)))

    @property
    def learner(self) -> Learner:
        classifier = replace(fake_classifier(Neighbours(), FakePredictor()), registry=self.registry)
        return Learner(
            tasks={TASK.name: TASK},
            examples=PostgresExamples(self.database),
            registry=self.registry,
            scorer=Scorer(classifier),
            adapters=FakeAdapters(),
            trainer=self.trainer,
            runs=self.runs,
            base_path=Path("starter"),
            now=lambda: after(60),
            texts=self.texts,
        )

    @asynccontextmanager
    async def training(self) -> AsyncIterator[asyncio.Task[int]]:
        """A running cycle, in the middle of its training."""
        assert await self.registry.request_cycle(TASK.name, "lead", "now", after(50))
        step = asyncio.create_task(self.learner.step())
        try:
            await until(lambda: (self.runs / NAME / "began").exists(), seconds=30)
            yield step
        finally:
            self.goes_on()
            await step

    def goes_on(self) -> None:
        (self.runs / "go on").touch()

    def left(self) -> list[str]:
        """The files left in the run's folder: its texts, and what was learned from them."""
        return [name for name in (TEXTS, CHECKPOINT) if (self.runs / NAME / name).exists()]

    async def cycle(self) -> Cycle:
        return (await self.registry.cycles(TASK.name, 5))[-1]


@pytest.fixture
async def school(database: Database, ledger: PostgresLedger, outbox: PostgresOutbox, tmp_path: Path) -> School:
    """A lead's correction taught Ann's words; many other examples came from a file."""
    await _a_story(ledger, outbox)
    examples = [
        Example(f"{name} number {n}", name, Source.IMPORT, side, after(0))
        for name in TASK.names
        for n in range(20)
        for side in [Side.HELD_OUT if n % 2 else Side.TRAIN]
    ]
    await PostgresExamples(database).add_examples(TASK.name, examples)
    return School(database, tmp_path)


@pytest.fixture
def ledger(database: Database) -> PostgresLedger:
    return PostgresLedger(database, "tiny")


@pytest.fixture
def outbox(database: Database) -> PostgresOutbox:
    return PostgresOutbox(database)


async def test_who_taught_nothing_ends_no_training(school: School) -> None:
    async with school.training() as step:
        await school.forgetter.erase(NOBODY, after(70))
        await school.forgetter.erase(NOBODY, after(80))  # repeating it changes nothing
        assert school.left() == [TEXTS, CHECKPOINT]
        school.goes_on()
        assert await step == 1
    cycle = await school.cycle()
    assert (cycle.phase, cycle.problem, cycle.adapter) == (Phase.DONE, "", NAME)
    assert school.left() == [], "it was judged"


async def test_whoever_is_in_it_ends_it_at_once_and_no_text_stays(school: School) -> None:
    async with school.training() as step:
        await school.forgetter.erase(ANN, after(70))
        assert school.left() == []
        async with asyncio.timeout(10):
            await step  # although its training would never end
    cycle = await school.cycle()
    assert cycle.phase is Phase.FAILED
    assert cycle.problem == "somebody was forgotten while it trained; the next cycle trains without their texts"
    assert await school.registry.adapters(TASK.name) == []
    assert school.left() == []


async def test_what_could_not_be_removed_is_found_by_the_next_who_looks(school: School) -> None:
    async with school.training() as step:
        await PostgresErasure(school.database).erase(ANN, after(70))  # and the process that did it died
        assert school.left() == [TEXTS, CHECKPOINT]
        async with asyncio.timeout(10):
            await step
    stays = school.runs / NAME / TEXTS
    stays.mkdir()  # cannot be removed
    for _ in range(2):
        with pytest.raises(Refused, match=f"{NAME}/{TEXTS} holds what people wrote and cannot be removed"):
            await school.forgetter.erase(ANN, after(80))
    stays.rmdir()
    stays.write_text("what a full disk kept", "utf-8")
    await school.forgetter.erase(ANN, after(90))
    assert school.left() == []
    stays.write_text("what lies on another machine", "utf-8")
    await Unlearner((TASK,), "starter", school.unlearning, school.texts, lambda: after(100)).step()
    assert school.left() == []


async def test_a_training_that_failed_leaves_no_texts(school: School) -> None:
    (school.runs / "trainer.py").write_text(_TRAINER.replace("finish(", "sys.exit(7); finish("))
    async with school.training():
        assert school.left() == [TEXTS, CHECKPOINT]
    assert (await school.cycle()).problem.startswith(f"the training of {NAME} ended with 7")
    assert school.left() == []
