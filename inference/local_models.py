"""What this installation can run itself: without torch it neither trains nor encodes with torch's models."""

import importlib.util

from bot.domain.errors import UsageError


def torch_installed() -> bool:
    """Whether torch is here, without importing it, which takes seconds and hundreds of megabytes."""
    return importlib.util.find_spec("torch") is not None


def need_torch(what: str, otherwise: str = "") -> None:
    """Raises UsageError, saying what to do, where torch is not installed; `what` begins the sentence."""
    if not torch_installed():
        install = "pip install 'switchboard[training]'"
        raise UsageError(f"{what} needs torch, which is not installed here: {install}{otherwise}")
