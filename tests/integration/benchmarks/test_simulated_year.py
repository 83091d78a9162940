"""A company with adapters lives three days of a year, killed after the first: PostgreSQL, vLLM, trainings, the gate."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.simulated_cycle import ModelServer, Shelf, Workshop, counted
from benchmarks.simulated_life import START, Company, Pace, lived
from benchmarks.simulated_words import Words
from inference.base_models import STARTER
from inference.prompt import PromptBuilder
from inference.server import EmbeddedServer

pytestmark = [pytest.mark.slow, pytest.mark.vllm]

THINGS = {
    "attic": "beam insulation trunk cobweb skylight rafter loft ladder",
    "garage": "tyre engine brakes gearbox bumper clutch radiator headlight",
    "garden": "lawn hedge roses sprinkler greenhouse compost orchard wheelbarrow",
    "kitchen": "oven kettle fridge sink dishwasher toaster saucepan cutlery",
    "pond": "carp reeds fountain frog jetty heron algae pump",
}
SAID = ("the {} is broken", "please look at the {} today", "who takes care of our {}?", "there goes the {}", "our {}!")
JUDGED = ("somebody should see to the {}", "a strange smell near the {}")
ASKED = ("hello, what about the {}?",)


def about(phrases: tuple[str, ...]) -> Mapping[str, list[str]]:
    return {team: [one.format(thing) for one in phrases for thing in of.split()] for team, of in THINGS.items()}


WORDS = Words(about(SAID), about(()), about(ASKED), {"attic": 56}, "garden", "pond", about(JUDGED))


class Killed(Exception):
    """The process ended."""


class EndsOnce(Shelf):
    """The shelf of a process that is killed after its first month."""

    def keep(self, company: Path, month: int, state: Mapping[str, object]) -> None:
        super().keep(company, month, state)
        raise Killed


async def test_a_killed_year_with_adapters_goes_on_with_its_month_and_ends(
    vllm_server: EmbeddedServer, tmp_path: Path
) -> None:
    server, company, pace = ModelServer(STARTER, PromptBuilder(STARTER), vllm_server), Company("it"), Pace(3, 12, 0)
    with pytest.raises(Killed):
        await lived(WORDS, tmp_path / "one", company, pace, Workshop(server, "one", START), EndsOnce(tmp_path / "kept"))
    # Another process has another server, and other names in it
    shelf = Shelf(tmp_path / "kept")
    found = await lived(WORDS, tmp_path / "two", company, pace, Workshop(server, "two", START), shelf)
    assert sorted(found.months) == sorted(found.events) == [0, 4, 8], "every month was lived once"
    assert sum(of for month in found.months.values() for _, of in (month.old, month.new)) == 3 * 12
    for month, events in found.events.items():
        became = counted(events)
        assert became.get("trained") == 1, (month, events)
        assert sum(became.get(what, 0) for what in ("promoted", "canary", "refused")) >= 1, (month, events)
    left = found.inventory
    assert left is not None
    assert (left.adapters, left.texts, left.retired_by_others) == (3, 0, 0)
    assert [event.adapter for of in found.events.values() for event in of if event.what == "trained"] == [
        "routing-1",
        "routing-2",
        "routing-3",
    ]
