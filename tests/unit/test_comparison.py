"""`switchboard compare` over fakes: every arm in one pass, leaks left out, and the written report."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.commands.compare import PRICES, prediction_files, price_book
from bot.commands.comparison import Comparison, PredictionFile, Priced, compare
from bot.commands.comparison_report import show, table_lines, write_page
from bot.commands.training_costs import with_training
from bot.domain.decisions import Prediction
from bot.domain.errors import UsageError
from bot.domain.learning import Example, Side, Source
from bot.domain.memory_vote import Neighbours
from bot.domain.mixture import ADAPTER, NEIGHBOURS, VECTORS, WORDS
from bot.domain.model_ports import Query, Said
from bot.domain.training_cost import TrainedAdapter
from bot.flow.classify import Classifier
from bot.flow.score import Scorer
from tests.fakes import FakePredictor, fake_classifier
from tests.fakes_voices import FakeVoices
from tests.samples import NOW, TASK

TODAY = date(2026, 7, 1)
SURE_OF_IT: Said = {
    voice: {n: 0.94 if n == "it" else 0.02 for n in TASK.names} for voice in (WORDS, VECTORS, NEIGHBOURS)
}
LEARNED = [Example(f"the printer on floor {n} eats paper", "it", Source.IMPORT, Side.TRAIN, NOW) for n in range(3)] + [
    Example("please change our address", "delivery", Source.IMPORT, Side.TRAIN, NOW)
]
ASKED = [Example(f"I was charged {n} times", "billing", Source.IMPORT, Side.HELD_OUT, NOW) for n in range(20)] + [
    Example(f"laptop {n} is broken", "it", Source.IMPORT, Side.HELD_OUT, NOW) for n in range(20)
]
NAMES = ["majority", WORDS, VECTORS, NEIGHBOURS, ADAPTER, "mixture", "mixture without adapter"]


class SurePredictor(FakePredictor):
    """Reads keywords, and is so sure that other voices have no effect."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        self.texts += texts
        wanted = ["billing" if "charged" in text else "it" for text in texts]
        return [Prediction({n: float(n == name) for n in TASK.names}, "routing-1") for name in wanted]


def classifier(predictor: FakePredictor | None = None) -> Classifier:
    voices = FakeVoices(SURE_OF_IT)
    return replace(fake_classifier(Neighbours(), predictor or SurePredictor()), fitted=voices)


async def compared(
    examples: Sequence[Example] = ASKED, *files: PredictionFile, of: Classifier | None = None
) -> Comparison:
    priced = Priced(price_book(PRICES), gpu=False)
    return await compare(Scorer(of or classifier()), TASK, LEARNED, examples, files, priced, TODAY)


async def test_every_arm_answers_the_same_messages() -> None:
    made = await compared()
    rows = {row.arm: row for row in made.rows}
    assert list(rows) == NAMES
    assert {name: row.accuracy for name, row in rows.items()} == {
        **dict.fromkeys(("majority", WORDS, VECTORS, NEIGHBOURS, "mixture without adapter"), 0.5),
        **dict.fromkeys((ADAPTER, "mixture"), 1.0),
    }
    assert rows["mixture"].difference is None
    words = rows[WORDS].difference
    assert words is not None and words.pairs.lost == 20
    assert made.verdict.startswith("Too few messages to tell: 40 of at least 100")
    assert all(row.per_1000 is not None and row.per_1000 >= 0 for row in made.rows)


async def test_more_messages_of_the_same_kind_make_it_worth_it() -> None:
    many = [replace(e, text=f"{e.text}, says {word}") for e in ASKED for word in ("Ann", "Bob", "Cleo")]
    made = await compared(many)
    assert re.match(r"Worth it: \+50\.0 ± \d+\.\d points over the same voices without the Llama", made.verdict)


async def test_each_message_is_asked_of_the_model_once_besides_the_timing() -> None:
    predictor = SurePredictor()
    await compared(ASKED, of=classifier(predictor))
    in_one_pass = predictor.texts[-len(ASKED) :]
    assert in_one_pass == [example.text for example in ASKED]
    timed = predictor.texts[: -len(ASKED)][1:]
    assert len(set(timed)) == len(timed), "what was just asked is answered from a cache"


async def test_what_nearly_repeats_a_learned_text_is_left_out_and_counted() -> None:
    made = await compared([*ASKED, replace(LEARNED[0], side=Side.HELD_OUT), ASKED[0]])
    assert (made.messages, made.leaked, made.repeated) == (40, 1, 1)
    with pytest.raises(UsageError, match="1 message nearly repeats"):
        await compared([LEARNED[0]])


async def test_an_untrained_model_is_no_arm() -> None:
    without = Scorer(classifier()).without_model().classifier
    made = await compared(ASKED, of=without)
    assert ADAPTER not in [row.arm for row in made.rows]
    assert "adapter takes no part: nothing is fitted, or the mixture gives it no weight" in made.notes


