"""Disks of a scene that can become full: small file systems in memory, if this user may mount any."""

import errno
import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PLACES: Mapping[str, tuple[str, int]] = {"logs": (".", 64), "runs": ("var/runs", 64), "database": ("var/postgres", 640)}
"""What lies on a disk of its own -> where below the home, and its megabytes; outer disks before those inside them."""
_FILLER = "nothing but bytes"


@dataclass(slots=True)
class Disks:
    """The home's disks; without the right to mount there are none, and nothing ever becomes full."""

    home: Path
    mounted: list[Path] = field(default_factory=list)

    def mount(self) -> bool:
        """Mount the disks; return whether there are any now."""
        if os.geteuid() != 0 or shutil.which("mount") is None:
            return False
        for where, megabytes in PLACES.values():
            folder = self.home / where
            folder.mkdir(parents=True, exist_ok=True)
            options = f"size={megabytes}m,mode=0755"
            tried = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True)
            if tried.returncode != 0:  # in a container without that right
                self.unmount()
                return False
            self.mounted.append(folder)
        return True

    def fill(self, what: str) -> None:
        """Fill the disk: not a byte more can be written there."""
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
        """Empty the disk again."""
        (self.home / PLACES[what][0] / _FILLER).unlink(missing_ok=True)

    def unmount(self) -> None:
        for folder in reversed(self.mounted):
            with suppress(OSError):
                subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)
        self.mounted.clear()
