"""`[retention]`: for how many days each kind of growing data is kept."""

from dataclasses import fields
from datetime import timedelta

from bot.domain.retention import Retention
from bot.settings.values import Table, Values


def read_retention(values: Values, table: Table) -> Retention:
    """Days by kind, `words_days` and the like; 0 keeps for ever. Keys that are left out have the usual value."""
    usual = Retention()
    kinds = [field.name for field in fields(Retention)]
    values.unknown(table, {f"{kind}_days" for kind in kinds}, "retention.")
    days = {
        kind: timedelta(
            days=values.number(table, f"{kind}_days", getattr(usual, kind).days, "retention.", at_most=36_500)
        )
        for kind in kinds
    }
    return Retention(**days)
