"""Training of the DDPM: killed and resumed, it equals the uninterrupted one, and it learns."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from interruptions import before_step, crash, terminate
from torch import Tensor

from hw2.config import params
from hw2.ddpm.train import identity, train_ddpm
from hw2.diffusion import timestep_distribution
from hw2.digits import arrays, synthetic
from hw2.digits.arrays import Digits
from hw2.digits.labels import label_of
from hw2.runtime.errors import Interrupted, UserError
from hw2.training.batch_sampler import BatchSampler
from hw2.training.denoising import DenoisingDataset, _stratified_times
from hw2.training.resume import Resume

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
Fitted = tuple[dict[str, Tensor], list[dict[str, float]]]


def changed(ddpm: params.Ddpm, **values: Any) -> params.Ddpm:
    """A copy; keys of `train` by their own name, others as sections."""
    train = {k: v for k, v in values.items() if k in params.Train.model_fields}
    rest = {k: v for k, v in values.items() if k not in train}
    return ddpm.model_copy(update={"train": ddpm.train.model_copy(update=train), **rest})


def tiny(mini: params.Params, **values: Any) -> params.Ddpm:
    """Training in a fraction of a second."""
    network = mini.ddpm.network.model_copy(update={"base_channels": 8, "n_feat": 8, **values})
    return changed(mini.ddpm, network=network, microbatches=2 if network.kind == "unet" else 1)


def tensors(state: Any, name: str = "") -> dict[str, Tensor]:
    """Every tensor of a nested state by its path."""
    if isinstance(state, Tensor):
        return {name: state}
    items = state.items() if isinstance(state, dict) else ()
    return {k: v for key, item in items for k, v in tensors(item, f"{name}/{key}").items()}


def same(first: Any, second: Any) -> bool:
    a, b = tensors(first), tensors(second)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def resume(ddpm: params.Ddpm, digits: Path, folder: Path) -> Resume:
    return Resume(folder, identity(ddpm, digits))


def train(ddpm: params.Ddpm, digits: Path, folder: Path) -> Fitted:
    return train_ddpm(ddpm, digits, resume(ddpm, digits, folder), CPU)


def saved(resume: Resume) -> tuple[int, dict[str, Any]]:
    latest = resume.load_latest()
    assert latest is not None
    return latest


@pytest.mark.parametrize("kind", ["unet", "context_unet"])
@pytest.mark.parametrize(("step", "stop"), [(7, terminate), (8, crash), (2, terminate)])
def test_row_02_a_killed_and_resumed_training_equals_the_uninterrupted_one(
    mini: params.Params,
    digits: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    step: int,
    stop: Callable[[], None],
) -> None:
    ddpm = tiny(mini, kind=kind)
    weights, history = train(ddpm, digits, tmp_path / "straight")
    with monkeypatch.context() as patch:
        before_step(patch, step, stop)
        with pytest.raises((Interrupted, RuntimeError)):
            train(ddpm, digits, tmp_path / "broken")
    resumed_weights, resumed_history = train(ddpm, digits, tmp_path / "broken")
    assert same(weights, resumed_weights)
    assert history == resumed_history
    # The last resume file of both holds the network, the average, and every optimizer's state.
    last, state = saved(resume(ddpm, digits, tmp_path / "straight"))
    assert last == 10  # of 12 steps, saved every 5
    assert {"network", "ema", "optimizers", "history"} <= state.keys()
    assert ("Muon" in state["optimizers"]) == (kind == "unet")
    assert same(state, saved(resume(ddpm, digits, tmp_path / "broken"))[1])


def test_the_seed_determines_the_weights(mini: params.Params, digits: Path, tmp_path: Path) -> None:
    results = [
        train(changed(tiny(mini), steps=3, seed=seed), digits, tmp_path / name)[0]
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert same(results[0], results[1])
    assert not same(results[0], results[2])


def test_row_25_the_save_interval_changes_nothing(
    mini: params.Params, digits: Path, tmp_path: Path
) -> None:
    often, seldom = (
        train(changed(tiny(mini), save_every=every), digits, tmp_path / str(every))
        for every in (1, 100)
    )
    assert same(often[0], seldom[0])
    assert often[1] == seldom[1]
    often, rarely = (identity(changed(tiny(mini), save_every=every), digits) for every in (1, 100))
    assert often == rarely


def test_another_training_does_not_resume_this_one(
    mini: params.Params, digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ddpm = tiny(mini)
    with monkeypatch.context() as patch:
        before_step(patch, 7, terminate)
        with pytest.raises(Interrupted):
            train(ddpm, digits, tmp_path)
    seen: list[int] = []
    batch = BatchSampler.batch
    monkeypatch.setattr(
        BatchSampler, "batch", lambda s, now, n: (seen.append(now), batch(s, now, n))[1]
    )
    train(changed(ddpm, lr=2e-3), digits, tmp_path)
    assert seen == list(range(12))
    seen.clear()
    train(ddpm, digits, tmp_path)
    assert seen == list(range(8, 12))


@pytest.mark.parametrize("kind", ["unet", "context_unet"])
@pytest.mark.parametrize("prediction", ["v", "eps"])
def test_training_reduces_the_loss(
    mini: params.Params, digits: Path, tmp_path: Path, kind: str, prediction: str
) -> None:
    ddpm = changed(
        tiny(mini, kind=kind),
        diffusion=mini.ddpm.diffusion.model_copy(update={"prediction": prediction}),
        steps=80,
        batch_size=16,
        lr=4e-3,
        save_every=1000,
    )
    _, history = train(ddpm, digits, tmp_path)
    losses = [row["loss"] for row in history]
    assert np.mean(losses[-8:]) < 0.9 * np.mean(losses[:4])  # means of 128 and 64 images


def test_a_loss_that_is_not_finite_keeps_the_last_save(
    mini: params.Params, digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(100))

    def poisoned(images: np.ndarray) -> Tensor:
        good = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2) / 127.5 - 1
        return good * float("nan") if next(calls) == 7 else good

    monkeypatch.setattr("hw2.training.image_batches.from_uint8", poisoned)
    with pytest.raises(UserError, match=r"loss is nan at step 8.* lower ddpm\.train\.lr") as caught:
        train(tiny(mini), digits, tmp_path)
    assert "\n" not in str(caught.value)
    (folder,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert (folder / "step-5.json").exists()
    assert not list(folder.glob("step-[678]*"))


def test_one_domain_uses_its_own_labels(
    mini: params.Params, digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []
    monkeypatch.setattr(
        "hw2.training.denoising.drop_labels",
        lambda labels, p, null, stream: (seen.append(labels), labels)[1],
    )
    train(changed(tiny(mini), domains=("svhn",), steps=4), digits, tmp_path)
    assert set(torch.cat(seen).tolist()) == set(range(10, 20))


def test_an_absent_domain_is_named(mini: params.Params, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no train split of mnistm; run `dvc repro digits_pack`"):
        train(tiny(mini), tmp_path, tmp_path / "checkpoints")


@pytest.mark.parametrize("count", [1, 3, 16, 50])
def test_times_are_one_from_each_stratum(count: int) -> None:
    times = torch.stack(
        [
            _stratified_times(
                count, 20, timestep_distribution.uniform, torch.Generator().manual_seed(k)
            )
            for k in range(300)
        ]
    )
    assert times.min() == 0
    assert times.max() == 19
    if count <= 20:  # the gaps of neighbors are a whole stratum, rounded
        gaps = times.sort(1).values.diff(dim=1)
        assert count == 1 or (gaps - 20 / count).abs().max() <= 1
    # Uniform: 300 draws of a mean of 9.5 with standard deviation below 5.8.
    assert times.float().mean() == pytest.approx(9.5, abs=5 * 5.8 / 300**0.5)


def test_a_power_below_one_draws_noisy_times_more_often() -> None:
    streams = (torch.Generator().manual_seed(k) for k in range(100))
    power = timestep_distribution.power(0.5)
    times = torch.cat([_stratified_times(32, 1000, power, stream) for stream in streams])
    # The mean of sqrt(u) is 2 / 3, and no time is left out.
    assert times.float().mean() == pytest.approx(1000 * 2 / 3, abs=3)
    assert times.min() < 50
    assert times.max() == 999


def test_the_logit_of_logit_normal_times_is_normal() -> None:
    quantiles = timestep_distribution.logit_normal(0.4, 0.8)
    streams = (torch.Generator().manual_seed(k) for k in range(200))
    times = torch.cat([_stratified_times(64, 10_000, quantiles, stream) for stream in streams])
    logits = torch.logit((times.double() + 0.5) / 10_000)
    assert logits.mean() == pytest.approx(0.4, abs=0.02)
    assert logits.std() == pytest.approx(0.8, abs=0.02)
    ends = quantiles(torch.tensor([0.0, 1.0]))
    assert ends.tolist() == [0, 1]


def test_a_small_domain_is_drawn_as_often_as_a_large_one(
    mini: params.Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for domain, count in (("mnistm", 12), ("svhn", 5)):
        drawn = Digits(*synthetic.draw(domain, "train", count, 7))
        arrays.save(tmp_path / "packed", domain, "train", drawn)
    datasets: list[DenoisingDataset] = []

    def stop(_network: Any, dataset: DenoisingDataset, *_: Any, **__: Any) -> None:
        datasets.append(dataset)
        raise StopIteration

    monkeypatch.setattr("hw2.ddpm.train.train_denoiser", stop)
    with pytest.raises(StopIteration):
        train(tiny(mini), tmp_path / "packed", tmp_path / "run")
    (dataset,) = datasets
    assert dataset.epoch is not None
    of_svhn = dataset.labels[torch.from_numpy(dataset.epoch)] >= label_of("svhn", 0)
    assert of_svhn.float().mean() == 0.5
    assert len(np.unique(dataset.epoch)) == 17
