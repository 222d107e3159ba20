"""Guidance mixes the outputs of a network with and without labels; label dropout trains both."""

import pytest
import torch
from torch import Tensor

from hw2.diffusion.guidance import Guidance, drop_labels, guided
from hw2.io.images import LUMA

NULL, TIMESTEPS = 20, 1000


class Counting:
    """A network whose output depends on all its inputs, image by image."""

    def __init__(self) -> None:
        self.images: list[int] = []

    def __call__(self, xt: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        self.images.append(len(xt))
        slope = (labels + 0.01 * t).reshape(-1, 1, 1, 1)
        return torch.sin(xt * slope) + slope


def inputs(count: int) -> tuple[Tensor, Tensor, Tensor]:
    """xt, t and labels of `count` images."""
    xt = torch.randn(count, 3, 4, 4, generator=torch.Generator().manual_seed(count))
    return xt, torch.arange(count) * 7, torch.arange(count) % NULL


@pytest.mark.parametrize("count", [1, 2, 4])
def test_scale_1_is_the_condition_alone_in_one_call(count: int) -> None:
    xt, t, labels = inputs(count)
    network = Counting()
    output = guided(network, labels, Guidance(1), NULL, TIMESTEPS)(xt, t)
    assert network.images == [count]
    assert torch.equal(output, Counting()(xt, t, labels))


@pytest.mark.parametrize("count", [1, 2, 4])
def test_scale_0_ignores_the_condition(count: int) -> None:
    xt, t, labels = inputs(count)
    output = guided(Counting(), labels, Guidance(0), NULL, TIMESTEPS)(xt, t)
    assert torch.equal(output, Counting()(xt, t, torch.full_like(labels, NULL)))


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1.5, 4.0])
def test_the_output_has_the_shape_of_the_images_at_every_scale(count: int, scale: float) -> None:
    xt, t, labels = inputs(count)
    network = Counting()
    output = guided(network, labels, Guidance(scale), NULL, TIMESTEPS)(xt, t)
    assert isinstance(output, Tensor)
    assert output.shape == xt.shape
    assert sum(network.images) == (count if scale == 1 else 2 * count)


@pytest.mark.parametrize("scale", [1.5, 2.0, 5.0])
def test_the_output_is_unconditional_plus_scale_times_the_difference(scale: float) -> None:
    xt, t, labels = inputs(4)
    conditional = Counting()(xt, t, labels)
    unconditional = Counting()(xt, t, torch.full_like(labels, NULL))
    output = guided(Counting(), labels, Guidance(scale), NULL, TIMESTEPS)(xt, t)
    expected = unconditional + scale * (conditional - unconditional)
    # The outputs reach 5, and 5 * 5 in float32 rounds by 1.5e-6.
    torch.testing.assert_close(output, expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize(("time", "calls"), [(899, 8), (900, 8), (901, 4), (300, 8), (299, 4)])
def test_guidance_applies_within_its_interval_only(time: int, calls: int) -> None:
    xt, _, labels = inputs(4)
    t = torch.full((4,), time)
    network, guidance = Counting(), Guidance(3.0, (0.3, 0.9))
    output = guided(network, labels, guidance, NULL, TIMESTEPS)(xt, t)
    assert sum(network.images) == calls
    scale = 3.0 if calls == 8 else 1.0
    expected = guided(Counting(), labels, Guidance(scale), NULL, TIMESTEPS)(xt, t)
    assert torch.equal(output, expected)


@pytest.mark.parametrize("color", [0.0, 0.4])
def test_guidance_of_the_gray_value_moves_colors_by_its_share(color: float) -> None:
    xt, t, labels = inputs(4)
    conditional = Counting()(xt, t, labels)
    usual, limited = (
        guided(Counting(), labels, Guidance(3.0, color=share), NULL, TIMESTEPS)(xt, t)
        for share in (1.0, color)
    )
    weights = torch.tensor(LUMA).reshape(3, 1, 1)

    def gray(images: Tensor) -> Tensor:
        return (weights * images).sum(1, keepdim=True)

    torch.testing.assert_close(gray(limited), gray(usual), rtol=1e-5, atol=1e-5)
    moved, expected = limited - conditional, usual - conditional
    colors = color * (expected - gray(expected))
    torch.testing.assert_close(moved - gray(moved), colors, rtol=1e-5, atol=2e-5)


def test_scale_0_ignores_the_condition_in_colors_too() -> None:
    xt, t, labels = inputs(2)
    usual, limited = (
        guided(Counting(), labels, Guidance(0.0, color=share), NULL, TIMESTEPS)(xt, t)
        for share in (1.0, 0.0)
    )
    assert torch.equal(usual, limited)


def test_guidance_does_not_depend_on_the_batch() -> None:
    xt, t, labels = inputs(4)
    whole = guided(Counting(), labels, Guidance(2.0), NULL, TIMESTEPS)(xt, t)
    rows = [slice(k, k + 1) for k in range(4)]
    alone = [
        guided(Counting(), labels[row], Guidance(2.0), NULL, TIMESTEPS)(xt[row], t[row])
        for row in rows
    ]
    torch.testing.assert_close(whole, torch.cat(alone))


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_labels_are_dropped_at_rate_p_uncond(p: float) -> None:
    labels = torch.arange(20_000) % NULL
    labels_after = drop_labels(labels, p, NULL, torch.Generator().manual_seed(1))
    dropped = labels_after == NULL
    # Five standard errors of a share of 20,000.
    assert dropped.float().mean() == pytest.approx(p, abs=5 * (p * (1 - p) / 20_000) ** 0.5)
    assert torch.equal(labels_after[~dropped], labels[~dropped])


@pytest.mark.parametrize(("p", "share"), [(0.0, 0.0), (1.0, 1.0)])
def test_dropping_none_and_all_is_exact(p: float, share: float) -> None:
    labels = drop_labels(torch.arange(500) % NULL, p, NULL, torch.Generator().manual_seed(1))
    assert (labels == NULL).float().mean() == share


def test_dropping_labels_depends_on_the_stream_alone() -> None:
    labels = torch.arange(500) % NULL

    def drop(seed: int) -> Tensor:
        return drop_labels(labels, 0.3, NULL, torch.Generator().manual_seed(seed))

    assert torch.equal(drop(1), drop(1))
    assert not torch.equal(drop(1), drop(2))
    assert drop(1).dtype == torch.int64
    assert labels.max() < NULL  # the labels given are not changed
