"""What a rebuild of a damaged `dvc.lock` starts from: notes of our own, kept by every stage.

Plain `dvc repro` rewrites `dvc.lock` in place after each stage, which no script can prevent. But
the file is complete whenever a stage starts, so the runner copies it then; and a finished stage
that DVC's run cache does not hold notes what it read and wrote. Nothing here imports DVC, because
every stage would wait for that.
"""

import hashlib
import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from hw2.config import paths
from hw2.io import content_md5, files
from hw2.pipeline import declared
from hw2.runtime.errors import UserError

LOCK = Path("dvc.lock")
FOLDER = Path(".dvc/tmp/hw2")
COPY = FOLDER / "dvc.lock"


def keep() -> None:
    """Copy `dvc.lock`. Without a DVC repository, or with a full disk, nothing is kept."""
    if not FOLDER.parent.parent.is_dir() or not LOCK.is_file() or LOCK.stat().st_size == 0:
        return
    with suppress(OSError, UserError), files.atomic_path(COPY) as temporary:
        shutil.copyfile(LOCK, temporary)


def forget(stage: str) -> None:
    """Remove the note of a stage that starts again."""
    with suppress(OSError):
        _note(stage).unlink()


def finished(stage: str, entry: dict[str, Any], parameters: dict[str, Any]) -> None:
    """Note that a stage succeeded, if its outputs are partly in Git only.

    DVC's run cache holds no such stage, so that the note is all that tells a later rebuild of
    `dvc.lock` that it need not run again.

    Args:
        stage: Name of the stage.
        entry: Its entry in dvc.yaml.
        parameters: The values of its declared parameters.
    """
    if FOLDER.parent.parent.is_dir() and declared.is_partly_in_git(entry):
        with suppress(OSError, UserError):
            files.write_json(_note(stage), state(entry, parameters))


def is_unchanged(stage: str, parameters: dict[str, Any]) -> bool:
    """Whether the stage's last success is noted, and all that it read and wrote is the same."""
    try:
        return bool(files.read_json(_note(stage)) == state(declared.entry(stage), parameters))
    except UserError:
        return False


def noted() -> list[str]:
    """The stages whose success is noted."""
    return sorted(path.stem for path in _note("*").parent.glob("*.json"))


def state(
    entry: dict[str, Any],
    parameters: dict[str, Any],
    kinds: tuple[str, ...] = ("deps", *declared.OUTPUTS),
) -> dict[str, Any]:
    """The definition and parameters of a stage, and hashes of its files of these kinds.

    Raises:
        UserError: if a file cannot be read.
    """
    ignored = content_md5.ignored_names()
    used = declared.files(entry, paths.load(), kinds)
    return {
        "definition": _digest(entry),
        "parameters": _digest(parameters),
        "files": {str(path): content_md5.of(path, ignored) for path in used},
    }


def _digest(data: dict[str, Any]) -> str:
    text = json.dumps(data, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _note(stage: str) -> Path:
    return FOLDER / "finished" / f"{stage}.json"
