"""`[training]`: where adapters are trained."""

import pytest

from bot.domain.errors import ConfigError
from bot.settings.training import RayCluster, read_training
from bot.settings.values import Values


def training(**table: object) -> RayCluster | None:
    values = Values(())
    found = read_training(values, table)
    values.complain()
    return found


def test_it_is_here_unless_a_cluster_is_named() -> None:
    assert training() is None
    assert training(where="local") is None
    assert training(where="ray", address="ray://head:10001", gpus=1) == RayCluster("ray://head:10001", 1.0, 1.0)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"where": "moon"}, "training.where: 'moon' is no choice; choose from local, ray"),
        ({"where": "ray"}, 'training.address: write where the Ray cluster takes clients in, as "ray://head:10001"'),
        (
            {"where": "ray", "address": "http://head:8265"},
            "training.address: write where the Ray cluster takes clients",
        ),
        ({"where": "ray", "address": "ray://head:many"}, "training.address: write where the Ray cluster takes clients"),
        ({"address": "ray://head:1"}, 'training.address, cpus and gpus are for training.where = "ray"; write that'),
        ({"where": "ray", "address": "ray://h:1", "gpus": -1}, "training.gpus: must be a number from 0 to"),
        ({"wher": "ray"}, "training.wher: unknown; keys here are"),
    ],
)
def test_a_mistake_says_what_to_write(table: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        training(**table)
    assert any(one.startswith(sentence) for one in caught.value.mistakes), caught.value.mistakes
