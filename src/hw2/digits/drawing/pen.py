"""Anti-aliased lines of any thickness, drawn as discs at points: many images at a time."""

import numpy as np


def draw(points: np.ndarray, radii: np.ndarray, side: int, softness: float = 1.0) -> np.ndarray:
    """Ink of lines on `side` x `side` pixels: float32 (N, side, side) in [0, 1].

    Of all discs, a pixel takes the one with the least (d^2 - r^2) / 2r, where d is its distance to
    the disc's center and r the radius: to first order the distance to the edge. This is a function
    of x plus a function of y, so that a disc costs an addition and a minimum per pixel. The square
    root follows once per pixel, with the mean radius of the line.

    Args:
        points: Centers of the discs, float (N, P, 2) as (x, y) in pixels from the top left corner.
        radii: Radii in pixels, float (N, P), above 0.
        softness: Width of the ramp from ink to paper, in pixels.
    """
    pixels = np.arange(side, dtype=np.float32) + np.float32(0.5)
    scale = (0.5 / radii).astype(np.float32).T[..., None]
    centers = points.astype(np.float32).transpose(1, 0, 2)
    across = (pixels - centers[..., 0, None]) ** 2 * scale
    down = (pixels - centers[..., 1, None]) ** 2 * scale - 0.25 / scale
    nearest = np.full((len(points), side, side), np.inf, np.float32)
    disc = np.empty_like(nearest)
    for x, y in zip(across, down, strict=True):
        np.add(y[:, :, None], x[:, None, :], out=disc)
        np.minimum(nearest, disc, out=nearest)
    radius = radii.mean(1).astype(np.float32)[:, None, None]
    outside = np.sqrt(np.maximum(radius * (radius + 2 * nearest), 0)) - radius
    return np.clip(0.5 - outside / np.float32(softness), 0, 1)
