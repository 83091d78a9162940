"""A place on a Ray cluster without Ray: the code that runs there, called here directly.

`tests/integration/inference/test_ray.py` tests the same promises with a real cluster.
"""

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from inference.ray_train import Place
from inference.ray_worker import LEASE, RemoteTraining


class PlaceHere(RemoteTraining):
    """See `ray_train.Place`."""

    def __init__(self, trainer: Sequence[str], lease: float = LEASE, room: bool = True) -> None:
        self.released = False
        self.left = threading.Event()
        self._room = room
        super().__init__(lease, trainer)

    def ready(self, seconds: float) -> bool:
        return self._room

    def release(self) -> None:
        self.released = True

    def _leave(self) -> None:
        self.left.set()


def script(folder: Path, does: str) -> tuple[str, ...]:
    """A trainer that runs this code with `folder`, the run's."""
    path = folder / "trainer.py"
    path.write_text(f"import sys\nfrom pathlib import Path\nfolder = Path(sys.argv[1])\n{does}\n")
    return (sys.executable, str(path))


_: type[Place] = PlaceHere
