"""What the commands do once the parts they need are open; `cli` registers them under their names."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from bot.commands.evaluation_rows import write_rows
from bot.commands.training_consent import judge_answers, may_train
from bot.console import counting, say, share_of, table
from bot.domain.asking import USUAL, serving
from bot.domain.canary import Canary
from bot.domain.comparison import quantile
from bot.domain.decisions import Decision
from bot.domain.enough import too_little
from bot.domain.errors import UsageError
from bot.domain.example_files.reading import Text
from bot.domain.example_files.rows import BadLine
from bot.domain.languages import by_language
from bot.domain.learning import Adapter, Cycle, Example, Phase, Score
from bot.domain.messages import Person, clean
from bot.domain.model_ports import Query
from bot.domain.noise import strip_noise
from bot.domain.plural import counted
from bot.domain.queries import Erased
from bot.domain.rules import Rules
from bot.domain.score_metrics import accuracy, coverage_at, ece, macro_f1
from bot.domain.tasks import Task
from bot.domain.topics import among_its_topics
from bot.flow.by_rule import by_rule
from bot.flow.classify import BATCH
from bot.flow.questions import Questions
from bot.json_lines import json_line
from bot.model_stack import ModelStack
from bot.platforms import Finding
from bot.store import Store, canaries

_TIMED = 200
NO_RULES = Rules()
_LOOK_EVERY = 0.5
_SURROGATE = re.compile("[\ud800-\udfff]")


def now() -> datetime:
    return datetime.now(UTC)


# --- classify ---


async def route_text(
    models: ModelStack,
    task: Task,
    text: str,
    as_json: bool,
    out: TextIO,
    rules: Rules = NO_RULES,
    besides: Sequence[Task] = (),
) -> None:
    """Print one text's decision on stdout; the answers to the questions `besides` go along, or for people to stderr."""
    [decision] = await _decide(models, task, [clean(text)], rules)
    [answers] = await answers_to(models, besides, [clean(text)], [decision])
    print(_route_json(text, decision, answers) if as_json else _route_line(decision), file=out)
    for answer in () if as_json else answers:
        say(f"{answer.task}: {_route_line(answer)}")


async def answers_to(
    models: ModelStack, questions: Sequence[Task], texts: Sequence[str], made: Sequence[Decision]
) -> list[tuple[Decision, ...]]:
    """The answers to further questions about each text, given its team; those unavailable now are left out."""
    if not questions or not texts:
        return [()] * len(texts)
    answers = await Questions(questions, models.classifier, history=models.history).answers(texts)
    return [among_its_topics(questions, of, team.label) for of, team in zip(answers, made, strict=True)]


async def route_texts(
    models: ModelStack,
    task: Task,
    texts: Sequence[Text | BadLine],
    as_json: bool,
    out: TextIO,
    rules: Rules = NO_RULES,
    besides: Sequence[Task] = (),
) -> int:
    """Print a decision for each text of a file, in order, in batches; return how many lines had no text.

    A line without a text is named on stderr and left out.
    """
    good = [one for one in texts if isinstance(one, Text)]
    bad = [one for one in texts if isinstance(one, BadLine)]
    for complaint in bad:
        say(str(complaint))
    with counting("routing", len(good)) as done:
        for start in range(0, len(good), BATCH):
            batch = good[start : start + BATCH]
            words = [one.text for one in batch]
            made = await _decide(models, task, words, rules)
            answers = await answers_to(models, besides if as_json else (), words, made)
            for one, decision, of in zip(batch, made, answers, strict=True):
                print(_route_json(one.written, decision, of) if as_json else _route_line(decision), file=out)
            done(len(batch))
    return len(bad)


async def _decide(models: ModelStack, task: Task, texts: Sequence[str], rules: Rules) -> list[Decision]:
    """By the rules that look only at text and time, or else by the voices."""
    if not texts:
        return []
    query = await models.classifier.query(task)
    considered = await models.classifier.consider(query, texts)
    return [by_rule(task, known, rules, now()) or known.decided(task, may_ask=True) for known in considered]


