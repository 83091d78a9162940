"""A prompted base: with the client of every decision, as many examples as have room, and resuming."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response
from tokenizers import Tokenizer

from bot.domain.errors import NotTrained, Refused
from bot.domain.few_shot import Choice, ShownExamples, Variant
from bot.domain.learning import Example, Side, Source, text_key
from bot.domain.prompted_arms import Asking
from bot.domain.tasks import Label, Task
from bot.flow.local_arms import LocalArms
from inference.adapters import VllmAdapters
from inference.answer_cache import SqliteAnswerCache
from inference.client import VllmPredictor
from inference.prompt import PromptBuilder
from inference.prompted_base import VllmPromptedBase
from tests.fakes_inference import FakeVllm
from tests.samples import NOW
from tests.small_bases import bare_base, listed_base

TASK = Task("routing", "Which?", (Label("billing", "Money", ("my example",)), Label("it", "Machines")), "billing")
SHOTS = [(f"example {n}", "it") for n in range(8)]
JUDGING = [Example(f"message {n}", "it", Source.IMPORT, Side.HELD_OUT, NOW) for n in range(50)]
SHOWN = ShownExamples(SHOTS, {text_key(e.text): SHOTS[::-1] for e in JUDGING})


@pytest.fixture
async def vllm() -> FakeVllm:
    return FakeVllm("base")


@pytest.fixture
async def line(vllm: FakeVllm) -> AsyncIterator[httpx.AsyncClient]:
    async with vllm.line() as line:
        yield line


def prompted(line: httpx.AsyncClient, folder: Path) -> VllmPromptedBase:
    prompts = PromptBuilder(folder)
    return VllmPromptedBase(VllmPredictor(prompts, "base", VllmAdapters(line, folder)), prompts, folder)


def words(vllm: FakeVllm, folder: Path) -> list[str]:
    """The text of what the server was asked."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    found: list[str] = []
    for request in vllm.requests:
        prompts = request["prompt"]
        assert isinstance(prompts, list)
        found += [tokenizer.decode(prompt) for prompt in prompts]
    return found


async def test_a_prompt_shows_labels_with_their_meanings_and_the_examples_before_the_message(
    vllm: FakeVllm, line: httpx.AsyncClient, tmp_path: Path
) -> None:
    folder = listed_base(tmp_path / "base")
    [zero, two] = await prompted(line, folder).ask(TASK, [("a screen", ()), ("a screen", SHOTS[:2])])
    assert sum(zero.probabilities.values()) == pytest.approx(1.0) and set(zero.probabilities) == {"billing", "it"}
    assert (zero.shots, two.shots) == (0, 2) and two.tokens > zero.tokens
    plain, shown = words(vllm, folder)
    assert "A: billing: Money\nB: it: Machines\n" in plain
    assert "my example" not in plain, "zero-shot shows no example, the settings' own included"
    assert "Message: example 0\nCode: B\n\nMessage: example 1\nCode: B\n\nMessage:\na screen" in shown


async def test_examples_make_room_for_the_message_the_farthest_first(
    vllm: FakeVllm, line: httpx.AsyncClient, tmp_path: Path
) -> None:
    folder = listed_base(tmp_path / "base", positions=180)
    message = "a printer that is on fire again"
    [made] = await prompted(line, folder).ask(TASK, [(message, SHOTS)])
    [asked] = words(vllm, folder)
    assert 0 < made.shots < len(SHOTS)
    assert message in asked and "example 7" in asked and "example 0" not in asked


async def test_a_base_that_reads_the_message_alone_or_has_too_few_codes_says_so(
    line: httpx.AsyncClient, tmp_path: Path
) -> None:
    with pytest.raises(NotTrained, match="cannot be prompted"):
        await prompted(line, bare_base(tmp_path / "bare")).ask(TASK, [("a", ())])
    many = Task("routing", "Which?", tuple(Label(f"team {n}", "x") for n in range(1_000)), "team 0")
    with pytest.raises(Refused, match=r"it has \d+ codes of one token for 1000 labels"):
        await prompted(line, listed_base(tmp_path / "listed")).ask(many, [("a", ())])


async def test_every_way_is_an_arm_and_an_interruption_loses_nothing(
    vllm: FakeVllm, line: httpx.AsyncClient, tmp_path: Path
) -> None:
    base, ways = prompted(line, listed_base(tmp_path / "base")), [Variant(0), Variant(3), Variant(3, Choice.RETRIEVED)]
    with SqliteAnswerCache(tmp_path / "answers.sqlite") as cache:
        await LocalArms(base, "llama", cache).ask(Asking(TASK, JUDGING[:20], SHOWN), ways[:1], lambda _: None)
        before = _asked(vllm)
        arms = await LocalArms(base, "llama", cache).ask(Asking(TASK, JUDGING, SHOWN), ways, lambda _: None)
    assert [arm.name for arm in arms] == ["llama zero-shot", "llama 3 fixed", "llama 3 retrieved"]
    assert before == 20 and _asked(vllm) == 3 * 50
    assert all(len(arm.told) == 50 and arm.graded and not arm.stopped for arm in arms)
    assert all(len(arm.milliseconds) >= 40 for arm in arms), "so many are asked one by one"
    assert arms[0].told != arms[1].told


async def test_a_server_that_falls_silent_leaves_what_it_said_before(
    vllm: FakeVllm, line: httpx.AsyncClient, tmp_path: Path
) -> None:
    base = prompted(line, listed_base(tmp_path / "base"))

    def told(_: int) -> None:
        if _asked(vllm) == 10:
            vllm.failure = Response(status_code=503)

    with SqliteAnswerCache(tmp_path / "answers.sqlite") as cache:
        [arm] = await LocalArms(base, "llama", cache).ask(Asking(TASK, JUDGING, SHOWN), [Variant(0)], told)
    assert len(arm.told) == 10
    assert arm.stopped.endswith("answered 503 after 10 of 50; compared on these")


async def test_another_model_in_the_same_folder_is_asked_anew(line: httpx.AsyncClient, tmp_path: Path) -> None:
    folder = listed_base(tmp_path / "base")
    before = prompted(line, folder).identity
    folder.joinpath("model.safetensors").write_bytes(b"other weights")
    assert prompted(line, folder).identity != before


def _asked(vllm: FakeVllm) -> int:
    prompts: list[Sequence[object]] = [row for r in vllm.requests if isinstance(row := r["prompt"], list)]
    return sum(map(len, prompts))
