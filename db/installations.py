"""Installations in PostgreSQL."""

import hashlib
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from bot.domain.installations import Installation, Installations
from db.engine import Database
from db.tables import InstallationRow, OAuthStateRow

_ROW, _STATE = InstallationRow, OAuthStateRow


class PostgresInstallations:
    """See `domain.installations.Installations`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def found(self, platform: str) -> Installation | None:
        async with self._database.transaction() as session:
            row = await session.get(_ROW, platform)
            return None if row is None else Installation(row.platform, row.account, row.secret, row.at)

    async def save(self, installation: Installation) -> str:
        one = installation
        new = insert(_ROW).values(platform=one.platform, account=one.account, secret=one.secret, at=one.at)
        renewed = new.on_conflict_do_update(
            index_elements=["platform"],
            set_={"secret": new.excluded.secret, "at": new.excluded.at},
            where=_ROW.account == one.account,
        )
        async with self._database.transaction() as session:
            await session.execute(renewed)
            return (await session.execute(select(_ROW.account).where(_ROW.platform == one.platform))).scalar_one()

    async def take_back(self, platform: str, secret: str) -> None:
        refused = update(_ROW).where(_ROW.platform == platform, _ROW.secret == secret).values(secret="")
        async with self._database.transaction() as session:
            await session.execute(refused)

    async def issue(self, state: str, until: datetime) -> None:
        async with self._database.transaction() as session:
            session.add(_STATE(digest=_digest(state), expires_at=until))

    async def consume(self, state: str, now: datetime) -> bool:
        async with self._database.transaction() as session:
            # Deleting is what tells two who come at once apart; whoever never came back goes along.
            taken = delete(_STATE).where(_STATE.digest == _digest(state)).returning(_STATE.expires_at)
            until = await session.scalar(taken)
            await session.execute(delete(_STATE).where(_STATE.expires_at < now))
            return until is not None and until >= now


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()


_: type[Installations] = PostgresInstallations
