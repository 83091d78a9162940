"""The connection to a Ray cluster. The only file that uses Ray, loaded only by the process that submits a training."""

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

import ray
from ray.exceptions import GetTimeoutError

from bot.domain.errors import Unreachable
from inference.ray_train import Place
from inference.ray_worker import Files, RemoteTraining, Standing

_NAMESPACE = "switchboard"
_CALL_SECONDS = 120.0
_TRIES = 3
"""A busy cluster is too slow for Ray's own time limit when it starts the server for a new client."""
Answer = TypeVar("Answer")


class RayPlace:
    """See `ray_train.Place`: an actor that outlives our connection, found again by its name."""

    def __init__(self, name: str, cpus: float, gpus: float) -> None:
        self._name = name
        options = {"num_cpus": cpus, "num_gpus": gpus, "max_restarts": 0, "max_concurrency": 2}
        worker = ray.remote(RemoteTraining).options(
            name=name, namespace=_NAMESPACE, lifetime="detached", get_if_exists=True, **options
        )
        self._actor: Any = _asked(worker.remote)

    def ready(self, seconds: float) -> bool:
        return _asked(lambda: bool(ray.wait([self._actor.standing.remote()], timeout=seconds)[0]))

    def take(self, files: Files, base: str) -> None:
        self._call(self._actor.take, dict(files), base)

    def standing(self) -> Standing | None:
        return cast(Standing | None, self._call(self._actor.standing))

    def bring(self) -> Files:
        return cast(Files, self._call(self._actor.bring))

    def stop(self) -> Files:
        return cast(Files, self._call(self._actor.stop))

    def release(self) -> None:
        _asked(lambda: ray.kill(self._actor))

    def _call(self, method: Any, *given: object) -> object:
        return _asked(lambda: ray.get(method.remote(*given), timeout=_CALL_SECONDS))


def connect(address: str) -> Callable[[str, float, float], Place]:
    """A maker of places on the cluster at `ray://HOST:PORT`. Raises Unreachable, which says what to look at."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    for again in reversed(range(_TRIES)):
        try:
            ray.init(address, namespace=_NAMESPACE, logging_level="ERROR", log_to_driver=False)
            break
        except Exception as error:
            ray.shutdown()
            if not again:
                raise Unreachable(f"the Ray cluster at {address} takes nobody in: {_last_line(error)}") from error
    return RayPlace


def _asked(call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except GetTimeoutError as error:
        raise Unreachable(f"the Ray cluster did not answer within {_CALL_SECONDS:.0f} s") from error
    except Exception as error:  # as above: which one it is depends on what the client was doing when the cluster went
        if "No module named" in str(error):
            problem = "its machines lack Switchboard or a package of its extra `training`; install what runs here"
            raise Unreachable(f"the Ray cluster cannot train: {problem}") from error
        raise Unreachable(f"the Ray cluster was lost in the middle of the training ({type(error).__name__})") from error


def _last_line(error: Exception) -> str:
    """The last line of the error: where Ray passes on a server's message, a traceback comes first."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
