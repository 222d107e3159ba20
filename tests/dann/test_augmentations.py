"""Augmentations: each parameter does what it says, by image, from its stream alone."""

from typing import Any

import pytest
import torch
from torch import Tensor

from hw2.config import params
from hw2.dann import augmentations
from hw2.io.images import LUMA as BT601

NOTHING: dict[str, Any] = dict.fromkeys(params.Augmentations.model_fields, 0)
LUMA = torch.tensor(BT601).view(1, 3, 1, 1)


def only(**values: Any) -> params.Augmentations:
    return params.Augmentations.model_validate(NOTHING | values)


def stream(seed: int = 5) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def images() -> Tensor:
    return torch.rand(64, 3, 28, 28, generator=stream(1)) * 2 - 1


def test_amounts_of_zero_change_nothing(images: Tensor) -> None:
    # An affine map by nothing still passes through bilinear interpolation.
    assert torch.allclose(augmentations.strong(images, only(), stream()), images, atol=1e-4)
    assert torch.equal(augmentations.weak(images, only(degrees=20), stream()), images)


def test_the_random_stream_determines_the_result_and_the_input_is_unchanged(
    images: Tensor, mini: params.Dann
) -> None:
    before = images.clone()
    first = augmentations.strong(images, mini.augmentations, stream())
    assert torch.equal(first, augmentations.strong(images, mini.augmentations, stream()))
    assert not torch.equal(first, augmentations.strong(images, mini.augmentations, stream(6)))
    assert torch.equal(images, before)
    assert first.shape == images.shape
    assert first.isfinite().all()


def test_invert_makes_negatives_of_its_share(images: Tensor) -> None:
    seen = augmentations.strong(images, only(invert=0.5), stream())
    gap = lambda other: (seen - other).abs().amax((1, 2, 3)) < 1e-4  # noqa: E731
    assert (gap(images) ^ gap(-images)).all()
    assert 16 <= gap(-images).sum() <= 48
    assert torch.allclose(
        augmentations.strong(images, only(invert=1), stream()), -images, atol=1e-4
    )


def test_grayscale_takes_the_luminance(images: Tensor) -> None:
    seen = augmentations.strong(images, only(grayscale=1), stream())
    luma = (images * LUMA).sum(1, keepdim=True)
    assert torch.allclose(seen, luma.expand_as(seen), atol=1e-4)


@pytest.mark.parametrize(("name", "amount"), [("contrast", 0.5), ("brightness", 0.3)])
def test_contrast_and_brightness_are_of_the_whole_image(
    images: Tensor, name: str, amount: float
) -> None:
    seen = augmentations.strong(images, only(**{name: amount}), stream())
    change = seen / images if name == "contrast" else seen - images
    mean = change.flatten(1).median(1).values  # of pixels near 0 the ratio is unsure
    assert (change.flatten(1) - mean[:, None]).abs().median() < 1e-3
    center = 1 if name == "contrast" else 0
    assert (mean - center).abs().max() <= amount + 1e-3
    assert (mean - center).abs().max() > 0.8 * amount


def test_color_jitter_differs_by_channel(images: Tensor) -> None:
    seen = augmentations.strong(images, only(color_jitter=0.4), stream())
    shift = (seen - images).mean((2, 3))
    assert shift.std(1).min() > 0


def test_blur_smooths_its_share(images: Tensor) -> None:
    seen = augmentations.strong(images, only(blur=0.5), stream())
    rough = lambda x: x.diff(dim=3).abs().mean((1, 2, 3))  # noqa: E731
    changed = (seen - images).abs().amax((1, 2, 3)) > 1e-3
    assert 16 <= changed.sum() <= 48
    assert (rough(seen)[changed] < rough(images)[changed]).all()


def test_cutout_is_a_square_of_zeros(images: Tensor) -> None:
    seen = augmentations.strong(images + 3, only(cutout=8), stream())
    holes = (seen == 0).all(1)
    for hole in holes:
        rows, columns = hole.any(1), hole.any(0)
        assert hole.sum() == rows.sum() * columns.sum()
        assert 1 <= max(rows.sum(), columns.sum()) <= 8
    assert holes.flatten(1).sum(1).max() == 64


def test_weak_augmentation_is_a_share_of_the_affine_amounts(images: Tensor) -> None:
    whole, share = only(translate=4, weak=1), only(translate=4, weak=0.25)
    full = augmentations.weak(images, whole, stream())
    assert torch.equal(
        full, augmentations.weak(images, only(translate=4, weak=1, invert=1), stream())
    )
    quarter = augmentations.weak(images, share, stream())
    assert torch.equal(quarter, augmentations.weak(images, only(translate=1, weak=1), stream()))
