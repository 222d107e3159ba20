"""A small repository with one stage, for tests of what DVC keeps on disk."""

import subprocess
from pathlib import Path

import dvc.rwlock
import dvc.utils.serialize._common as serialization
import pytest
from dvc.repo import Repo

STAGES = (
    "stages:\n  copy:\n    cmd: cp data.txt copy.txt\n    deps: [data.txt]\n    outs: [copy.txt]\n"
)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Git and DVC repository, the current folder, whose one stage ran and is committed."""
    for module, name in [
        (serialization, "_dump_data"),
        (dvc.rwlock, "rwlock"),
        (dvc.rwlock, "_edit_rwlock"),
        (dvc.rwlock, "_release_read"),
        (dvc.rwlock, "_release_write"),
    ]:
        monkeypatch.setattr(module, name, getattr(module, name))  # restored after the test
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.chdir(root)
    (root / "data.txt").write_text("one")
    (root / "dvc.yaml").write_text(STAGES)
    git("init", "-q")
    Repo.init()
    reproduce()
    git("add", "-A")
    git("-c", "user.name=t", "-c", "user.email=t@example.invalid", "commit", "-qm", "built")
    return root


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True)


def reproduce() -> None:
    with Repo() as repo:
        repo.reproduce()
