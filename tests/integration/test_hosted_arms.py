"""Hosted models over a stand-in that counts tokens and misbehaves: answers, retries, the budget, and stored answers."""

import sqlite3
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.endpoints import Endpoint
from bot.domain.errors import UsageError
from bot.domain.few_shot import Choice, ShownExamples, Variant
from bot.domain.learning import Example, Side, Source, text_key
from bot.domain.prompted import Fault
from bot.domain.prompted_arms import Asking, PromptedArm
from bot.domain.token_prices import Budget, TokenPrice
from bot.flow.hosted_arms import HostedArms
from inference.answer_cache import SqliteAnswerCache
from inference.hosted import HostedModel, open_endpoint, retry_after
from tests.samples import NOW, TASK
from tests.servers.chat_endpoint import ChatEndpoint, Misdeed, failing, hanging_up, saying

PRICE = TokenPrice(input=10_000.0, output=10_000.0)
"""A cent a token."""
USUAL = Endpoint("gpt", "", "gpt-1", "KEY", budget=1_000.0, concurrency=1, secret="sk-secret", timeout=5.0)
JUDGING = [
    Example(text.format(n), label, Source.IMPORT, Side.HELD_OUT, NOW)
    for n in range(6)
    for text, label in (("I was charged {} times", "billing"), ("laptop {} is broken", "it"))
]
SHOWN = ShownExamples(
    fixed=[("my invoice", "billing"), ("the printer", "it")],
    nearest={text_key(e.text): [("a screen", "it"), ("a refund", "billing")] for e in JUDGING},
)
ZERO = Variant(0)


def keyword(prompt: str) -> str:
    """The answer of a good model."""
    return "billing" if "charged" in prompt.rpartition("Message:")[2] else "it"


@asynccontextmanager
async def open_arms(stand_in: ChatEndpoint, folder: Path, usual: Endpoint = USUAL) -> AsyncIterator[HostedArms]:
    """An endpoint's arms over the stand-in, which is already running."""
    known = replace(usual, url=stand_in.url)
    with SqliteAnswerCache(folder / "answers.sqlite") as cache:
        async with open_endpoint(known) as line:
            yield HostedArms(HostedModel(line, known), known, PRICE, "USD", cache, pauses=(0.0, 0.0))


async def asked(
    arms: HostedArms, way: Variant = ZERO, judging: Sequence[Example] = JUDGING, budget: Budget | None = None
) -> PromptedArm:
    known = budget or Budget(arms.endpoint.budget or 0.0)
    [arm] = await arms.ask(Asking(TASK, judging, SHOWN), [way], known, lambda _: None)
    return arm


async def test_every_message_is_answered_with_a_label_and_its_probability(tmp_path: Path) -> None:
    async with ChatEndpoint(keyword) as stand_in, open_arms(stand_in, tmp_path) as arms:
        arm = await asked(arms)
    assert (len(arm.told), arm.stopped, arm.graded) == (12, "", True)
    assert all(score.right for score in arm.scores(JUDGING))
    told = arm.told[text_key(JUDGING[0].text)]
    assert told.probabilities["billing"] == pytest.approx(0.9)
    assert told.tokens_in == len(next(p for p in stand_in.prompts if JUDGING[0].text in p).split())
    assert told.tokens_out == 1
    assert stand_in.keys == {"Bearer sk-secret"}


@pytest.mark.parametrize(
    ("way", "order"),
    [
        (Variant(0), []),
        (Variant(1, Choice.FIXED), ["my invoice"]),
        (Variant(2, Choice.FIXED), ["my invoice", "the printer"]),
        (Variant(1, Choice.RETRIEVED), ["a refund"]),
        (Variant(2, Choice.RETRIEVED), ["a screen", "a refund"]),
    ],
)
async def test_a_prompt_shows_so_many_examples_and_all_labels_with_their_meanings(
    way: Variant, order: list[str], tmp_path: Path
) -> None:
    async with ChatEndpoint(keyword) as stand_in, open_arms(stand_in, tmp_path) as arms:
        await asked(arms, way, JUDGING[:1])
    [prompt] = stand_in.prompts
    shown = [line for line in prompt.splitlines() if line in {"my invoice", "the printer", "a screen", "a refund"}]
    assert shown == order
    assert all(f"{label.name}: {label.means}" in prompt for label in TASK.labels)
    assert prompt.endswith(f"Message:\n{JUDGING[0].text}\nLabel:")


@pytest.mark.parametrize(
    "misdeeds",
    [
        [failing(429, "rate_limit_exceeded", retry_after="0")],
        [failing(500), failing(503)],
        [hanging_up],
        [saying("<html>bad gateway</html>")],
        [saying({"error": {"code": 502, "message": "upstream"}})],
        [saying({"choices": None}), saying({"choices": []})],
    ],
    ids=["429", "500 and 503", "closing", "html", "error in a success", "no choices"],
)
async def test_what_passes_is_asked_again(misdeeds: list[Misdeed], tmp_path: Path) -> None:
    async with ChatEndpoint(keyword) as stand_in, open_arms(stand_in, tmp_path) as arms:
        stand_in.misdeeds.extend(misdeeds)
        arm = await asked(arms)
    assert (len(arm.told), arm.stopped) == (12, "")
    assert len(stand_in.prompts) == 12 + len(misdeeds)


