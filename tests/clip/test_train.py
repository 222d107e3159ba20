"""Training: the loss is CLIP's, threads and interruptions change nothing."""

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
from hw2.shapes import vocabulary
from hw2.training import loop
from hw2.training.resume import Resume

CPU = torch.device("cpu")


class Trained(NamedTuple):
    network: open_clip.CLIP
    history: list[dict[str, float]]


def fit(clip: params.Clip, shapes: params.Shapes, folder: Path) -> Trained:
    design = open_clip_folder.design(clip.network)
    resume = Resume(folder, train.identity(clip, shapes, design))
    return Trained(*train.fit(clip, shapes, design, resume, CPU))


def weights(trained: Trained) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trained.network.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def once(mini: params.Params, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return fit(mini.clip, mini.shapes, tmp_path_factory.mktemp("once"))


def test_the_loss_is_open_clip_s() -> None:
    stream = rng.torch_rng(1, "loss")
    images, texts = (torch.randn(8, 5, generator=stream) for _ in range(2))
    scale = torch.tensor(2.3)
    expected = open_clip.ClipLoss()(
        F.normalize(images, dim=-1), F.normalize(texts, dim=-1), scale.exp()
    )
    assert train.contrastive(images, texts, scale).item() == pytest.approx(
        expected.item(), rel=1e-6
    )


def test_texts_without_padding_have_open_clip_s_features(mini: params.Params) -> None:
    design = open_clip_folder.design(mini.clip.network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.derive(2, "test"))
        network = open_clip.CLIP(**design.model).eval()
    texts = design.tokenize(["a red circle", "a photo of a blue star on a gray background", "a"])
    with torch.no_grad():
        assert torch.allclose(
            train.text_features(network, texts), network.encode_text(texts), atol=1e-6
        )
        assert torch.allclose(train._texts(network, texts), network.encode_text(texts), atol=1e-6)


def test_the_history_has_every_step(once: Trained, mini: params.Params) -> None:
    assert [row["step"] for row in once.history] == list(range(1, mini.clip.train.steps + 1))
    assert all(torch.isfinite(value.float()).all() for value in weights(once).values())


def test_it_learns(mini: params.Params, tmp_path: Path) -> None:
    longer = mini.clip.train.model_copy(update={"steps": 60, "batch": 32, "save_every": 60})
    shapes = mini.shapes.model_copy(update={"train_images": 500})
    trained = fit(mini.clip.model_copy(update={"train": longer}), shapes, tmp_path)
    losses = [row["loss"] for row in trained.history]
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.15


def test_every_weight_is_trained_once(mini: params.Params) -> None:
    network = open_clip.CLIP(**open_clip_folder.design(mini.clip.network).model)
    named = {n: p for n, p in network.named_parameters() if n != "logit_scale"}
    tower = train._Tower(named, mini.clip.train)
    trained = [
        id(p)
        for optimizer, _ in tower.optimizers.members
        for g in optimizer.param_groups
        for p in g["params"]
    ]
    assert sorted(trained) == sorted(id(p) for p in named.values())


def test_two_threads_give_the_bits_of_one(
    once: Trained, mini: params.Params, tmp_path: Path
) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        again = fit(mini.clip, mini.shapes, tmp_path)
    finally:
        torch.set_num_threads(threads)
    assert same(weights(again), weights(once))
    assert again.history == once.history


def test_killed_and_resumed_it_ends_with_the_same_bits(
    once: Trained, mini: params.Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def finite(loss: float, step: int, hint: str) -> float:
        calls.append(step)
        if len(calls) == 6:
            raise RuntimeError("killed")
        return loop.finite(loss, step, hint)

    monkeypatch.setattr(train, "finite", finite)
    with pytest.raises(RuntimeError, match="killed"):
        fit(mini.clip, mini.shapes, tmp_path)
    again = fit(mini.clip, mini.shapes, tmp_path)
    assert calls[6] == mini.clip.train.save_every
    assert same(weights(again), weights(once))
    assert again.history == once.history


def test_another_seed_is_another_training(
    once: Trained, mini: params.Params, tmp_path: Path
) -> None:
    other = fit(mini.clip.model_copy(update={"seed": 62}), mini.shapes, tmp_path)
    assert not same(weights(other), weights(once))


def test_batches_are_pictures_with_their_own_captions(mini: params.Params) -> None:
    design = open_clip_folder.design(mini.clip.network)
    data = train._Pairs(mini.shapes, mini.clip, design, CPU)
    rows = data.rows(3)
    assert np.array_equal(rows, data.rows(3))
    size = mini.clip.train.batch_size
    assert data.images(rows).shape == (size, 3, 32, 32)
    assert data.texts(rows).shape == (size, open_clip_folder.CONTEXT)
    drawn = train.scenes.training(mini.shapes.train_images, 32, mini.shapes.seed)
    assert torch.equal(data.texts(rows), design.tokenize([drawn.captions[k] for k in rows]))
    raw = torch.from_numpy(drawn.images[rows]).permute(0, 3, 1, 2) / 255
    assert torch.allclose(data.images(rows), (raw - 0.5) / 0.35, atol=1e-5)
    assert len(vocabulary.vocabulary()) > 30
