"""Inputs of commands: checked before anything slow is imported.

The advice for a file of the user's own is to correct its name; that for a file of the pipeline is
to run the stage that writes it.
"""

from pathlib import Path

from hw2.runtime.errors import UserError


def need_file(path: Path, remedy: str) -> None:
    """Check that `path` is a file.

    Raises:
        UserError: if it is missing or no file; the message ends with `remedy`.
    """
    if not path.is_file():
        raise UserError(f"{path}: {'not a file' if path.exists() else 'no such file'}; {remedy}")


def need_folder(path: Path, remedy: str) -> None:
    """Check that `path` is a folder.

    Raises:
        UserError: if it is missing or no folder; the message ends with `remedy`.
    """
    if not path.is_dir():
        reason = "not a folder" if path.exists() else "no such folder"
        raise UserError(f"{path}: {reason}; {remedy}")


def need_path(path: Path, remedy: str) -> None:
    """Check that `path` is a file or a folder.

    Raises:
        UserError: if it is missing; the message ends with `remedy`.
    """
    if not path.exists():
        raise UserError(f"{path}: no such file; {remedy}")


def need_checkpoint(path: Path, stage: str) -> None:
    """Check that a stage of the pipeline has written its checkpoint.

    Raises:
        UserError: naming the stage to run.
    """
    if not path.is_file():
        raise UserError(
            f"{path}: not a checkpoint of {stage} (no such file); run `dvc repro {stage}`"
        )
