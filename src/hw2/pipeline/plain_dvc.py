"""Keep DVC's own files safe also when a user calls plain `dvc`.

DVC rewrites `dvc.lock` and its list of files in use in place, so a kill in that moment leaves a
part of them, which the next `dvc repro` refuses before it runs any code of this repository. So
`make install` runs `python -m hw2.pipeline.plain_dvc`, which adds a start-up file to the
environment (https://docs.python.org/3/library/site.html). It calls `guard` in processes of `dvc`,
and does nothing in any other.
"""

import sys
import sysconfig
from pathlib import Path
from typing import Any

START_UP_FILE = "hw2-plain-dvc.pth"
# An older version may be checked out into the environment, which lacks this module.
_START_UP = """\
import os, sys
if {"dvc", "dvc.exe"} & {os.path.basename(word) for word in sys.orig_argv[1:3]}:
    try:
        from hw2.pipeline.plain_dvc import guard
    except ImportError:
        pass
    else:
        guard()
"""


def add_start_up_file(site_packages: Path) -> None:
    """Make every process of `dvc` in an environment call `guard`."""
    line = f"import sys; exec({_START_UP!r})\n"  # Python runs single lines that begin so
    (site_packages / START_UP_FILE).write_text(line, encoding="utf-8")


def guard() -> None:
    """Make this process of `dvc` replace its files as a whole; runs first heal damaged ones."""
    import dvc.cli  # here, because `add_start_up_file` needs nothing of DVC

    from hw2.pipeline import dvc_lock, files_in_use

    dvc_lock.write_atomically()
    files_in_use.guard()
    main = dvc.cli.main

    def healed(argv: list[str] | None = None) -> Any:
        if {"repro", "exp"} & set(sys.argv if argv is None else argv):
            _repair_lock()
        return main(argv)

    dvc.cli.main = healed


def _repair_lock() -> None:
    from hw2.pipeline import dvc_errors, lock_repair
    from hw2.runtime.errors import UserError

    try:
        with dvc_errors.explained():
            lock_repair.repair()
    except UserError as error:
        sys.exit(f"dvc: {error}")


if __name__ == "__main__":
    add_start_up_file(Path(sysconfig.get_path("purelib")))