def _route_json(text: str, decision: Decision, answers: Sequence[Decision] = ()) -> str:
    # As written, so that lines can be matched with their source; a lone surrogate can only be written escaped
    return json.dumps(route_row(text, decision, answers), ensure_ascii=_SURROGATE.search(text) is not None)


def route_row(text: str, decision: Decision, answers: Sequence[Decision] = ()) -> dict[str, object]:
    """The decision on a text, for programs."""
    return {
        "text": text,
        "label": decision.label,
        "confidence": round(decision.confidence, 6),
        "probabilities": {label: round(p, 6) for label, p in decision.probabilities.items()},
        "by": decision.by.value,
        "adapter": decision.adapter,
        "reason": decision.reason.value,
        "would_ask": list(decision.candidates),
        "language": decision.language,
        "voices": [asdict(heard) for heard in decision.voices],
        "left_out": [asdict(one) for one in strip_noise(clean(text)).left_out],
        "questions": {
            one.task: {
                "label": one.label,
                "confidence": round(one.confidence, 6),
                "probabilities": {label: round(p, 6) for label, p in one.probabilities.items()},
                "by": one.by.value,
                "reason": one.reason.value,
            }
            for one in answers
        },
    }


def _route_line(decision: Decision) -> str:
    asks = f", would ask: {', '.join(decision.candidates)}" if decision.candidates else ""
    return f"{decision.label}\t{decision.confidence:.2f}\t{decision.by.value} ({decision.reason.value}{asks})"


# --- learn ---


async def may_begin(store: Store, models: ModelStack, task: Task, yes: bool) -> bool:
    """Whether to begin a learning cycle; the user is asked when it takes longer than the settings allow unasked.

    Starts no model server. Raises UsageError when there is nothing to learn from, or nobody to ask.
    """
    await judge_answers(models)
    for warning in too_little(task, await store.examples.examples(task.name)):
        say(warning)
    if await may_train(models.learner.estimator, task, yes):
        return True
    say("nothing was trained; --yes does not ask")
    return False


async def train(store: Store, models: ModelStack, task: Task, as_json: bool, out: TextIO) -> bool:
    """Run one learning cycle now; return whether the candidate serves. Raises UsageError when it failed.

    A running bot may take up the cycle first, and what an interrupted process left behind precedes it: then wait, and
    learn here as soon as nobody else does.
    """
    await store.registry.request_cycle(task.name, "command", f"command {now().isoformat()}", now())
    with share_of("learning") as told:
        while (newest := (await store.registry.cycles(task.name, 1))[0]).phase not in (Phase.DONE, Phase.FAILED):
            if not await models.learner.step(told):
                told(newest.progress, f"{newest.phase.value} in another process")
                await asyncio.sleep(_LOOK_EVERY)
    if newest.phase is Phase.FAILED or newest.verdict is None:
        raise UsageError(f"learning failed: {newest.problem}")
    row = {
        "task": task.name,
        "adapter": newest.adapter,
        "promoted": newest.verdict.promoted,
        "reasons": list(newest.verdict.reasons),
        "figures": dict(newest.verdict.figures),
    }
    if as_json:
        print(json_line(row), file=out)
    trial = await canaries(store).canary(task.name, models.classifier.base)
    say(f"{newest.adapter} {_what_becomes_of_it(newest, trial)}")
    for reason in newest.verdict.reasons:
        say(f"  {reason}")
    return newest.verdict.promoted