async def test_who_never_answers_is_given_up_and_its_row_says_why(tmp_path: Path) -> None:
    async with ChatEndpoint(keyword) as stand_in, open_arms(stand_in, tmp_path) as arms:
        first = await asked(arms, judging=JUDGING[:1])
        stand_in.misdeeds.extend([failing(503)] * 3)
        arm = await asked(arms)
    assert first.stopped == ""
    assert arm.stopped.startswith("answered 503 (an_error), 3 times, after ")
    assert len(stand_in.prompts) == 1 + len(stand_in.answered) - 1 + 3


@pytest.mark.parametrize(
    ("misdeed", "said"),
    [
        (failing(401, "invalid_api_key"), "answered 401 (invalid_api_key) after 0 of 12"),
        (failing(429, "insufficient_quota"), "answered 429 (insufficient_quota) after 0 of 12"),
        (failing(404, "I was charged 3 times"), "answered 404 (an_error) after 0 of 12"),
        (failing(429, retry_after="600"), "answered 429 (an_error), and is to be asked again in 600 s after 0 of 12"),
    ],
)
async def test_what_no_waiting_mends_ends_the_arm_at_once(misdeed: Misdeed, said: str, tmp_path: Path) -> None:
    async with ChatEndpoint(keyword) as stand_in, open_arms(stand_in, tmp_path) as arms:
        stand_in.misdeeds.append(misdeed)
        arm = await asked(arms)
    assert (arm.stopped, dict(arm.told), len(stand_in.prompts)) == (said, {}, 1)


async def test_a_message_that_is_refused_alone_counts_as_wrong(tmp_path: Path) -> None:
    async with ChatEndpoint(keyword) as stand_in, open_arms(stand_in, tmp_path) as arms:
        stand_in.misdeeds.append(failing(400, "context_length_exceeded"))
        arm = await asked(arms)
    assert (len(arm.told), arm.stopped) == (12, "")
    assert [told.fault for told in arm.told.values()].count(Fault.REFUSED) == 1
    assert sum(score.right for score in arm.scores(JUDGING)) == 11


async def test_an_endpoint_that_refuses_every_message_is_not_asked_them_all(tmp_path: Path) -> None:
    async with ChatEndpoint(keyword) as stand_in, open_arms(stand_in, tmp_path) as arms:
        stand_in.misdeeds.extend([failing(400, "model_not_found")] * 12)
        arm = await asked(arms)
    assert arm.stopped.startswith("answered 400 (model_not_found) after ")
    assert len(stand_in.prompts) == 5


async def test_prose_is_wrong_and_counted_though_a_label_is_in_it(tmp_path: Path) -> None:
    def answer(prompt: str) -> str:
        return f"It sounds like {keyword(prompt)}." if "charged" in prompt else f"**{keyword(prompt).upper()}**\n"

    async with ChatEndpoint(answer) as stand_in, open_arms(stand_in, tmp_path) as arms:
        arm = await asked(arms)
    assert [score.right for score in arm.scores(JUDGING)] == [example.label == "it" for example in JUDGING]
    assert arm.notes()[0] == "gpt zero-shot: 6 of 12 answers are prose or name no label; they count as wrong"


async def test_what_a_model_thinks_aloud_is_no_answer(tmp_path: Path) -> None:
    def answer(prompt: str) -> str:
        return f"<think>billing or it?</think>\n\n{keyword(prompt)}"

    async with ChatEndpoint(answer) as stand_in, open_arms(stand_in, tmp_path) as arms:
        arm = await asked(arms)
    assert all(score.right for score in arm.scores(JUDGING))
    assert not arm.graded, "the probability is of the thoughts, too"


async def test_unknown_parameters_are_left_out_and_no_probabilities_are_said_to_be_none(tmp_path: Path) -> None:
    async with ChatEndpoint(keyword, logprobs=False) as stand_in, open_arms(stand_in, tmp_path) as arms:
        stand_in.refuses = frozenset({"max_tokens", "temperature", "logprobs"})
        arm = await asked(arms)
    assert (len(arm.told), arm.stopped, arm.graded) == (12, "", False)
    assert len(stand_in.prompts) == 12 + 3, "each is found out once"
    assert arm.notes() == ["gpt zero-shot: it tells no probabilities, so nothing is said of its calibration"]


async def test_a_slow_endpoint_is_asked_again_and_its_silence_may_be_on_the_bill(tmp_path: Path) -> None:
    slow = replace(USUAL, timeout=0.2)
    async with ChatEndpoint(keyword) as stand_in, open_arms(stand_in, tmp_path, slow) as arms:
        stand_in.hold_next()
        budget = Budget(1_000.0)
        arm = await asked(arms, judging=JUDGING[:1], budget=budget)
        stand_in.let_go()
    [told] = arm.told.values()
    assert (told.tokens_in, told.tokens_out) == (len(stand_in.prompts[0].split()), 1)
    answered = PRICE.cost(len(stand_in.prompts[0].split()), 1)
    assert budget.spent > answered + PRICE.cost(len(stand_in.prompts[0]), 0)