async def test_predictions_stand_beside_the_own_arms() -> None:
    rows = [{"text": e.text, "label": e.label} for e in ASKED[1:]] + [{"text": "a leak", "label": "it"}]
    rows[0]["label"] = "billing, I think"
    made = await compared(ASKED, PredictionFile("gpt-4o", "\n".join(map(json.dumps, rows))))
    assert made.rows[-1].arm == "gpt-4o"
    assert (made.rows[-1].accuracy, made.rows[-1].ece, made.rows[-1].per_1000) == (0.95, None, None)
    assert (
        "gpt-4o: 1 message has no prediction, 1 prediction names no label of routing; both count as wrong" in made.notes
    )
    assert any(note.startswith("no price is known for gpt-4o") for note in made.notes)


async def test_labels_that_nobody_has_and_one_label_alone_are_said() -> None:
    made = await compared(ASKED[:20])
    assert "nobody in the file has these labels, so nothing is said of them: delivery, it, triage" in made.notes
    assert made.verdict.startswith("Nothing to tell: all 20 messages have one label")


async def test_the_table_and_the_json_hold_every_arm_and_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    made = await compared()
    header, *lines = table_lines(made)
    assert header.startswith("arm ") and len({len(line) for line in (header, *lines)}) == 1
    assert lines[5].startswith("mixture ") and "serves now" in lines[5]
    out = StringIO()
    show(made, as_json=True, out=out)
    written = json.loads(out.getvalue())
    assert [arm["arm"] for arm in written["arms"]] == NAMES
    assert written["arms"][1]["against_served"]["gain"] == -0.5
    assert written["verdict"] == made.verdict and made.verdict in " ".join(capsys.readouterr().err.split())
    assert "charged" not in out.getvalue()


async def test_the_page_is_whole_in_itself_and_escapes_names(tmp_path: Path) -> None:
    answers = "\n".join(json.dumps({"label": e.label}) for e in ASKED)
    made = await compared(ASKED, PredictionFile("<script>alert(1)</script>", answers))
    write_page(tmp_path / "worth.html", made)
    page = (tmp_path / "worth.html").read_text("utf-8")
    assert "<script" not in page and "&lt;script&gt;" in page
    assert not re.search(r"(?:src|href)=|url\(|@import", page)
    assert page.count('class="dot"') == len(made.rows) - 1
    assert "Too few messages to tell" in page and "charged" not in page


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (["answers.jsonl"], "names no file; write it like --predictions gpt-4o=answers.jsonl"),
        (["words=answers.jsonl"], "the name 'words' is taken"),
        (["a=here.jsonl", "a=here.jsonl"], "the name 'a' is taken"),
        (["a=nowhere.jsonl"], "there is no such file"),
    ],
)
def test_predictions_that_name_nothing_say_how_to_name_them(
    written: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.jsonl").write_text('{"label": "it"}\n', "utf-8")
    with pytest.raises(UsageError) as error:
        prediction_files(written)
    assert said in str(error.value)


def test_a_broken_price_book_ends_the_command_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text("dated = 2026-06-01\n", "utf-8")
    assert CliRunner().invoke(cli, ["init", "web"]).exit_code == 0
    (tmp_path / "rows.jsonl").write_text('{"text": "my invoice", "label": "billing"}\n', "utf-8")
    done = CliRunner().invoke(cli, ["compare", "rows.jsonl", "--prices", "mine.toml"])
    assert done.exit_code == 2
    assert "mine.toml: no currency" in " ".join(done.stderr.split())


async def test_what_training_costs_stands_in_the_rows_in_which_the_adapter_takes_part() -> None:
    made = replace(await compared(), adapter="routing-1")
    trained = TrainedAdapter("routing-1", 3_600.0, NOW - timedelta(days=56), 1_000)
    told = with_training(made, trained, False, NOW)
    hour = made.book.own_cpu_per_hour
    assert {row.arm: row.training_per_1000 for row in told.rows if row.training_per_1000} == {
        ADAPTER: hour,
        "mixture": hour,
    }
    assert told.notes[-1].startswith(
        "the training of routing-1 took 60.0 minutes, $0.0816, spread over 1,000 decisions"
    )
    out = StringIO()
    show(told, True, out)
    rows = {row["arm"]: row["training_per_1000"] for row in json.loads(out.getvalue())["arms"]}
    assert (rows["mixture"], rows[WORDS]) == (hour, None)


async def test_nothing_is_said_of_a_training_that_was_not_ours_or_that_has_no_price() -> None:
    made = replace(await compared(), adapter="starter-1")
    trained = TrainedAdapter("routing-1", 3_600.0, NOW - timedelta(days=56), 1_000)
    assert with_training(made, trained, False, NOW) == made
    free = replace(made, adapter="routing-1", book=replace(made.book, own_gpu_per_hour=None))
    assert with_training(free, trained, True, NOW) == free
    assert with_training(replace(made, adapter=None), trained, False, NOW).adapter is None
    assert with_training(made, None, False, NOW) == made
