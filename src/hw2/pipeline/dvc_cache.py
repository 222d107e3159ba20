"""Where DVC keeps the content of outputs."""

from pathlib import Path

from dvc.repo import Repo

from hw2.pipeline import dvc_errors


def objects() -> Path:
    """The folder of the cache's objects, each named by its MD5: `xx/yyyy...`.

    Raises:
        UserError: if DVC cannot use the repository.
    """
    with dvc_errors.explained(), Repo() as repo:
        return Path(repo.cache.local.path)