async def test_the_budget_is_never_exceeded_and_the_row_says_where_it_stopped(tmp_path: Path) -> None:
    async with ChatEndpoint(keyword) as stand_in:
        async with open_arms(stand_in, tmp_path / "whole") as arms:
            whole = Budget(1_000.0)
            await asked(arms, budget=whole)
        half = whole.spent / 2 + 4.0  # the most that one question may cost is added
        async with open_arms(stand_in, tmp_path / "half", replace(USUAL, budget=half, concurrency=3)) as arms:
            budget = Budget(half)
            arm = await asked(arms, budget=budget)
            before = len(stand_in.prompts)
            again = await asked(arms, budget=Budget(half))
            assert len(stand_in.prompts) == before, "nothing is paid for twice, and no more than the budget either"
    assert 0 < len(arm.told) < 12
    assert budget.spent <= half
    assert arm.stopped == f"stopped at ${half:.2f} after {len(arm.told)} of 12; compared on these"
    assert (again.stopped, again.told) == (arm.stopped, arm.told)
    assert len(arm.scores(JUDGING)) == len(arm.told)


async def test_an_endpoint_that_charges_more_than_it_was_asked_for_is_stopped(tmp_path: Path) -> None:
    async with ChatEndpoint(keyword) as stand_in, open_arms(stand_in, tmp_path) as arms:
        stand_in.charged = 100_000
        arm = await asked(arms)
    assert len(arm.told) == 1
    assert arm.stopped == (
        "stopped at $1000.00 (its answers had cost $2000.00 by then: more than max_tokens allows) after 1 of 12; "
        "compared on these"
    )


async def test_without_usage_the_worst_is_charged_and_no_price_is_told(tmp_path: Path) -> None:
    async with ChatEndpoint(keyword, usage=False) as stand_in, open_arms(stand_in, tmp_path) as arms:
        budget = Budget(1_000.0)
        arm = await asked(arms, budget=budget)
    assert arm.tokens() is None
    assert budget.spent > PRICE.cost(sum(len(prompt) for prompt in stand_in.prompts), 0)
    assert "gpt zero-shot: 12 answers came without a count of tokens, so the cost is not known" in arm.notes()


async def test_an_interrupted_comparison_asks_only_for_the_rest(tmp_path: Path) -> None:
    async with ChatEndpoint(keyword) as stand_in:
        async with open_arms(stand_in, tmp_path) as arms:
            await asked(arms, judging=JUDGING[:5])
        async with open_arms(stand_in, tmp_path) as arms:
            arm = await asked(arms)
    assert len(arm.told) == 12
    assert sorted(stand_in.prompts) == sorted(set(stand_in.prompts)) and len(stand_in.prompts) == 12


async def test_what_is_kept_is_for_its_owner_alone_and_holds_no_text(tmp_path: Path) -> None:
    async with ChatEndpoint(keyword) as stand_in, open_arms(stand_in, tmp_path) as arms:
        await asked(arms)
        rights, kept = _stored(tmp_path)
    assert rights == {0o600}
    assert b"billing" in kept and b"charged" not in kept and b"laptop" not in kept


async def test_an_answer_that_cannot_be_kept_ends_the_command_in_a_sentence(tmp_path: Path) -> None:
    async with ChatEndpoint(keyword) as stand_in, open_arms(stand_in, tmp_path) as arms:
        with sqlite3.connect(tmp_path / "answers.sqlite") as other:
            other.execute("DROP TABLE answers")
        other.close()
        with pytest.raises(UsageError, match=r"answers\.sqlite cannot be used \(no such table"):
            await asked(arms)


def test_a_file_that_is_no_cache_is_named(tmp_path: Path) -> None:
    (tmp_path / "answers.sqlite").write_text("something else, long enough to be no empty database at all" * 20, "utf-8")
    with pytest.raises(UsageError, match="without it everything is asked again"):
        SqliteAnswerCache(tmp_path / "answers.sqlite")


def _stored(folder: Path) -> tuple[set[int], bytes]:
    files = list(folder.iterdir())
    return {stat.S_IMODE(file.stat().st_mode) for file in files}, b"".join(file.read_bytes() for file in files)


async def test_no_more_are_asked_at_once_than_the_settings_say(tmp_path: Path) -> None:
    async with ChatEndpoint(keyword) as stand_in, open_arms(stand_in, tmp_path, replace(USUAL, concurrency=2)) as arms:
        await asked(arms)
    assert stand_in.most_at_once <= 2


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Sat, 28 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sat, 28 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "soon"}, None),
    ],
)
def test_how_long_to_wait_is_read_in_every_form(headers: dict[str, str], wait: float | None) -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    assert retry_after(headers, now) == (None if wait is None else timedelta(seconds=wait))
