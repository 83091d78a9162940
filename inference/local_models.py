"""What this installation can run itself: without torch it neither trains nor runs torch's encoders."""

import importlib.util

from bot.domain.errors import UsageError


def torch_installed() -> bool:
    """Whether torch is installed, without importing it, which takes seconds and hundreds of megabytes."""
    return importlib.util.find_spec("torch") is not None


def need_torch(what: str, otherwise: str = "") -> None:
    """Raise UsageError, which says what to do, if torch is not installed; `what` begins the sentence."""
    if not torch_installed():
        install = "pip install 'switchboard[training]'"
        raise UsageError(f"{what} needs torch, which is not installed here: {install}{otherwise}")
