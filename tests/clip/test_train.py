"""Training has CLIP's loss; threads and interruptions do not change its result."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import open_clip
import pytest
import torch
from torch.nn import functional as F

from hw2 import rng
from hw2.clip import open_clip_folder, train
from hw2.config import params
from hw2.training import loop
from hw2.training.resume import Resume

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


class Trained(NamedTuple):
    network: open_clip.CLIP
    history: list[dict[str, float]]


def run_training(clip: params.Clip, shapes: params.Shapes, folder: Path) -> Trained:
    design = open_clip_folder.design(clip.network, shapes)
    resume = Resume(folder, train.identity(clip, shapes, design))
    return Trained(*train.train_clip(clip, shapes, design, resume, CPU))


def weights(trained: Trained) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trained.network.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def uninterrupted(mini: params.Params, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return run_training(mini.clip, mini.shapes, tmp_path_factory.mktemp("uninterrupted"))


def test_the_loss_agrees_with_open_clip() -> None:
    stream = rng.torch_rng(1, "loss")
    images, texts = (torch.randn(8, 5, generator=stream) for _ in range(2))
    scale = torch.tensor(2.3)
    expected = open_clip.ClipLoss()(
        F.normalize(images, dim=-1), F.normalize(texts, dim=-1), scale.exp()
    )
    assert train.contrastive(images, texts, scale).item() == pytest.approx(
        expected.item(), rel=1e-6
    )


def test_text_features_without_padding_agree_with_open_clip(mini: params.Params) -> None:
    design = open_clip_folder.design(mini.clip.network, mini.shapes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.derive(2, "test"))
        network = open_clip.CLIP(**design.model).eval()
    texts = design.tokenize(["a red circle", "a photo of a blue star on a gray background", "a"])
    with torch.no_grad():
        assert torch.allclose(
            train.text_features(network, texts), network.encode_text(texts), atol=1e-5
        )
        assert torch.allclose(train._texts(network, texts), network.encode_text(texts), atol=1e-5)


def test_the_history_has_every_step(uninterrupted: Trained, mini: params.Params) -> None:
    assert [row["step"] for row in uninterrupted.history] == list(
        range(1, mini.clip.train.steps + 1)
    )
    assert all(torch.isfinite(value.float()).all() for value in weights(uninterrupted).values())


def test_the_loss_falls(mini: params.Params, tmp_path: Path) -> None:
    longer = mini.clip.train.model_copy(update={"steps": 60, "batch_size": 32, "save_every": 60})
    shapes = mini.shapes.model_copy(update={"train_images": 500})
    trained = run_training(mini.clip.model_copy(update={"train": longer}), shapes, tmp_path)
    losses = [row["loss"] for row in trained.history]
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.15


def test_every_weight_is_uninterrupted(mini: params.Params) -> None:
    network = open_clip.CLIP(**open_clip_folder.design(mini.clip.network, mini.shapes).model)
    named = {n: p for n, p in network.named_parameters() if n != "logit_scale"}
    tower = train._Tower(named, mini.clip.train)
    trained = [
        id(p)
        for optimizer, _ in tower.optimizers.members
        for g in optimizer.param_groups
        for p in g["params"]
    ]
    assert sorted(trained) == sorted(id(p) for p in named.values())


def test_two_threads_give_the_same_bits_as_one(
    uninterrupted: Trained, mini: params.Params, tmp_path: Path
) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        repeated = run_training(mini.clip, mini.shapes, tmp_path)
    finally:
        torch.set_num_threads(threads)
    assert same(weights(repeated), weights(uninterrupted))
    assert repeated.history == uninterrupted.history


def test_an_interrupted_training_resumes_to_the_same_bits(
    uninterrupted: Trained, mini: params.Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def finite(loss: float, step: int, hint: str) -> float:
        calls.append(step)
        if len(calls) == 6:
            raise RuntimeError("interrupted")
        return loop.finite(loss, step, hint)

    monkeypatch.setattr(train, "finite", finite)
    with pytest.raises(RuntimeError, match="interrupted"):
        run_training(mini.clip, mini.shapes, tmp_path)
    repeated = run_training(mini.clip, mini.shapes, tmp_path)
    assert calls[6] == mini.clip.train.save_every
    assert same(weights(repeated), weights(uninterrupted))
    assert repeated.history == uninterrupted.history


def test_another_seed_gives_another_network(
    uninterrupted: Trained, mini: params.Params, tmp_path: Path
) -> None:
    other = run_training(mini.clip.model_copy(update={"seed": 62}), mini.shapes, tmp_path)
    assert not same(weights(other), weights(uninterrupted))


def test_batches_pair_images_with_their_captions(mini: params.Params) -> None:
    design = open_clip_folder.design(mini.clip.network, mini.shapes)
    data = train._Pairs(mini.shapes, mini.clip, design, CPU)
    rows = data.rows(3)
    assert np.array_equal(rows, data.rows(3))
    size = mini.clip.train.batch_size
    assert data.images(rows).shape == (size, 3, 32, 32)
    assert data.texts(rows).shape == (size, open_clip_folder.CONTEXT)
    captioned = train.scenes.training(mini.shapes)
    assert torch.equal(data.texts(rows), design.tokenize([captioned.captions[k] for k in rows]))
    pixels = torch.from_numpy(captioned.images[rows]).permute(0, 3, 1, 2) / 255
    assert torch.allclose(data.images(rows), (pixels - 0.5) / 0.35, atol=1e-5)
