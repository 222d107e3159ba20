"""Training of a method: no target labels, the same bits after a kill, one budget for all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from in_processes import Raised, in_processes
from interruptions import before_step, crash, terminate
from torch import Tensor

from hw2.config import params
from hw2.dann import train, trainings
from hw2.dann.classifier import Classifier
from hw2.dann.gradient_reversal import schedule
from hw2.dann.methods.registry import METHODS as REGISTRY
from hw2.dann.pairs import Pair
from hw2.dann.train import identity, train_method
from hw2.digits import arrays
from hw2.digits.arrays import Digits
from hw2.runtime.errors import Interrupted, UserError
from hw2.training import processes
from hw2.training.resume import Resume

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
METHODS = tuple(REGISTRY)
ADAPTED = tuple(name for name in METHODS if name != "target_only")
PAIR = Pair("mnistm", "usps")
Fitted = tuple[dict[str, Tensor], list[dict[str, float]]]


def changed(dann: params.Dann, **values: Any) -> params.Dann:
    """A copy with keys of `train` changed."""
    return dann.model_copy(update={"train": dann.train.model_copy(update=values)})


def with_hyperparameters(dann: params.Dann, method: str, **values: Any) -> params.Dann:
    """A copy with hyperparameters of one method changed."""
    own = getattr(dann.hyperparameters, method).model_copy(update=values)
    return dann.model_copy(
        update={"hyperparameters": dann.hyperparameters.model_copy(update={method: own})}
    )


def go(
    dann: params.Dann, method: str, digits: Path, folder: Path, seed: int = 1, pair: Pair = PAIR
) -> Fitted:
    training = trainings.of(pair, method, seed)
    with Resume(folder, identity(dann, training, digits)) as resume:
        return train_method(dann, training, REGISTRY[method], digits, resume, CPU)


def same(first: Fitted, second: Fitted) -> bool:
    a, b = first[0], second[0]
    equal = a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
    return equal and first[1] == second[1]


def without_labels(digits: Path, folder: Path, domain: str, kind: str) -> Path:
    """A copy of packed digits in which every label of a domain is wrong, or none is there."""
    for path in digits.glob("*/*.npy"):
        copy = folder / path.relative_to(digits)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.name != f"{domain}_digits.npy":
            copy.symlink_to(path)
        elif kind == "wrong":
            np.save(copy, 9 - np.load(path))
    return folder


@pytest.mark.parametrize("kind", ["wrong", "absent"])
@pytest.mark.parametrize("method", ADAPTED)
def test_adaptation_methods_do_not_use_target_labels(
    mini: params.Dann, digits: Path, tmp_path: Path, method: str, kind: str
) -> None:
    blind = without_labels(digits, tmp_path / "blind", "usps", kind)
    training = trainings.of(PAIR, method, 1)
    assert identity(mini, training, digits) == identity(mini, training, blind)
    assert same(go(mini, method, digits, tmp_path / "a"), go(mini, method, blind, tmp_path / "b"))


def test_target_labels_are_used_by_target_only_alone(
    mini: params.Dann, digits: Path, tmp_path: Path
) -> None:
    wrong = without_labels(digits, tmp_path / "wrong", "usps", "wrong")
    seen = [go(mini, "target_only", at, tmp_path / at.name) for at in (digits, wrong)]
    assert not same(*seen)
    no_source = without_labels(digits, tmp_path / "source", "mnistm", "wrong")
    assert same(seen[0], go(mini, "target_only", no_source, tmp_path / "c"))
    with pytest.raises(UserError, match="no train split of usps"):
        blind = without_labels(digits, tmp_path / "absent", "usps", "absent")
        go(mini, "target_only", blind, tmp_path / "d")


@pytest.mark.parametrize("normalization", ["instance", "domain"])
@pytest.mark.parametrize(("method", "other"), [("source_only", "svhn"), ("target_only", "usps")])
def test_supervised_methods_read_a_single_domain(
    mini: params.Dann, digits: Path, tmp_path: Path, method: str, other: str, normalization: str
) -> None:
    """Of MNIST-M to SVHN and SVHN to MNIST-M, both train on MNIST-M, which alone is there."""
    dann = mini.model_copy(
        update={"network": mini.network.model_copy(update={"input": normalization})}
    )
    alone = tmp_path / "alone"
    (alone / "train").mkdir(parents=True)
    for path in (digits / "train").glob("mnistm_*.npy"):
        (alone / "train" / path.name).symlink_to(path)
    to_other, from_other = Pair("mnistm", other), Pair(other, "mnistm")
    pair = to_other if method == "source_only" else from_other
    assert trainings.of(pair, method, 1).slug == f"mnistm/{method}-1"
    weights, _ = go(dann, method, alone, tmp_path / "trained", pair=pair)
    means = weights["normalization.mean"]
    assert torch.equal(means[0], means[1])


def test_only_the_train_split_is_read(mini: params.Dann, digits: Path, tmp_path: Path) -> None:
    only_train = tmp_path / "only_train"
    only_train.mkdir()
    (only_train / "train").symlink_to(digits / "train")
    for method in METHODS:
        go(mini, method, only_train, tmp_path / method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("stop", [terminate, crash])
def test_an_interrupted_and_resumed_training_equals_the_uninterrupted_one(
    mini: params.Dann,
    digits: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    stop: Callable[[], None],
) -> None:
    dann = changed(mini, steps=8, save_every=3)
    straight = go(dann, method, digits, tmp_path / "straight")
    with monkeypatch.context() as patch:
        before_step(patch, 5, stop)
        with pytest.raises((Interrupted, RuntimeError)):
            go(dann, method, digits, tmp_path / "broken")
    assert same(straight, go(dann, method, digits, tmp_path / "broken"))


def test_a_resumed_training_continues_the_schedule_of_the_strength(
    mini: params.Dann, digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dann = changed(mini, steps=8, save_every=3)
    with monkeypatch.context() as patch:
        before_step(patch, 5, terminate)
        with pytest.raises(Interrupted):
            go(dann, "dann_paper", digits, tmp_path)
    _, history = go(dann, "dann_paper", digits, tmp_path)
    strengths = [row["strength"] for row in history]
    assert strengths == pytest.approx(
        [schedule(k / 8, dann.hyperparameters.dann_paper.max_strength) for k in range(8)]
    )


@pytest.mark.parametrize(
    ("optimizer", "classes"), [("shared", ["AdamW", "Muon"]), ("sgd", ["SGD"])]
)
def test_the_published_dann_has_the_shared_optimizer_or_its_own(
    mini: params.Dann, optimizer: str, classes: list[str]
) -> None:
    dann = with_hyperparameters(mini, "dann_paper", optimizer=optimizer)
    recipe = REGISTRY["dann_paper"].recipe(dann.train, dann.hyperparameters.dann_paper)
    network = Classifier(dann.network, recipe.extractor)
    optimizers = recipe.optimizers(network, list(network.parameters()))
    assert list(optimizers.state_dict()) == classes


@pytest.mark.parametrize("method", ["source_only", "self_training"])
def test_the_weights_do_not_depend_on_the_number_of_threads(
    mini: params.Dann, digits: Path, tmp_path: Path, method: str
) -> None:
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(go(mini, method, digits, tmp_path / str(threads)))
    finally:
        torch.set_num_threads(before)
    assert same(*results)


def test_the_seed_determines_the_weights(mini: params.Dann, digits: Path, tmp_path: Path) -> None:
    first, again, other = (
        go(mini, "self_training", digits, tmp_path / name, seed)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert same(first, again)
    assert not same(first, other)


def test_every_method_costs_the_same_and_sees_its_domains(
    mini: params.Dann, digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[tuple[int, int, bool]] = []
    forward = train.Classifier.joint_features

    def counted(self: Any, groups: list[tuple[int, Tensor]], domain: int) -> Tensor:
        passes.append((domain, sum(len(images) for _, images in groups), self.training))
        return forward(self, groups, domain)

    monkeypatch.setattr(train.Classifier, "joint_features", counted)
    dann = changed(mini, steps=1, batch_size=64)
    for method in METHODS:
        passes.clear()
        go(dann, method, digits, tmp_path / method)
        cost = sum(count if learns else count / 3 for _, count, learns in passes)
        assert cost == pytest.approx(64), method
        assert {domain for domain, _, _ in passes} == {0, 1}
        assert [learns for _, _, learns in passes].count(False) == (method == "self_training")


def test_methods_with_equal_seeds_share_initial_weights_and_source_images(
    mini: params.Dann, digits: Path, tmp_path: Path
) -> None:
    dann = changed(mini, steps=1, lr=1e-9, muon_lr=0.0, ema_decay=0.0, weight_decay=0.0)
    state_dicts = [
        go(dann, method, digits, tmp_path / method)[0]
        for method in ADAPTED
        if method != "dann_paper"
    ]
    for weights in state_dicts[1:]:
        for name in ("head.weight", "extractor.blocks.0.conv.weight"):
            assert torch.allclose(weights[name], state_dicts[0][name], atol=1e-6)


def test_hyperparameters_of_another_method_do_not_change_the_identity(
    mini: params.Dann, digits: Path
) -> None:
    tuned = with_hyperparameters(mini, "dann", max_strength=0.123)
    often = changed(mini, save_every=1)
    for method in METHODS:
        training = trainings.of(PAIR, method, 1)
        original = identity(mini, training, digits)
        assert identity(often, training, digits) == original
        assert (identity(tuned, training, digits) == original) == (method != "dann")
        assert identity(mini, trainings.of(PAIR, method, 2), digits) != original


def test_every_method_reduces_the_label_loss(mini: params.Dann, tmp_path: Path) -> None:
    """Squares on the left are 0, on the right 1; the target's are gray."""
    random = np.random.default_rng(len("squares"))
    for domain, channels in (("mnistm", 3), ("usps", 1)):
        labels = random.integers(0, 2, 64)
        images = random.integers(0, 80, (64, 28, 28, channels), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[8:20, 14 * label + 2 : 14 * label + 12] = 255
        arrays.save(tmp_path, domain, "train", Digits(images, labels.astype(np.int64)))
    dann = changed(mini, steps=60, batch_size=32, lr=0.02)
    for method in METHODS:
        _, history = go(dann, method, tmp_path, tmp_path / method)
        losses = [row["label"] for row in history]
        assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5]), method


