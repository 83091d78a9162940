"""The flags of `switchboard compare` for prompted models, and the arms that they ask for."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Annotated

import typer

from bot.commands.prompting import Wanted
from bot.domain.endpoints import Endpoint
from bot.domain.errors import UsageError
from bot.domain.few_shot import MOST_SHOTS
from bot.domain.price_book import PriceBook
from bot.prompted_models import check_base
from bot.settings import Settings

COMPARE_HELP = """Whether the fine-tuned model is worth it, on a labelled file or, with --since, on past messages.

The commonest label, each voice alone, the whole mixture and the mixture without
the fine-tuned model, on the same messages: how often each is right, how fast it
is, what it costs, and one sentence of verdict. --predictions puts anybody else's
answers beside them. Messages that nearly repeat a learned text are left out. Of
a file with splits the test rows count; of past messages those whose label was
settled by what happened later. --history shows the verdicts of the weeks.

--prompt, --base and --endpoint prompt models that were not fine-tuned, with and
without examples; interrupted, the same command goes on where it was. --cascade
lets what serves decide where it is sure, and the prompted model where it is not.
"""
"""The text of `switchboard compare --help`."""
EndpointNames = Annotated[
    list[str] | None,
    typer.Option("--endpoint", metavar="NAME", help="Prompt [compare.endpoints.NAME], within its budget; repeatable."),
]
PromptOwn = Annotated[bool, typer.Option("--prompt", help="Prompt the settings' base model without its adapter.")]
Bases = Annotated[
    list[str] | None,
    typer.Option("--base", metavar="MODEL", help="Prompt another base, a folder or Hugging Face id; repeatable."),
]
Shots = Annotated[
    str | None, typer.Option("--shots", metavar="N,…", help="How many examples prompts show; by default 0,3,8,20.")
]
Cascade = Annotated[bool, typer.Option("--cascade", help="Also: what serves where it is sure, else the prompted one.")]
Sure = Annotated[
    float | None,
    typer.Option("--sure", metavar="P", help="In a cascade: sure from this probability on, not where it asks."),
]


def wanted_arms(
    settings: Settings,
    endpoints: Sequence[str],
    own_base: bool,
    bases: Sequence[str],
    shots: str | None,
    cascade: bool,
    sure: float | None,
) -> Wanted:
    """The arms that the flags ask for. Raises UsageError before anything slow begins."""
    known = {one.name: one for one in settings.endpoints}
    for name in endpoints:
        if name not in known:
            raise UsageError(f"--endpoint {name}: {_choices(known)}")
        settings.demand(f"compare.endpoints.{name}")
    if sure is not None and not 0 < sure <= 1:
        raise UsageError(f"--sure {sure:g}: write a probability above 0, up to 1, like 0.8")
    others = [base for base in dict.fromkeys(bases) if base != settings.model.base]
    for base in others:
        check_base(base)
    wanted = Wanted(
        tuple(known[name] for name in dict.fromkeys(endpoints)),
        own_base or len(others) < len(set(bases)),
        tuple(others),
        None if shots is None else _shots(shots),
        cascade or sure is not None,
        sure,
    )
    if wanted.cascade and not wanted.anything:
        raise UsageError(
            "--cascade hands on to a prompted model; ask one with --endpoint NAME, --base MODEL or --prompt"
        )
    return wanted


def check_names(wanted: Wanted, own_base: str, predictions: Collection[str]) -> None:
    """Raise UsageError where two arms would have the same name: nobody could tell their figures apart."""
    counts = Counter((*wanted.arms(own_base), *predictions))
    if twice := [name for name, times in counts.items() if times > 1]:
        raise UsageError(
            f"two arms would be called {twice[0]!r}; give the file of predictions, or the endpoint in the settings, "
            "another name"
        )


def with_prices_of(endpoints: Sequence[Endpoint], book: PriceBook) -> PriceBook:
    """The price book with only the token prices of these endpoints, where the settings' own come first."""
    own = {one.name: one.price for one in endpoints if one.price is not None}
    asked = {one.name for one in endpoints} | {one.model for one in endpoints}
    return replace(book, tokens={name: one for name, one in {**book.tokens, **own}.items() if name in asked})


def _choices(known: dict[str, Endpoint]) -> str:
    if not known:
        return "the settings have no [compare.endpoints]; write one, as docs/worth-it.md shows"
    return f"no such endpoint; the settings have {', '.join(sorted(known))}"


def _shots(written: str) -> tuple[int, ...]:
    parts = [part.strip() for part in written.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdecimal() and int(part) <= MOST_SHOTS for part in parts):
        raise UsageError(f"--shots {written}: write numbers from 0 to {MOST_SHOTS}, like 0,3,8,20")
    return tuple(dict.fromkeys(int(part) for part in parts))
