"""`dvc.lock`, complete at any instant, and what it records.

DVC writes the file in place at the end of every stage. An interrupt in that moment leaves it empty
or cut, and DVC then refuses every command. In a process that calls `write_atomically` the file is
replaced as a whole. `lock_repair` is for a file that plain DVC left damaged. Every Snakemake job
imports this module, so it imports little.
"""

import os
from pathlib import Path
from typing import Any

import dvc.utils.serialize._common as serialization
from dvc.exceptions import DvcException
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from dvc.utils.serialize import parse_yaml
from voluptuous import Invalid

from hw2.io.atomic import atomic_path

LOCK = "dvc.lock"
_dvc_dump = serialization._dump_data


def write_atomically() -> None:
    """Make DVC replace the files that it updates in this process, instead of rewriting them."""
    serialization._dump_data = _dump


def _dump(path: str, data: Any, dumper: Any, fs: Any = None, **arguments: Any) -> None:
    with atomic_path(os.path.realpath(path)) as temporary:
        _dvc_dump(temporary, data, dumper, **arguments)


def parsed(content: bytes) -> dict[str, Any] | None:
    """The content of a `dvc.lock`; None if it is not complete."""
    if content and not content.endswith(b"\n"):  # a file cut within a value may be valid YAML
        return None
    try:
        data: dict[str, Any] = COMPILED_LOCKFILE_SCHEMA(parse_yaml(content.decode(), LOCK))
    except (DvcException, Invalid, ValueError, RecursionError):
        return None
    return data


def recorded_outputs(stage: str) -> dict[str, str]:
    """The MD5 hashes that `dvc.lock` records for the outputs of a stage, by path.

    It reads this one file, because to open DVC's repository takes longer than a short stage.
    A stage that never ran, and a file that is missing or damaged, give no outputs.
    """
    try:
        data = parsed(Path(LOCK).read_bytes()) or {}
    except FileNotFoundError:
        return {}
    entry = data.get("stages", {}).get(stage, {})
    return {out["path"]: out["md5"] for out in entry.get("outs", []) if "md5" in out}
