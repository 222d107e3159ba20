"""Interpolation between two noises: on the straight line, and on the arc that keeps their norm."""

import torch
from torch import Tensor


def lerp(start: Tensor, end: Tensor, alpha: float) -> Tensor:
    """Linear interpolation: (1 - alpha) start + alpha end, for tensors of the same shape.

    Between independent standard normal noises the variance is (1 - alpha)^2 + alpha^2: in the
    middle, half of what a diffusion model was trained on.
    """
    return (1 - alpha) * start + alpha * end


def slerp(start: Tensor, end: Tensor, alpha: float) -> Tensor:
    """Spherical interpolation (Shoemake, 1985).

    The result is (sin((1 - alpha) w) start + sin(alpha w) end) / sin(w), with w the angle between
    the two. A whole tensor counts as one vector. Nearly parallel vectors, where sin(w) vanishes,
    are interpolated on the line, which is the limit.
    """
    a, b = start.double().flatten(), end.double().flatten()
    cosine = (a @ b / (a.norm() * b.norm())).clamp(-1, 1)
    angle = torch.arccos(cosine)
    if angle.sin() < 1e-6:
        return lerp(start, end, alpha)
    of_start = ((1 - alpha) * angle).sin() / angle.sin()
    of_end = (alpha * angle).sin() / angle.sin()
    return of_start.to(start) * start + of_end.to(end) * end
