"""One build for all workflow tests; each test works on a copy or a clone of it."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the import mode `importlib` leaves this to us
from scratch import (
    SITE_CACHE,
    SLOW,
    SLOW_STAGE,
    Scratch,
    kill_all,
    of_working_tree,
    once,
)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Path]:
    """A folder that the workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "workflow"
    folder.mkdir(exist_ok=True)
    yield folder
    shutil.rmtree(SITE_CACHE, ignore_errors=True)


@pytest.fixture(scope="session")
def source(workshop: Path) -> Scratch:
    """This working tree in the mini profile, committed, nothing built."""
    return once(workshop / "source", of_working_tree)


@pytest.fixture(scope="session")
def built(workshop: Path, source: Scratch) -> Scratch:
    """Everything built by `dvc repro`, pushed and committed. Only look at it: it is shared."""

    def build(root: Path) -> None:
        scratch = source.copy(root)
        scratch.dvc("repro")
        scratch.dvc("push", "-q")
        scratch.commit("built")

    return once(workshop / "built", build)


@pytest.fixture(scope="session")
def slow(built: Scratch) -> Scratch:
    """`built`, where a training of a few seconds is due."""

    def make(root: Path) -> None:
        scratch = built.copy(root)
        scratch.set(SLOW)
        scratch.commit("slow")

    return once(built.root.parent / "slow", make)


@pytest.fixture(scope="session")
def unbroken(slow: Scratch) -> Scratch:
    """That training done, when nobody stops it. Only look at it: it is shared."""

    def make(root: Path) -> None:
        slow.copy(root).dvc("repro", SLOW_STAGE)

    return once(slow.root.parent / "unbroken", make)


@pytest.fixture
def copy(built: Scratch, tmp_path: Path) -> Iterator[Scratch]:
    """A copy of `built` with its results and its cache."""
    scratch = built.copy(tmp_path / "copy")
    yield scratch
    kill_all(scratch.root)


@pytest.fixture
def clone(built: Scratch, tmp_path: Path) -> Scratch:
    """A fresh Git clone of `built`: metrics are there, nothing is pulled."""
    return built.clone(tmp_path / "clone")
