"""The example of a platform in a separate package, installed as pip installs it."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "tests" / "platforms_example"


def pip_installs(scratch: Path) -> Path:
    """The folder into which pip installed the package and its metadata."""
    source, site = scratch / "source", scratch / "site"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__"))  # pip builds in its source folder
    alone = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", str(site)]
    subprocess.run([sys.executable, "-m", "pip", "install", *alone, str(source)], check=True, capture_output=True)
    return site
