"""The cache of finished trainings: which change trains which method again."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from hw2.config import params
from hw2.dann import cache, trainings
from hw2.dann.cache import Cache
from hw2.dann.methods.registry import METHODS
from hw2.dann.pairs import Pair
from hw2.dann.train import identity
from hw2.runtime import canonical_source, fingerprint

pytestmark = pytest.mark.slow

PAIR = Pair("mnistm", "usps")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the source tree."""
    shutil.copytree(cache.ROOT / "src/hw2", tmp_path / "src/hw2")
    return tmp_path


def fingerprints(root: Path) -> dict[str, str]:
    canonical_source.canonical.cache_clear()
    canonical_source.read.cache_clear()
    canonical_source.parse.cache_clear()
    fingerprint._imported.cache_clear()
    return {name: cache.code_fingerprint(method, root) for name, method in METHODS.items()}


@pytest.mark.parametrize(
    ("file", "affected"),
    [
        ("methods/registry.py", set()),
        ("methods/self_training.py", {"self_training"}),
        ("methods/dann_paper.py", {"dann_paper", "dann_capped"}),
        ("prediction_means.py", {"self_training", "adamatch"}),
        ("trainings.py", set()),
        ("cache.py", set()),
        ("train.py", set(METHODS)),
        ("method.py", set(METHODS)),
    ],
)
def test_code_affects_only_the_methods_that_run_it(
    tree: Path, file: str, affected: set[str]
) -> None:
    before = fingerprints(tree)
    path = tree / "src/hw2/dann" / file
    path.write_text(path.read_text() + "\nADDED = 1\n")
    after = fingerprints(tree)
    assert {name for name in METHODS if before[name] != after[name]} == affected


@pytest.mark.parametrize(
    ("change", "affected"),
    [
        (lambda dann: {"tsne": dann.tsne.model_copy(update={"perplexity": 5.0})}, set()),
        (lambda dann: {"methods": ("source_only", "dann")}, set()),
        (lambda dann: {"hyperparameters": _with_entropy(dann)}, {"dann"}),
        (lambda dann: {"train": dann.train.model_copy(update={"save_every": 1})}, set()),
        (lambda dann: {"train": dann.train.model_copy(update={"lr": 0.001})}, set(METHODS)),
    ],
)
def test_parameters_affect_only_the_methods_that_use_them(
    mini: params.Dann,
    digits: Path,
    change: Callable[[params.Dann], dict[str, object]],
    affected: set[str],
) -> None:
    changed = mini.model_copy(update=change(mini))
    asked = {name: trainings.of(PAIR, name, 1) for name in METHODS}
    different = {
        name
        for name, training in asked.items()
        if identity(mini, training, digits) != identity(changed, training, digits)
    }
    assert different == affected


def _with_entropy(dann: params.Dann) -> object:
    own = dann.hyperparameters.dann.model_copy(update={"entropy_weight": 0.01})
    return dann.hyperparameters.model_copy(update={"dann": own})


def test_a_finished_training_is_reused_and_pruned_when_nobody_requests_it(
    mini: params.Dann, digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Cache(mini, digits, tmp_path)

    def finished(method: str) -> Path:
        training, cls = trainings.of(PAIR, method, 1), METHODS[method]
        path = kept.finished(training, cls, torch.device("cpu"))
        assert kept.holds(training, cls)
        return path

    first, other = finished("source_only"), finished("dann")
    monkeypatch.setattr(cache.train, "train_method", lambda *_: pytest.fail("trained again"))
    assert finished("source_only") == first
    kept.prune([first])
    assert (first / cache.CHECKPOINT).exists()
    assert not other.exists()
    assert not other.parent.exists()


def test_every_method_of_the_table_has_a_class() -> None:
    assert list(METHODS) == list(
        params.Dann.model_fields["hyperparameters"].annotation.model_fields
    )
