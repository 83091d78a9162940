"""Import and export over a real database: what is exported can be imported, and the counts are right."""

import asyncio
import gzip
from pathlib import Path

import pytest

from bot.commands.examples import export_examples, import_examples, ready_to_import
from bot.domain.errors import UsageError
from bot.domain.example_files.reading import ReadOptions, Unknown
from bot.domain.learning import Example, Side, Source
from bot.domain.tasks import Task
from bot.store import Store, embedding_backfill
from db.corrections import PostgresCorrections
from db.engine import Database
from db.erasure import PostgresErasure
from db.examples import PostgresExamples
from db.failed_items import PostgresFailedItems
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outbox import PostgresOutbox
from db.queries import PostgresQueries
from db.registry import PostgresRegistry
from db.team_changes import PostgresTeamChanges
from db.transcript import PostgresTranscript
from db.voice_lessons import PostgresVoiceLessons
from tests.fakes import FakeEmbedder
from tests.samples import NOW, TASK

TEXTS = (
    "line one\nline two",
    "=1+1",
    'say "x", or',
    "<p>Hi &amp; bye</p>",
    "C++",
    "C#",
    "A fatura de março",
    "a;b\tc|d",
)
KNOWN = [Example(text, "it", Source.IMPORT, Side.HELD_OUT, NOW) for text in TEXTS]


@pytest.fixture
def store(database: Database) -> Store:
    embedder = FakeEmbedder()
    return Store(
        database,
        embedder,  # type: ignore[arg-type]  # it hashes words instead of asking a model
        PostgresLedger(database, embedder.name),
        PostgresOutbox(database),
        PostgresTranscript(database),
        PostgresVoiceLessons(database),
        PostgresMemory(database, embedder.name),
        PostgresExamples(database),
        PostgresRegistry(database),
        PostgresQueries(database),
        PostgresErasure(database),
        PostgresFailedItems(database),
        PostgresTeamChanges(database),
        PostgresCorrections(database),
        database,
        PostgresQueries(database),
    )


def left(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def packed(file: Path, content: bytes) -> None:
    file.write_bytes(gzip.compress(content))


async def imported(store: Store, file: Path, options: ReadOptions | None = None, task: Task = TASK) -> None:
    ready = ready_to_import(file, task, options or ReadOptions(), skip_bad=False, strict=False)
    await import_examples(store, embedding_backfill(store), task, ready)


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.csv.gz", "out.jsonl.gz"])
async def test_an_export_comes_in_again_as_it_was(store: Store, tmp_path: Path, name: str) -> None:
    await store.examples.add_examples(TASK.name, KNOWN)
    await export_examples(store, TASK, name.split(".")[1], tmp_path / name)
    assert tmp_path.joinpath(name).read_bytes().startswith(b"\x1f\x8b") == name.endswith(".gz")
    elsewhere = Task("elsewhere", TASK.question, TASK.labels, TASK.fallback)
    await imported(store, tmp_path / name, task=elsewhere)
    assert await store.examples.examples("elsewhere") == KNOWN


async def test_a_csv_for_a_spreadsheet_begins_with_its_mark(store: Store, tmp_path: Path) -> None:
    await store.examples.add_examples(TASK.name, KNOWN[:1])
    await export_examples(store, TASK, "csv", tmp_path / "out.csv")
    assert tmp_path.joinpath("out.csv").read_bytes().startswith(b"\xef\xbb\xbftext,label,")


async def test_nothing_was_known_before_in_an_empty_database(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("text,label\na,it\nA,it\nb,it\nb!,billing\nc,it\n", "utf-8")
    await imported(store, file)
    said = capsys.readouterr().err
    assert "3 new examples, 0 known before, 0 bad lines left out" in said
    assert "2 rows repeat a text of the same file; each text counts once" in said
    assert "storing" in said and "3/3" in said
    assert [(one.text, one.label) for one in await store.examples.examples(TASK.name)] == [
        ("A", "it"),
        ("b!", "billing"),
        ("c", "it"),
    ]
    await imported(store, file)
    assert "0 new examples, 3 known before, 0 bad lines left out" in capsys.readouterr().err


async def test_what_waited_already_is_counted_too(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await store.examples.add_examples(TASK.name, KNOWN[:3])
    file = tmp_path / "rows.csv"
    file.write_text("text,label\na,it\nb,it\nd,it\n", "utf-8")
    await imported(store, file)
    assert "6/6" in capsys.readouterr().err
    assert await store.memory.count_unembedded(store.embedder.name) == 0


async def test_an_export_from_before_a_label_was_removed(store: Store, tmp_path: Path) -> None:
    await store.examples.add_examples(TASK.name, [*KNOWN, Example("fax", "fax", Source.IMPORT, Side.TRAIN, NOW)])
    await export_examples(store, TASK, "csv", tmp_path / "own.csv")
    with pytest.raises(UsageError, match="1 bad line, nothing was imported"):
        await imported(store, tmp_path / "own.csv")
    await imported(store, tmp_path / "own.csv", ReadOptions(unknown=Unknown.SKIP))
    await imported(store, tmp_path / "own.csv", ReadOptions(mapped={"fax": "delivery"}))
    assert ("fax", "delivery") in [(one.text, one.label) for one in await store.examples.examples(TASK.name)]


async def test_an_export_that_cannot_be_written_leaves_what_was_there(store: Store, tmp_path: Path) -> None:
    await store.examples.add_examples(TASK.name, KNOWN)
    for form in ("jsonl", "csv", "openai"):
        for path in (tmp_path / "nodir" / "x.jsonl", tmp_path, Path("/dev/full")):
            with pytest.raises(UsageError):
                await export_examples(store, TASK, form, path)
    assert left(tmp_path) == []


async def test_a_file_out_of_a_helpdesk(store: Store, tmp_path: Path) -> None:
    rows = 'Number;Subject;Description;Assignment Group\n1;VPN;"<p>não funciona</p>";IT\n2;;Where is it?;Level 1\n;;;\n'
    file = tmp_path / "tickets.csv.gz"
    packed(file, rows.encode("cp1252"))
    with pytest.raises(UsageError, match=r"line 2: it is not UTF-8.*--encoding cp1252"):  # one accent proves nothing
        await imported(store, file, ReadOptions(mapped={"Level 1": "delivery"}))
    await imported(store, file, ReadOptions("cp1252", mapped={"Level 1": "delivery"}))
    assert [(one.text, one.label) for one in await store.examples.examples(TASK.name)] == [
        ("VPN\nnão funciona", "it"),
        ("Where is it?", "delivery"),
    ]


async def test_two_imports_at_once_agree(store: Store, tmp_path: Path) -> None:
    for name in ("it", "billing"):
        rows = "".join(f"message {n},{name},{NOW.isoformat()}\n" for n in range(300))
        tmp_path.joinpath(f"{name}.csv").write_text(f"text,label,at\n{rows}", "utf-8")
    await asyncio.gather(*(imported(store, tmp_path / f"{name}.csv") for name in ("it", "billing")))
    kept = await store.examples.examples(TASK.name)
    assert len({one.text for one in kept}) == len(kept) == 300
