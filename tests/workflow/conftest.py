"""One build for all workflow tests; each test works on a copy or a clone of it."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the import mode `importlib` leaves this to us
from scratch import SITE_CACHE, Scratch, kill_all, of_working_tree


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """This working tree in the mini profile, committed, nothing built."""
    yield of_working_tree(tmp_path_factory.mktemp("workflow") / "source")
    shutil.rmtree(SITE_CACHE, ignore_errors=True)


@pytest.fixture(scope="session")
def built(source: Scratch) -> Scratch:
    """Everything built by `dvc repro`, pushed and committed. Only look at it: it is shared."""
    scratch = source.copy(source.root.parent / "built")
    scratch.dvc("repro")
    scratch.dvc("push", "-q")
    scratch.commit("built")
    return scratch


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
