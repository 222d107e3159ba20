"""Ways between two noises: the straight line, and the arc that keeps the length of a noise."""

import torch
from torch import Tensor


def lerp(start: Tensor, end: Tensor, alpha: float) -> Tensor:
    """(1 - alpha) start + alpha end.

    Between independent standard normal noises its variance is (1 - alpha)^2 + alpha^2: half of what
    a diffusion model was trained on in the middle.
    """
    return (1 - alpha) * start + alpha * end


def slerp(start: Tensor, end: Tensor, alpha: float) -> Tensor:
    """Spherical interpolation (Shoemake, 1985): sin((1 - alpha) w) start + sin(alpha w) end, over
    sin(w), with w the angle between the two.

    All of a tensor counts as one vector. Nearly parallel ones, where sin(w) vanishes, are
    interpolated on the line, which is the limit.
    """
    a, b = start.double().flatten(), end.double().flatten()
    cosine = (a @ b / (a.norm() * b.norm())).clamp(-1, 1)
    angle = torch.arccos(cosine)
    if angle.sin() < 1e-6:
        return lerp(start, end, alpha)
    of_start = ((1 - alpha) * angle).sin() / angle.sin()
    of_end = (alpha * angle).sin() / angle.sin()
    return of_start.to(start) * start + of_end.to(end) * end
