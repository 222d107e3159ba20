"""Slerp keeps the length of a noise, lerp does not; both end where they should."""

import math

import pytest
import torch
from torch import Tensor

from hw2.diffusion.interpolation import lerp, slerp


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape or (3, 64, 64), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("between", [slerp, lerp])
def test_interpolation_ends_at_the_noises(between: object) -> None:
    assert callable(between)
    first, second = noise(1), noise(2)
    torch.testing.assert_close(between(first, second, 0.0), first)
    torch.testing.assert_close(between(first, second, 1.0), second)


@pytest.mark.parametrize("alpha", [0.1, 0.3, 0.5, 0.8])
def test_slerp_keeps_the_norm_and_lerp_shortens_it(alpha: float) -> None:
    first, second = noise(1), noise(2)
    ends = (first.norm() + second.norm()) / 2
    assert slerp(first, second, alpha).norm() / ends == pytest.approx(1, abs=0.02)
    short = math.sqrt((1 - alpha) ** 2 + alpha**2)
    assert lerp(first, second, alpha).norm() / ends == pytest.approx(short, abs=0.02)


def test_slerp_has_equal_angles_between_equal_steps() -> None:
    first, second = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    for k in range(5):
        angle = k / 4 * math.pi / 2
        expected = 2 * torch.tensor([math.cos(angle), math.sin(angle)])
        torch.testing.assert_close(slerp(first, second, k / 4), expected)


def test_parallel_noises_are_interpolated_on_their_line() -> None:
    first = noise(1, 5)
    torch.testing.assert_close(slerp(first, first, 0.3), first)
    torch.testing.assert_close(slerp(first, 2 * first, 0.5), 1.5 * first)
