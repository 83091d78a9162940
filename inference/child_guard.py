"""Runs a command that must not outlive the process that started it: `python -m inference.child_guard COMMAND…`.

Standard input is the line to that process. When it breaks, closed on purpose or because the process was killed, the
command gets SIGTERM, a few seconds of grace, and then its whole process group SIGKILL. When the command ends by itself,
the rest of its group is killed as well, and its exit status becomes ours.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

_GRACE_SECONDS = 8.0


class _Ended(Exception):
    """The command is no longer wanted."""


def main(command: list[str]) -> int:
    """Run the command until it ends or the line breaks; return its exit status as a shell would give it."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)
    try:
        threading.Thread(target=_hold, daemon=True).start()
        status = child.wait()
    except _Ended:
        status = _stop(child)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    return status if status >= 0 else 128 - status


def _end(_signal: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Ended


def _hold() -> None:
    """Wait for the line to break; it carries nothing."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _stop(child: "subprocess.Popen[bytes]") -> int:
    child.terminate()
    try:
        return child.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        return 128 + signal.SIGKILL


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