async def evaluate(
    models: ModelStack,
    task: Task,
    name: str,
    examples: Sequence[Example],
    as_json: bool,
    out: TextIO,
    rows: Path | None = None,
    more: Mapping[str, float] | None = None,
) -> None:
    """Print figures of the whole system on a file's labelled texts, through the serving path.

    Latency is that of the first texts, asked one by one. `rows`: a file for what every voice said of each text. `more`:
    further figures to print.
    """
    query = await models.classifier.query(task)
    with counting("evaluating", len(examples)) as done:
        latencies = await _latencies(models, query, examples[:_TIMED])
        answered = await models.learner.scorer.answers(query, examples, done)
    if rows is not None:
        with counting("without the model", len(examples)) as done:
            others = models.learner.scorer.without_model(answered)
            without_model = await others.answers(query, examples, done)
        write_rows(rows, answered, without_model, latencies)
    scores = [one.score for one in answered]
    adapter = query.adapter.name if query.adapter else None
    figures = {"task": task.name, "adapter": adapter, **_figures(scores, latencies), **(more or {})}
    languages = _by_language(scores)
    if as_json:
        print(json.dumps(figures | {"by_language": languages}), file=out)
    else:
        table(name, ("figure", "value"), [(figure, _shown(value)) for figure, value in figures.items()])
        spoken = [(language, *map(_shown, row.values())) for language, row in languages.items()]
        table("by language", ("language", "n", "accuracy", "coverage at 95 %"), spoken)


def _figures(scores: Sequence[Score], latencies: Sequence[float]) -> dict[str, object]:
    return {
        "n": len(scores),
        "accuracy": accuracy(scores),
        "macro_f1": macro_f1(scores),
        "ece": ece(scores),
        "coverage_at_95": coverage_at(scores),
        "latency_ms": {f"p{share}": quantile(latencies, share / 100) or 0.0 for share in (50, 95)},
    }


async def _latencies(models: ModelStack, query: Query, examples: Sequence[Example]) -> list[float]:
    """Milliseconds for each of these texts, asked one by one; stops when a voice is silent."""
    taken: list[float] = []
    for example in examples:
        started = time.perf_counter()
        [known] = await models.classifier.consider(query, [example.text])
        if known.silent:
            break  # the scoring reports that, too
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def _by_language(scores: Sequence[Score]) -> dict[str, dict[str, float]]:
    """The same figures for each language, the most frequent first; `und` where the language is unknown."""
    return {
        language: {"n": len(of), "accuracy": accuracy(of), "coverage_at_95": coverage_at(of)}
        for language, of in by_language(scores).items()
    }


