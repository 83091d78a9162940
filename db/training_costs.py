"""What trainings cost, and how much the adapters they made have decided since."""

from sqlalchemy import func, select

from bot.domain.learning import Phase
from bot.domain.training_cost import TrainedAdapter, TrainingCosts
from db.engine import Database
from db.tables import CycleRow, DecisionRow, PromotionRow


class PostgresTrainingCosts:
    """Training costs in PostgreSQL, read by its indexes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def trained(self, task: str, adapter: str) -> TrainedAdapter | None:
        cycle = select(CycleRow.started_at, CycleRow.concluded_at).where(
            CycleRow.task == task, CycleRow.adapter == adapter, CycleRow.phase == Phase.DONE
        )
        pointer = select(func.max(PromotionRow.at)).where(PromotionRow.task == task, PromotionRow.adapter == adapter)
        async with self._database.transaction() as session:
            made = (await session.execute(cycle.order_by(CycleRow.id.desc()).limit(1))).first()
            since = await session.scalar(pointer)
            if made is None or made[0] is None or made[1] is None or since is None:
                return None
            decided = select(func.count()).where(
                DecisionRow.adapter == adapter, DecisionRow.at >= since, DecisionRow.task == task
            )
            decisions = await session.scalar(decided) or 0
        return TrainedAdapter(adapter, (made[1] - made[0]).total_seconds(), since, decisions)


_: type[TrainingCosts] = PostgresTrainingCosts
