"""Runs a command in a folder that must not outlive the process that wanted it.

    python -m inference.scratch_guard FOLDER COMMAND…

Standard input is the line to that process. The command begins with the first byte on it. When the line breaks, closed
on purpose or because the process was killed, the command's whole group gets SIGKILL and the folder is removed. When the
command ends by itself, the texts that people wrote are removed at once, one JSON line on stdout gives its exit status,
and the rest can be fetched until the line breaks.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

from inference.run_folder import CHECKPOINT, TEXTS

BEGIN = b"!"


def main(folder: Path, command: list[str]) -> None:
    """Run the command; return once the folder is no longer wanted and has been removed."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        if not os.read(0, len(BEGIN)):
            return
        _run(folder, command)
    finally:
        shutil.rmtree(folder)


def _run(folder: Path, command: list[str]) -> None:
    """Run the command; return when it has ended and the line is broken."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)
    ending = threading.Thread(target=_tell_its_end, args=(child, folder), daemon=True)
    ending.start()
    try:
        while os.read(0, 1):
            pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        ending.join()


def alone() -> None:
    """Detach from the parent: Ray kills the children of a worker that it ends, and this process must outlive it."""
    if os.fork():
        os._exit(0)
    os.setsid()


def _end(_signal: int, _frame: object) -> None:
    sys.exit(128 + signal.SIGTERM)


def _tell_its_end(child: "subprocess.Popen[bytes]", folder: Path) -> None:
    status = child.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    for name in (TEXTS, CHECKPOINT):
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(BrokenPipeError):
        os.write(1, f"\n{json.dumps({'ended': status})}\n".encode())


if __name__ == "__main__":
    alone()
    main(Path(sys.argv[1]), sys.argv[2:])
