"""The order of the tests, and the parameters of the mini profile that most of them use."""

import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hw2.config import params, profiles

ROOT = Path(__file__).resolve().parents[1]
# A shell starts its background jobs with this signal ignored, and so would be the stages that tests
# interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Of tests/workflow: the first runs the whole DAG again, the others run or plan parts many times.
LONGEST = ["test_rebuild", "test_staleness", "test_interrupts", "test_damage"]


@pytest.fixture(autouse=True)
def one_thread_afterwards() -> Iterator[None]:
    """A stage that a test runs takes all cores; the next test begins with one thread again."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(scope="session")
def mini_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., params.Params]:
    """`mini_with({"dann.seeds": [1]})` loads the mini profile with these values changed."""

    def load(values: Mapping[str, Any]) -> params.Params:
        folder = tmp_path_factory.mktemp("params")
        for name in ("params.yaml", profiles.FILE):
            shutil.copy(ROOT / name, folder)
        profiles.apply("mini", folder / "params.yaml", values)
        return params.load(folder / "params.yaml")

    return load


@pytest.fixture(scope="session")
def mini(mini_with: Callable[..., params.Params]) -> params.Params:
    """The parameters of the mini profile."""
    return mini_with({})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The workflow's slow tests come first, the longest before the others.

    One worker builds for them while the other one takes the quick tests from the end of the list.
    Both meet where these begin, so that only short tests are left when a worker runs out of work.
    """
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    if "workflow" not in item.path.parts or "slow" not in item.keywords:
        return len(LONGEST) + 1
    return LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST)
