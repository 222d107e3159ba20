"""Runs a script in a process that cannot import hw2."""

import os
import subprocess
import sys
from pathlib import Path

_WITHOUT_HW2 = """
import runpy, sys
# An editable installation is a path entry or a finder; both are removed.
sys.path = [entry for entry in sys.path if not entry.endswith("/src")]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run(script: Path, elsewhere: Path, *arguments: str) -> None:
    """Run `script` with these arguments in the working folder `elsewhere`, and check its exit code.

    Code that diffusers copies out of folders goes to `elsewhere` too, not to the user's cache.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["HF_MODULES_CACHE"] = str(elsewhere / "modules")
    command = [sys.executable, "-P", "-c", _WITHOUT_HW2, str(script), *arguments]
    subprocess.run(command, cwd=elsewhere, env=environment, check=True)
