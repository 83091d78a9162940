import dataclasses
from pathlib import Path

import pytest

from bot.domain.errors import Refused
from bot.domain.learning import Example, Side, Source, keep_apart
from bot.domain.personal_data import masked
from inference.run_folder import (
    WEIGHTS,
    Done,
    RunFolders,
    adapter_of,
    finish,
    finished,
    inputs_of,
    read_parts,
    read_run,
    sha256_of,
    write_run,
)
from tests.runs import NOW, a_run


def finished_run(folder: Path) -> Path:
    write_run(a_run(folder, Path("starter")))
    adapter_of(folder).mkdir()
    (adapter_of(folder) / WEIGHTS).write_bytes(b"weights")
    sha256 = sha256_of(adapter_of(folder) / WEIGHTS)
    finish(folder, Done("starter", inputs_of(folder), sha256, 10, 1.5, 0.3, 15, 0, None))
    return folder


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    odd = Example("two\nlines\u2028\x85 \ud800 🙂", "access", Source.CORRECTION, Side.TRAIN, NOW, conversation=7)
    run = dataclasses.replace(a_run(tmp_path, Path("starter")), examples=(odd,))
    write_run(run)
    assert read_run(tmp_path) == run


def test_the_same_run_is_written_the_same(tmp_path: Path) -> None:
    run = a_run(tmp_path, Path("starter"))
    write_run(run)
    before = inputs_of(tmp_path)
    write_run(dataclasses.replace(run, codes=dict(sorted(run.codes.items(), reverse=True))))
    assert inputs_of(tmp_path) == before


def test_a_whole_run_is_finished(tmp_path: Path) -> None:
    done = finished(finished_run(tmp_path))
    assert done is not None
    assert (done.steps, done.trained_on, done.validation_accuracy) == (10, 15, None)


def test_a_run_without_done_is_not_finished(tmp_path: Path) -> None:
    (finished_run(tmp_path) / "done.json").unlink()
    assert finished(tmp_path) is None


def test_a_cut_done_file_is_not_finished(tmp_path: Path) -> None:
    whole = (finished_run(tmp_path) / "done.json").read_text()
    (tmp_path / "done.json").write_text(whole[: len(whole) // 2])
    assert finished(tmp_path) is None


def test_a_done_file_of_another_shape_is_not_finished(tmp_path: Path) -> None:
    (finished_run(tmp_path) / "done.json").write_text('{"steps": 3}')
    assert finished(tmp_path) is None


def test_changed_weights_are_not_the_ones_it_finished_with(tmp_path: Path) -> None:
    (adapter_of(finished_run(tmp_path)) / WEIGHTS).write_bytes(b"weight")
    assert finished(tmp_path) is None


def test_another_example_is_another_run(tmp_path: Path) -> None:
    finished_run(tmp_path)
    run = a_run(tmp_path, Path("starter"))
    write_run(dataclasses.replace(run, examples=run.examples[1:]))
    assert finished(tmp_path) is None


async def test_texts_are_removed_and_what_was_made_of_them_stays(tmp_path: Path) -> None:
    runs = [finished_run(tmp_path / name) for name in ("routing-1", "routing-2", "routing-2-rehearsal")]
    (tmp_path / "routing-2" / "examples.jsonl.tmp").write_text("half written", "utf-8")
    await RunFolders(tmp_path).remove([])
    await RunFolders(tmp_path).remove(["routing-1"])
    assert [(run / "examples.jsonl").exists() for run in runs] == [False, True, True]
    await RunFolders(tmp_path).remove(["routing-2"])
    for run in runs[1:]:
        assert sorted(path.name for path in run.iterdir()) == ["adapter", "done.json", "task.json"]
    await RunFolders(tmp_path).remove(["routing-1", "routing-2"])  # a second time changes nothing
    await RunFolders(tmp_path / "nowhere").remove(["routing-1"])


async def test_texts_that_cannot_be_removed_are_named(tmp_path: Path) -> None:
    (tmp_path / "routing-1" / "examples.jsonl").mkdir(parents=True)
    with pytest.raises(Refused, match=r"routing-1/examples.jsonl holds what people wrote and cannot be removed"):
        await RunFolders(tmp_path).remove(["routing-1"])


async def test_a_training_that_nobody_asks_for_again_goes_whole(tmp_path: Path) -> None:
    finished_run(tmp_path / "routing-1-rehearsal")
    kept = finished_run(tmp_path / "routing-1")
    for _ in range(2):  # a second time changes nothing
        await RunFolders(tmp_path).discard("routing-1-rehearsal")
    assert [path.name for path in (kept.parent).iterdir()] == [kept.name]
    (tmp_path / "no folder").write_text("", "utf-8")
    with pytest.raises(Refused, match="no folder cannot be removed"):
        await RunFolders(tmp_path).discard("no folder")


def test_nobodys_address_or_number_is_in_a_run_and_what_is_learned_from_which_stays(tmp_path: Path) -> None:
    """Sides, labels and the slice that steers follow from the original text, not from the redacted one."""
    said = [
        f"order {n}: write to ann.{n}@example.org or +49 30 123{n:04}, card 4111 1111 1111 1111" for n in range(2_000)
    ]
    examples = tuple(Example(text, "access", Source.IMPORT, Side.TRAIN, NOW) for text in said)
    run = dataclasses.replace(a_run(tmp_path, Path("starter")), examples=examples)
    write_run(run, mask=True)
    written = "".join(path.read_text("utf-8") for path in tmp_path.iterdir())
    assert "example.org" not in written and "4111 1111" not in written and "+49" not in written
    before = [[masked(one.text) for one in part] for part in keep_apart(examples)]
    assert [[one.text for one in part] for part in read_parts(tmp_path)] == before
    assert {(one.side, one.label) for part in read_parts(tmp_path) for one in part} == {(Side.TRAIN, "access")}
    assert before[1], "some of them steer"
    write_run(run)
    assert [list(part) for part in read_parts(tmp_path)] == [list(part) for part in keep_apart(examples)]
