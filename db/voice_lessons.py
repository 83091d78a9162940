"""What the linear voices are fitted on, read out of the examples."""

from sqlalchemy import and_, func, select

from bot.domain.learning import Example, Side, Source, replayed, settle, text_key
from bot.domain.model_ports import Lesson, VoiceLessons
from bot.domain.tasks import Task
from db.engine import Database
from db.tables import ExampleRow

_STANDING = and_(ExampleRow.withdrawn_at.is_(None), ~ExampleRow.quarantined)


class PostgresVoiceLessons:
    """See `model_ports.VoiceLessons`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stamp(self, task: Task, embedder: str) -> str:
        newest = func.coalesce(func.max(ExampleRow.id), 0)
        standing = func.count().filter(_STANDING)
        read = func.count().filter(and_(_STANDING, ExampleRow.embedder == embedder))
        wanted = select(newest, func.count(), standing, read).where(ExampleRow.task == task.name)
        async with self._database.transaction() as session:
            counted = (await session.execute(wanted)).one()
        return "-".join(map(str, counted)) + f"-{embedder}-{len(task.names)}"

    async def lessons(self, task: Task, embedder: str, limit: int) -> list[Lesson]:
        wanted = select(ExampleRow).where(
            ExampleRow.task == task.name, ExampleRow.label.in_(task.names), ExampleRow.side == Side.TRAIN, _STANDING
        )
        async with self._database.transaction() as session:
            rows = (await session.scalars(wanted.order_by(ExampleRow.id))).all()
        vectors = {row.text_key: row.vector for row in rows if row.embedder == embedder}
        known = settle([Example(row.text, row.label, Source(row.source), Side.TRAIN, row.at) for row in rows])
        keyed = ((text_key(example.text), example) for example in replayed(known, limit))
        return [Lesson(key, example.text, example.label, vectors.get(key)) for key, example in keyed]


_: type[VoiceLessons] = PostgresVoiceLessons
