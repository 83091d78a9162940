"""`switchboard curve` over known voices: what is stored of it, what is output, and how a page draws it."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.commands.curve_progress import CurveProgress
from bot.commands.curve_report import CurveReport, curve_json, sentences, show, table_lines, write_page
from bot.demo import company
from bot.domain.comparison import WITHOUT
from bot.domain.curve_extrapolation import Extrapolated, NotExtrapolated
from bot.domain.learning import Example, Side, Source
from bot.domain.learning_curve import Crossing, Curve, Draw, Measured, Point
from bot.domain.mixture import NEIGHBOURS, VECTORS, WORDS
from bot.domain.model_ports import Lesson
from bot.flow.learning_curve import CurveMeasurer
from tests.fakes_voices import FakeVoices
from tests.samples import NOW, TASK

LESSONS = [Lesson(f"{label} {n}", f"{label} {n}", label, None) for label in ("billing", "it") for n in range(12)]
MESSAGES = [
    Example("I was charged twice", "billing", Source.IMPORT, Side.HELD_OUT, NOW),
    Example("my laptop is broken", "it", Source.IMPORT, Side.HELD_OUT, NOW),
]
POINTS = (Point(5, 10.0, 0.6, 0.55, 0.65, 3), Point(10, 20.0, 0.7, 0.66, 0.74, 3), Point(0, 24.0, 0.75, 0.7, 0.8, 1))
FLAT = tuple(replace(point, accuracy=0.65, low=0.6, high=0.7) for point in POINTS)
MADE = CurveReport(
    "routing",
    Curve(200, 2, {WITHOUT: POINTS, "gpt-4o": FLAT}, [Crossing("gpt-4o", WITHOUT, 7.4, 5, 0)]),
    {WITHOUT: Extrapolated(300, 0.008, 0.001, 0.016)},
    WITHOUT,
    ["something to be known"],
)


async def test_every_draw_is_fitted_and_asked_about_every_message() -> None:
    likely = {"billing": 0.7, "delivery": 0.1, "it": 0.1, "triage": 0.1}
    voices = FakeVoices({WORDS: likely, VECTORS: {**likely, "it": 0.9}})
    measurer = CurveMeasurer(voices, TASK, LESSONS, MESSAGES, [None, None])
    draws = [Draw(5, 0), Draw(0, 0)]
    found = [one async for one in measurer.measure(draws)]
    assert [len(lessons) for lessons in voices.fits] == [10, 24]
    assert [(one.draw, one.examples) for one in found] == [(Draw(5, 0), 10), (Draw(0, 0), 24)]
    right = found[0].right
    assert (right[WORDS], right[VECTORS], right[NEIGHBOURS]) == ([True, False], [False, True], [False, False])
    assert right[WITHOUT] in ([True, False], [False, True])


# --- how an interrupted command continues ---


def progress(
    folder: Path, lessons: Sequence[Lesson] = LESSONS, messages: Sequence[Example] = MESSAGES
) -> CurveProgress:
    return CurveProgress(folder, "routing", "tiny", lessons, messages)


def test_what_was_measured_is_found_again(tmp_path: Path) -> None:
    one = Measured(Draw(5, 2), 10, {WORDS: [True, False], WITHOUT: [True, True]})
    progress(tmp_path).add(one)
    progress(tmp_path).add(replace(one, draw=Draw(0, 0)))
    assert progress(tmp_path, LESSONS[::-1]).measured() == [one, replace(one, draw=Draw(0, 0))]
    assert "charged" not in progress(tmp_path).path.read_text("utf-8")


def test_other_examples_or_messages_are_measured_anew_and_the_old_file_goes(tmp_path: Path) -> None:
    progress(tmp_path).add(Measured(Draw(5, 0), 10, {WORDS: [True, False]}))
    other = progress(tmp_path, messages=[replace(MESSAGES[0], label="it"), MESSAGES[1]])
    assert other.measured() == []
    assert progress(tmp_path, LESSONS[1:]).measured() == []
    other.add(Measured(Draw(5, 0), 10, {WORDS: [True, True]}))
    assert list(tmp_path.iterdir()) == [other.path]


def test_a_line_that_was_not_finished_is_measured_again(tmp_path: Path) -> None:
    kept = progress(tmp_path)
    kept.add(Measured(Draw(5, 0), 10, {WORDS: [True, False]}))
    whole = kept.path.read_text("utf-8")
    for cut in (1, len(whole) // 2, len(whole) - 2):
        kept.path.write_text(whole + whole[:cut], "utf-8")
        assert [one.draw for one in kept.measured()] == [Draw(5, 0)]
    kept.add(Measured(Draw(5, 1), 10, {WORDS: [True, False]}))
    assert [one.draw for one in kept.measured()] == [Draw(5, 0), Draw(5, 1)]


# --- output ---


def test_crossings_and_what_more_would_be_worth_are_said_and_named_as_what_they_are() -> None:
    assert sentences(MADE) == [
        "Below about 7 examples a team gpt-4o is better, above it mixture without adapter "
        "(proven with 5 a team and with all of them).",
        "300 more examples like these would be worth about +0.8 points (0.1 to 1.6) to the mixture without adapter: "
        "extrapolated by an inverse power law, Figueroa et al. 2012, not measured.",
    ]


def test_where_nothing_crosses_and_nothing_is_foretold_that_is_said() -> None:
    silent = replace(MADE, curve=replace(MADE.curve, crossings=[]), more={WITHOUT: NotExtrapolated("too bad")})
    assert sentences(silent) == [
        "No two arms are proven to change places.",
        "What more examples would be worth to the mixture without adapter is not extrapolated: too bad.",
    ]


def test_the_table_has_a_column_a_size() -> None:
    assert table_lines(MADE.curve) == [
        "examples a team                   5          10    all (24)",
        "mixture without adapter  60.0 ± 5.0  70.0 ± 4.0  75.0 ± 5.0",
        "gpt-4o                   65.0 ± 5.0  65.0 ± 5.0  65.0 ± 5.0",
    ]


def test_scripts_get_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    out = StringIO()
    show(MADE, True, out)
    read = json.loads(out.getvalue())
    assert read == json.loads(json.dumps(curve_json(MADE)))
    assert read["crossings"] == [
        {
            "few": "gpt-4o",
            "many": WITHOUT,
            "examples_a_team": 7.4,
            "proven_below": 5,
            "proven_above": None,
            "draws": 5,
        }
    ]
    assert [point["examples_a_team"] for point in read["arms"][WITHOUT]] == [5, 10, None]
    assert read["more"][WITHOUT]["gain"] == 0.008
    assert "something to be known" in capsys.readouterr().err


def test_the_page_draws_a_line_and_a_band_an_arm(tmp_path: Path) -> None:
    write_page(tmp_path / "curve.html", MADE)
    page = (tmp_path / "curve.html").read_text("utf-8")
    lines = re.findall(r'<polyline points="([^"]+)"', page)
    assert len(lines) == 2 and page.count("<polygon") == 2 and page.count("<circle") == 6
    first, *_, last = [tuple(map(float, dot.split(","))) for dot in lines[0].split()]
    assert (first[0], last[0]) == (50.0, 610.0)
    assert last[1] < first[1], "better is higher"
    assert "extrapolated by an inverse power law" in page
    assert "<script" not in page and "http" not in page


@pytest.mark.parametrize(
    "flags", [["--since", "never"], ["--draws", "1"], ["--more", "0"], ["--adapter-draws", "0"], ["nowhere.jsonl"]]
)
def test_what_cannot_be_measured_ends_with_2_and_says_so(flags: list[str]) -> None:
    done = CliRunner().invoke(cli, ["curve", *flags, "--config", str(company.SETTINGS)])
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr


# --- arms that were not measured everywhere ---


def test_where_an_arm_was_not_measured_there_is_a_dash_and_the_page_draws_what_there_is(tmp_path: Path) -> None:
    made = replace(MADE, curve=replace(MADE.curve, points={"adapter": POINTS[1:], **MADE.curve.points}))
    assert table_lines(made.curve)[:2] == [
        "examples a team                   5          10    all (24)",
        "adapter                           –  70.0 ± 4.0  75.0 ± 5.0",
    ]
    write_page(tmp_path / "curve.html", made)
    adapter, whole, _ = re.findall(r'<polyline points="([^"]+)"', (tmp_path / "curve.html").read_text("utf-8"))
    assert adapter == whole.partition(" ")[2], "below the same sizes as the others"


def test_a_crossing_on_one_draw_says_so() -> None:
    crossings = [replace(one, draws=1) for one in MADE.curve.crossings]
    made = replace(MADE, curve=replace(MADE.curve, crossings=crossings))
    assert sentences(made)[0].endswith("(proven with 5 a team and with all of them, on one draw alone).")


def test_measured_adapters_are_kept_beside_the_rest_of_the_curve(tmp_path: Path) -> None:
    """What takes minutes to train is not discarded by what takes seconds, nor the other way round."""
    one = Measured(Draw(5, 0), 10, {WORDS: [True, False]})
    adapters = CurveProgress(tmp_path, "routing.adapter", "tiny and a base", LESSONS, MESSAGES)
    progress(tmp_path).add(one)
    adapters.add(replace(one, right={"adapter": [True, True]}))
    progress(tmp_path, messages=MESSAGES[:1]).add(one)
    assert [found.right for found in adapters.measured()] == [{"adapter": [True, True]}]
