"""Builds what removes data that is kept no longer."""

from bot.flow.retain import Retainer
from bot.settings import Settings
from bot.store import Store, now
from db.retention import PostgresRetention
from inference.kept_files import KeptFiles


def retainer(settings: Settings, store: Store) -> Retainer:
    """The retainer for these settings. Needs no model server."""
    kept = PostgresRetention(store.database)
    return Retainer(settings.retention, kept, KeptFiles(settings.model.runs, kept.never_served), now)
