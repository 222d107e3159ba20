"""Augmented renderings: in range, repeatable, and changed by no more than is stated."""

import torch

from hw2.personalization import judge_augmentation
from hw2.personalization.judge_augmentation import augmented


def stream(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def squares(count: int, side: int = 64) -> torch.Tensor:
    """White squares in the middle of black images."""
    images = torch.full((count, 3, side, side), -1.0)
    images[:, :, 24:40, 24:40] = 1
    return images


def test_images_keep_shape_and_range_and_depend_on_the_stream_only() -> None:
    images = squares(8)
    first, again, other = (augmented(images, stream(seed)) for seed in (1, 1, 2))
    assert first.shape == images.shape
    assert first.min() >= -1
    assert first.max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(images, squares(8))


def test_an_object_moves_and_keeps_its_size_within_the_stated_amounts() -> None:
    moved = augmented(squares(200), stream()).mean(1) > 0
    rows, columns = (torch.arange(64.0)[:, None], torch.arange(64.0)[None])
    area = moved.sum((1, 2))
    for positions in (rows, columns):
        center = (moved * positions).sum((1, 2)) / area
        offset = (center - 31.5).abs()
        # The shift is in half sides and is applied before the scale; a bend adds a few pixels.
        assert 2 < offset.max() < 32 * judge_augmentation._SHIFT * 1.2 + 3
    assert 0.6 < area.min() / 256 < 0.95
    assert 1.05 < area.max() / 256 < 1.6


def test_fine_lines_are_blurred_in_some_images_and_kept_in_others() -> None:
    lines = torch.ones(64, 3, 64, 64)
    lines[..., ::2] = -1
    contrast = augmented(lines, stream()).std((1, 2, 3))
    assert contrast.min() < 0.3
    assert contrast.max() > 0.6
