"""Random affine augmentations: of each image by itself, decided by the seed, none at zero."""

import torch

from hw2.digits.augment import affine


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_amounts_of_zero_return_the_image() -> None:
    images = torch.rand(3, 3, 28, 28, generator=rng(0))
    same = affine(images, rng(1), degrees=0, scale=0, shear=0, translate=0)
    torch.testing.assert_close(same, images, atol=1e-5, rtol=0)  # resampling at the pixel centers


def test_the_translation_is_in_pixels() -> None:
    images = torch.zeros(64, 1, 28, 28)
    images[:, :, 14, 14] = 1
    moved = affine(images, rng(1), degrees=0, scale=0, shear=0, translate=2)
    rows = torch.arange(28.0)
    center = (moved.sum(-1)[:, 0] * rows).sum(-1) / moved.sum((1, 2, 3))
    assert 1 < (center - 14).abs().max() <= 2 + 1e-3


def test_row_58_every_image_has_an_augmentation_of_its_own_from_the_seed() -> None:
    images = torch.rand(1, 3, 28, 28, generator=rng(0)).expand(2, -1, -1, -1)
    first, second = affine(images, rng(1))
    assert not torch.equal(first, second)
    assert torch.equal(affine(images, rng(1))[0], first)
    assert not torch.equal(affine(images, rng(2))[0], first)
