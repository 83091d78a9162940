"""`switchboard compare` with prompted models: hosted ones over a stand-in, a base over a server in this process."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.commands.compare import PRICES, price_book
from bot.commands.compare_options import check_names, wanted_arms, with_prices_of
from bot.commands.comparison import Comparison, Priced, compare
from bot.commands.comparison_report import show, table_lines, write_page
from bot.commands.prompting import Prompter, Wanted
from bot.demo import company
from bot.domain.decisions import Prediction
from bot.domain.endpoints import Endpoint
from bot.domain.errors import UsageError
from bot.domain.learning import Example, Side, Source
from bot.domain.memory_vote import Neighbours
from bot.domain.model_ports import Query
from bot.domain.prompted import PromptedBase
from bot.domain.token_prices import TokenPrice
from bot.flow.score import Scorer
from bot.settings import Settings, load
from bot.weekly_jobs import compared as weekly
from inference.adapters import VllmAdapters
from inference.base_models import STARTER
from inference.client import VllmPredictor
from inference.prompt import PromptBuilder
from inference.prompted_base import VllmPromptedBase
from tests.fakes import FakeEmbedder, FakePredictor, fake_classifier
from tests.fakes_inference import FakeVllm
from tests.fakes_registry import FakeExamples
from tests.fakes_voices import FakeLessons
from tests.samples import NOW, TASK
from tests.servers.chat_endpoint import ChatEndpoint
from tests.small_bases import listed_base

LEARNED = [
    Example("the printer on floor 7 eats paper", "it", Source.IMPORT, Side.TRAIN, NOW),
    Example("please change our address", "delivery", Source.IMPORT, Side.TRAIN, NOW),
]
JUDGING = [
    Example(text.format(n, word), label, Source.IMPORT, Side.HELD_OUT, NOW)
    for n, word in enumerate(("Ann", "Bob", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hal") * 7)
    for text, label in (("I was charged {} times, says {}", "billing"), ("laptop {} of {} is broken", "it"))
]
USUAL = Endpoint("gpt", "", "gpt-1", "KEY", 1.0, TokenPrice(1.0, 5.0), shots=(0, 2), secret="sk-secret")


class TornPredictor(FakePredictor):
    """Sure of laptops; about money it gives the wrong answer, and is unsure."""

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        rows = [{"it": 0.5, "billing": 0.3} if "charged" in text else {"it": 0.97, "billing": 0.01} for text in texts]
        rest = [name for name in TASK.names if name not in ("it", "billing")]
        return [
            Prediction(row | {name: (1 - sum(row.values())) / len(rest) for name in rest}, "routing-1") for row in rows
        ]


@dataclass
class Bench:
    """The parts from which a comparison is made."""

    settings: Settings
    vllm: FakeVllm
    base: Path
    closed: list[bool] = field(default_factory=list)

    async def compared(self, wanted: Wanted) -> Comparison:
        priced, prompter = self.prompter(wanted)
        return await compare(self.scorer, TASK, LEARNED, JUDGING, [], priced, date(2026, 7, 1), prompter.ask)

    def prompter(self, wanted: Wanted) -> tuple[Priced, Prompter]:
        priced = Priced(with_prices_of(wanted.endpoints, price_book(PRICES)), gpu=False)
        of = wanted, self.settings, FakeEmbedder(), FakeLessons([]), self.own, priced.book, False, self.let_go
        return priced, Prompter(*of)

    @property
    def scorer(self) -> Scorer:
        return Scorer(fake_classifier(Neighbours(), TornPredictor()))

    @asynccontextmanager
    async def own(self) -> AsyncIterator[PromptedBase]:
        async with self.vllm.line() as line:
            prompts = PromptBuilder(self.base)
            predictor = VllmPredictor(prompts, "base", VllmAdapters(line, self.base))
            yield VllmPromptedBase(predictor, prompts, self.base)

    async def let_go(self) -> None:
        self.closed.append(True)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    file = tmp_path / "switchboard.toml"
    file.write_text(company.SETTINGS.read_text("utf-8"), "utf-8")
    return Bench(load(file, {}), FakeVllm("base"), listed_base(tmp_path / "base"))


def keyword(prompt: str) -> str:
    return "billing" if "charged" in prompt.rpartition("Message:")[2] else "it"


async def test_hosted_arms_and_a_cascade_stand_beside_what_serves(bench: Bench, tmp_path: Path) -> None:
    async with ChatEndpoint(keyword) as stand_in:
        wanted = Wanted((replace(USUAL, url=stand_in.url),), cascade=True)
        made = await bench.compared(wanted)
        asked = len(stand_in.prompts)
        again = await bench.compared(wanted)
        assert len(stand_in.prompts) == asked == 2 * len(JUDGING), "what was answered is not asked again"
    rows = {row.arm: row for row in made.rows}
    cascaded = "mixture, unsure to gpt 2 retrieved"
    assert list(rows)[-3:] == ["gpt zero-shot", "gpt 2 retrieved", cascaded]
    assert (rows["mixture"].accuracy, rows["gpt 2 retrieved"].accuracy, rows[cascaded].accuracy) == (0.5, 1.0, 1.0)
    assert rows[cascaded].handed_on == 0.5
    sent, got = rows["gpt zero-shot"].tokens or (0.0, 0.0)
    assert rows["gpt zero-shot"].per_1000 == pytest.approx((sent * 1.0 + got * 5.0) / 1_000)
    assert rows["gpt zero-shot"].p95 is not None and rows["gpt zero-shot"].ece == pytest.approx(0.1)
    assert rows["gpt zero-shot"].recalls["billing"].right == 1.0 and rows["mixture"].recalls["billing"].right == 0.0
    assert "would be better by +50.0" in made.verdict
    assert [row.accuracy for row in again.rows] == [row.accuracy for row in made.rows]
    out = StringIO()
    show(made, as_json=True, out=out)
    arm = next(one for one in json.loads(out.getvalue())["arms"] if one["arm"] == "gpt 2 retrieved")
    assert arm["by_label"]["it"] == {"n": 56, "recall": 1.0} and arm["messages"] == 112
    write_page(tmp_path / "worth.html", made)
    page = (tmp_path / "worth.html").read_text("utf-8")
    assert "hands on 50.0%" in page and "100 % of 56" in page and "sk-secret" not in page and "charged" not in page


async def test_a_base_is_prompted_before_the_server_that_serves_is_let_go(bench: Bench) -> None:
    made = await bench.compared(Wanted(own_base=True, shots=(0, 2)))
    rows = {row.arm: row for row in made.rows}
    assert list(rows)[-3:] == ["starter zero-shot", "starter 2 fixed", "starter 2 retrieved"]
    assert all(row.ece is not None and row.per_1000 is not None and row.p50 is not None for row in made.rows[-3:])
    assert bench.closed == [True]


async def test_by_schedule_hosted_models_are_asked_along_and_who_cannot_be_is_logged(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    learned = FakeExamples(LEARNED)
    async with ChatEndpoint(keyword) as stand_in:
        asked = replace(USUAL, url=stand_in.url, shots=(0,), weekly=True)
        priced, prompter = bench.prompter(Wanted((asked, replace(asked, name="keyless", secret=""))))
        made = await weekly(learned, bench.scorer, priced, prompter, TASK, JUDGING)
        assert len(stand_in.prompts) == len(JUDGING)
    arms = {arm.name: arm for arm in made.report.arms}
    assert (arms["gpt zero-shot"].accuracy, arms["mixture"].accuracy) == (1.0, 0.5)
    assert arms["gpt zero-shot"].per_1000 is not None
    assert [name for name in arms if name.startswith("keyless")] == []
    [problem] = [record.__dict__["problem"] for record in caplog.records if record.name == "bot.weekly_jobs"]
    assert problem == "KEY is not in the environment"


async def test_who_cannot_be_asked_has_a_row_that_says_why(bench: Bench) -> None:
    async with ChatEndpoint(keyword) as stand_in:
        asked = replace(USUAL, url=stand_in.url)
        endpoints = (
            replace(asked, name="poor", budget=None),
            replace(asked, name="unpriced", price=None),
            replace(asked, name="keyless", secret=""),
        )
        made = await bench.compared(Wanted(endpoints))
        assert stand_in.prompts == []
    failed = dict(made.failed)
    assert failed["poor"].startswith("it has no budget; write one in [compare.endpoints.poor]")
    assert failed["unpriced"].startswith("no price, so no budget can be kept; write price_in and price_out")
    assert failed["keyless"] == "KEY is not in the environment"
    lines = table_lines(made)
    assert len({len(line) for line in lines}) == 1 and any("failed: KEY is not in the env" in line for line in lines)


async def test_the_starter_cannot_be_prompted_and_says_so(bench: Bench) -> None:
    bench.base = STARTER
    made = await bench.compared(Wanted(own_base=True, bases=("starter",)))
    assert [(arm, why.partition(";")[0]) for arm, why in made.failed] == [
        ("starter", "it reads the message alone, so it cannot be prompted")
    ] * 2


async def test_an_arm_that_stopped_is_compared_on_what_it_answered(bench: Bench) -> None:
    async with ChatEndpoint(keyword) as stand_in:
        poor = replace(USUAL, url=stand_in.url, shots=(0,), budget=0.01, price=TokenPrice(5.0, 5.0))
        made = await bench.compared(Wanted((poor,)))
    row = made.rows[-1]
    assert 0 < row.n < len(JUDGING)
    assert row.stopped == f"stopped at $0.0100 after {row.n} of 112; compared on these"
    assert row.difference is not None and row.difference.pairs.n == row.n
    assert table_lines(made)[-1].rstrip().endswith(row.stopped)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--endpoint", "gpt"], "--endpoint gpt: the settings have no [compare.endpoints]"),
        (["--cascade"], "--cascade hands on to a prompted model"),
        (["--sure", "1.5", "--prompt"], "--sure 1.5: write a probability above 0"),
        (["--prompt", "--shots", "many"], "--shots many: write numbers from 0 to 100, like 0,3,8,20"),
        (["--base", "nowhere/"], "--base: 'nowhere/'"),
    ],
)
def test_flags_that_mean_nothing_end_the_command_with_2_before_anything_slow(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert CliRunner().invoke(cli, ["init", "web"]).exit_code == 0
    (tmp_path / "rows.jsonl").write_text('{"text": "my invoice", "label": "billing"}\n', "utf-8")
    done = CliRunner().invoke(cli, ["compare", "rows.jsonl", *arguments])
    assert (done.exit_code, said in " ".join(done.stderr.split())) == (2, True), done.stderr


def test_an_endpoint_that_is_not_there_names_those_that_are(bench: Bench) -> None:
    settings = replace(bench.settings, endpoints=(USUAL,))
    with pytest.raises(UsageError, match="--endpoint gtp: no such endpoint; the settings have gpt"):
        wanted_arms(settings, ["gtp"], False, [], None, False, None)
    wanted = wanted_arms(settings, ["gpt", "gpt"], False, ["starter"], "8,0", False, 0.8)
    assert wanted == Wanted((USUAL,), own_base=True, shots=(8, 0), cascade=True, sure=0.8)


@pytest.mark.parametrize("name", ["gpt zero-shot", "gpt", "mixture, unsure to gpt 8 retrieved", "other 3 fixed"])
def test_no_two_arms_are_called_the_same(name: str) -> None:
    wanted = Wanted((USUAL,), bases=("other",), shots=(0, 3, 8), cascade=True)
    check_names(wanted, "starter", ["gpt 20 retrieved", "rules", "starter zero-shot"])
    with pytest.raises(UsageError, match=f"two arms would be called '{name}'; give the file of predictions"):
        check_names(wanted, "starter", ["rules", name])


def test_an_endpoint_and_a_base_are_not_called_the_same() -> None:
    with pytest.raises(UsageError, match="two arms would be called 'gpt'"):
        check_names(Wanted((USUAL,), bases=("gpt",)), "starter", [])