def _shown(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


# --- the registry ---


async def models(store: Store, task: Task, base: str, as_json: bool, out: TextIO) -> None:
    """Print a task's adapters, oldest first, and the latest learning cycles."""
    champion = await store.registry.champion(task.name, base)
    adapters = await store.registry.adapters(task.name)
    cycles = await store.registry.cycles(task.name, 10)
    rows = [
        {
            "adapter": adapter.name,
            "serves": champion is not None and adapter.name == champion.name,
            "base": adapter.base,
            "temperature": adapter.temperature,
            "made": adapter.made.isoformat(),
            "serves_until": None if adapter.retires is None else adapter.retires.isoformat(),
            **_asking(task, adapter),
        }
        for adapter in adapters
    ]
    if as_json:
        print(json_line(rows), file=out)
        return
    table(f"adapters of {task.name}", tuple(next(iter(rows), ())), [_cells(r) for r in rows])
    judged = [
        (c.adapter or "", c.phase.value, c.problem or "; ".join(c.verdict.reasons if c.verdict else ())) for c in cycles
    ]
    table("learning", ("adapter", "phase", "why"), judged)


def _asking(task: Task, adapter: Adapter) -> dict[str, float | None]:
    """The threshold below which it asks, the share of unasked decisions that was right, and the share made unasked."""
    kept = serving(task, adapter.mixture.proved)
    return {
        "ask_below": kept.ask_below if kept else task.ask_below or USUAL,
        "unasked_right": round(kept.right, 4) if kept else None,
        "covered": round(kept.covered, 4) if kept else None,
    }


def _cells(row: Mapping[str, object]) -> list[str]:
    return ["yes" if value is True else "" if value is False else str(value) for value in row.values()]


def _what_becomes_of_it(cycle: Cycle, trial: Canary | None) -> str:
    if cycle.verdict is None or not cycle.verdict.promoted:
        return "does not serve; the present model stays"
    if trial is not None and trial.adapter.name == cycle.adapter:
        return f"serves {trial.share:.0%} of the requests first, and everybody unless leads correct it more often"
    return "serves now"


async def promote(store: Store, task: Task, base: str, name: str) -> None:
    """Let this adapter serve. Raises UsageError for an unknown name, and for an adapter of another base."""
    await store.registry.promote(task.name, name, "command", "by hand", now(), base=base)
    say(f"{name} serves {task.name} from the next message on")


async def rollback(store: Store, task: Task, base: str) -> None:
    """Let the previous adapter serve again. Raises UsageError when there was none, or it is of another base."""
    adapter = await store.registry.rollback(task.name, "command", now(), base=base)
    say(f"{adapter.name} serves {task.name} again, from the next message on")


# --- proof and erasure ---


def known(platform: str | None, platforms: Collection[str]) -> None:
    """Raise UsageError for a platform that the settings do not have; None stands for all."""
    if platform is not None and platform not in platforms:
        raise UsageError(f"{platform} is not set up; platforms here are {', '.join(sorted(platforms))}")


async def check(findings: AsyncIterator[tuple[str, Finding]], as_json: bool, out: TextIO) -> bool:
    """Print every finding as soon as it is there, part by part; return whether all of them are good."""
    good = True
    async for part, finding in findings:
        good = good and finding.ok
        if as_json:
            row = {"part": part, "what": finding.what, "ok": finding.ok, "remedy": finding.remedy}
            print(json_line(row), file=out, flush=True)
        say(_found(part, finding))
    return good


def _found(part: str, finding: Finding) -> str:
    what = finding.what.removeprefix(f"{part}: ")
    return f"✓ {part}: {what}" if finding.ok else f"✗ {part}: {what}\n    → {finding.remedy}"


def person(written: str, platforms: Collection[str]) -> Person:
    """The person named by PLATFORM:USER. Raises UsageError that says how to write one."""
    platform, colon, id = written.strip().partition(":")
    if not colon or not id or platform not in platforms:
        choices = ", ".join(sorted(platforms))
        raise UsageError(f"{written!r} is nobody; write PLATFORM:USER, like telegram:111222333 (platforms: {choices})")
    return Person(platform, id)


def forgotten(person: Person, erased: Erased, as_json: bool, out: TextIO) -> None:
    """Print what an erasure did."""
    if as_json:
        row = {
            "person": person.key,
            "conversations": erased.conversations,
            "examples": erased.examples,
            "elsewhere": erased.elsewhere,
            "adapters": list(erased.adapters),
            "serve_until": None if erased.serve_until is None else erased.serve_until.isoformat(),
        }
        print(json.dumps(row), file=out)
    if erased.nothing:
        say(f"no words of {person.key} are left to erase; `switchboard audit {person.key}` shows what else is held")
        return
    talks, examples = counted(erased.conversations, "conversation"), counted(erased.examples, "example")
    also = counted(erased.elsewhere, "text in others' conversations", "texts in others' conversations")
    say(f"{person.key}: {talks}{f', {examples} and {also}' if erased.elsewhere else f' and {examples}'} are erased")
    if erased.adapters:
        say(f"may have learned from a text of theirs: {', '.join(erased.adapters)}")
        say(f"{_unlearned(erased)}; a learning cycle without it is asked for, `switchboard train` runs one now")


def _unlearned(erased: Erased) -> str:
    until = erased.serve_until
    return "they serve no longer" if until is None else f"they may serve until {until:%Y-%m-%d} at the latest"
