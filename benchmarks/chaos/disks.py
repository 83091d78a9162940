"""Disks of a scene that can be full: small file systems in memory, where this user may mount any."""

import errno
import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PLACES: Mapping[str, tuple[str, int]] = {"logs": (".", 64), "runs": ("var/runs", 64), "database": ("var/postgres", 640)}
"""What lies on a disk of its own -> where below the home, and its megabytes; the outer before those inside it."""
_FILLER = "nothing but bytes"


@dataclass(slots=True)
class Disks:
    """The home's disks; without the right to mount there are none, and nothing is ever full."""

    home: Path
    mounted: list[Path] = field(default_factory=list)

    def mount(self) -> bool:
        """Whether there are any now."""
        if os.geteuid() != 0 or shutil.which("mount") is None:
            return False
        for where, megabytes in PLACES.values():
            folder = self.home / where
            folder.mkdir(parents=True, exist_ok=True)
            options = f"size={megabytes}m,mode=0755"
            tried = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True)
            if tried.returncode != 0:  # in a container without the right to
                self.unmount()
                return False
            self.mounted.append(folder)
        return True

    def fill(self, what: str) -> None:
        """Not a byte more can be written there."""
        with (self.home / PLACES[what][0] / _FILLER).open("wb") as filler:
            size = 1 << 20
            while size:
                try:
                    os.posix_fallocate(filler.fileno(), filler.seek(0, os.SEEK_END), size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size //= 2

    def free(self, what: str) -> None:
        """As it was before."""
        (self.home / PLACES[what][0] / _FILLER).unlink(missing_ok=True)

    def unmount(self) -> None:
        for folder in reversed(self.mounted):
            with suppress(OSError):
                subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)
        self.mounted.clear()
