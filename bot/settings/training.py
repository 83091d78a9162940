"""`[training]`: where adapters are trained."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.settings.values import Table, Values

_EXAMPLE = '"ray://head:10001"'


@dataclass(frozen=True, slots=True)
class RayCluster:
    """The address of a Ray cluster, and what one training may use of it."""

    address: str
    cpus: float
    gpus: float


def read_training(values: Values, table: Table) -> RayCluster | None:
    """The cluster; None: train in a process on this machine."""
    values.unknown(table, {"where", "address", "cpus", "gpus"}, "training.")
    where = values.one_of(table, "where", ("local", "ray"), "training.")
    address = values.text(table, "address", "", "training.")
    cluster = RayCluster(
        address, values.number(table, "cpus", 1, "training."), values.number(table, "gpus", 0, "training.")
    )
    if where == "local":
        if table.keys() & {"address", "cpus", "gpus"}:
            values.mistake(
                'training.address, cpus and gpus are for training.where = "ray"; write that, or leave them out'
            )
        return None
    if not _is_ray(address):
        values.mistake(f"training.address: write where the Ray cluster takes clients in, as {_EXAMPLE}")
    return cluster


def _is_ray(address: str) -> bool:
    where = urlsplit(address)
    try:
        return where.scheme == "ray" and bool(where.hostname) and (where.port or 1) > 0
    except ValueError:
        return False
