"""Outputs of a stage that has finished, until `dvc.lock` records them.

DVC hashes and caches outputs after a stage's command has ended. Plain `dvc repro` that is killed in
that moment removes them at its next start and runs the command again: a whole training for nothing.
So the runner keeps hard links to the outputs, which take no space, and a stage that starts with the
same inputs puts them back instead of computing them. Nothing here imports DVC, because every stage
would wait for that.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from hw2.config import params, paths
from hw2.io import content_md5, files
from hw2.pipeline import declared, lock_backup
from hw2.runtime.errors import UserError

FOLDER = lock_backup.FOLDER / "unrecorded"
_INPUTS, _OUTPUTS = "inputs.json", "outputs"


def keep(stage: str, inputs: dict[str, Any]) -> None:
    """Keep the outputs of a stage that has just finished.

    Without a DVC repository, with outputs on another file system, or with a full disk, nothing is
    kept, and DVC's own rules apply.

    Args:
        stage: Name of the stage.
        inputs: What `inputs` returned when it started.
    """
    if not FOLDER.parents[2].is_dir():
        return
    with suppress(OSError, UserError), files.atomic_dir(FOLDER / stage) as kept:
        files.write_json(kept / _INPUTS, inputs)
        for path in _outputs(stage):
            for file in _files(path):
                copy = kept / _OUTPUTS / file
                copy.parent.mkdir(parents=True, exist_ok=True)
                os.link(file, copy)


def inputs(entry: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """What the outputs of a stage depend on, its fingerprint of code among the files."""
    return lock_backup.state(entry, parameters, ("deps",))


def restore(stage: str) -> bool:
    """Put the kept outputs back; returns whether the stage need not run.

    That is so if it finished, was not recorded, has no outputs now, and its inputs are the same.
    An error of the configuration is left to the runner, which reports it.
    """
    kept = FOLDER / stage
    if not kept.is_dir():
        return False
    try:
        entry = declared.entry(stage)
        outputs = _outputs(stage)
        parameters = declared.restrict_params(params.load(), declared.of_entry(stage, entry))
        current = inputs(entry, parameters.model_dump())
        if any(map(os.path.lexists, outputs)) or files.read_json(kept / _INPUTS) != current:
            return False
        for path in outputs:
            _copy(kept / _OUTPUTS / path, path)
    except (OSError, UserError):
        return False
    return True


def drop_recorded() -> None:
    """Remove the outputs that `dvc.lock` records by now."""
    kept = [path for path in FOLDER.glob("*") if path.is_dir()]
    lock = _lock() if kept else {}
    ignored = content_md5.ignored_names()
    for folder in kept:
        with suppress(OSError, UserError, KeyError, TypeError, AttributeError):
            for out in lock["stages"][folder.name]["outs"]:
                if content_md5.of(folder / _OUTPUTS / out["path"], ignored) != out["md5"]:
                    break
            else:
                shutil.rmtree(folder)


def _lock() -> Any:
    """The content of `dvc.lock`, unchecked; a file that cannot be read records nothing."""
    try:
        return YAML(typ="safe").load(lock_backup.LOCK)
    except (OSError, ValueError, YAMLError):
        return {}


def _outputs(stage: str) -> list[Path]:
    """The outputs of a stage; raises UserError if one lies outside the repository."""
    found = declared.files(declared.entry(stage), paths.load(), declared.OUTPUTS)
    for path in found:
        if path.is_absolute() or ".." in path.parts:
            raise UserError(f"{path}: lies outside the repository; outputs must be inside it")
    return found


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, _, names in os.walk(path):
        yield from (Path(folder, name) for name in names)


def _copy(kept: Path, path: Path) -> None:
    # A copy, because the link may be a file of DVC's cache by now, which must never be edited.
    if kept.is_dir():
        with files.atomic_dir(path) as temporary:
            shutil.copytree(kept, temporary, copy_function=shutil.copyfile, dirs_exist_ok=True)
    else:
        with files.atomic_path(path) as temporary:
            shutil.copyfile(kept, temporary)