def test_a_loss_of_nan_is_reported_with_its_step(
    mini: params.Dann, digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train.from_uint8
    monkeypatch.setattr(train, "from_uint8", lambda images: whole(images) * float("nan"))
    with pytest.raises(UserError, match=r"loss is nan at step 1; .* lower dann\.train\.lr"):
        go(mini, "source_only", digits, tmp_path)


def test_trainings_are_listed_once_by_pair_method_and_seed(mini: params.Dann) -> None:
    dann = mini.model_copy(update={"seeds": (1, 2)})
    slugs = [training.slug for training in trainings.every(dann)]
    # The source is that of both pairs.
    assert len(slugs) == len(set(slugs)) == 2 * (2 * len(METHODS) - 1)
    assert slugs[:4] == [
        *("mnistm/source_only-1", "mnistm/source_only-2"),
        *("mnistm-svhn/dann_paper-1", "mnistm-svhn/dann_paper-2"),
    ]
    assert {"svhn/target_only-1", "usps/target_only-2"} < set(slugs)


def test_what_a_training_reads_is_described() -> None:
    seen = {method: trainings.described(PAIR, method, 64) for method in METHODS}
    assert seen["source_only"] == {
        "trained_on": "mnistm", "labeled_images": 64, "unlabeled_images": 0,
    }  # fmt: skip
    assert seen["target_only"]["trained_on"] == "usps"
    assert seen["adamatch"] == {
        "trained_on": "mnistm->usps", "labeled_images": 8, "unlabeled_images": 16,
    }  # fmt: skip


def test_the_capped_dann_is_the_published_one_with_another_strength(
    mini: params.Dann, digits: Path, tmp_path: Path
) -> None:
    same_strength = with_hyperparameters(
        mini, "dann_capped", **mini.hyperparameters.dann_paper.model_dump()
    )
    paper = go(mini, "dann_paper", digits, tmp_path / "paper")
    assert same(paper, go(same_strength, "dann_capped", digits, tmp_path / "same"))
    assert not same(paper, go(mini, "dann_capped", digits, tmp_path / "capped"))


@pytest.mark.parametrize("source", ["usps", "svhn"])
def test_pairs_of_any_domains_can_be_trained(
    mini: params.Dann, digits: Path, tmp_path: Path, source: str
) -> None:
    go(changed(mini, steps=2), "self_training", digits, tmp_path, pair=Pair(source, "mnistm"))


@pytest.mark.parametrize("method", METHODS)
def test_two_processes_give_the_bits_of_one(
    mini: params.Dann, digits: Path, tmp_path: Path, method: str
) -> None:
    dann = changed(mini, steps=4)

    def fit(rank: int) -> Fitted:
        fitted = go(dann, method, digits, tmp_path / "several")
        processes.end_all_but_first()
        return fitted

    first, second = in_processes(2, fit, tmp_path)
    weights, history = go(dann, method, digits, tmp_path / "alone")
    assert first[1] == history
    assert all(torch.equal(first[0][name], weight) for name, weight in weights.items())
    assert second == Raised(SystemExit, "0")
