"""Figures made of images in rows and columns.

Images are drawn pixel by pixel, each enlarged a whole number of times; of images larger than their
cell, whole blocks of pixels are averaged. There is no other resampling.
Lengths are in inches, and `px` ones in pixels of the finished file.
"""

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


class Margins(NamedTuple):
    """White space around the images, in inches."""

    left: float
    top: float
    right: float
    bottom: float


class TiledFigure(NamedTuple):
    """A figure that holds tiles, and where their centers are in figure coordinates."""

    fig: Figure
    xs: list[float]  # one per column
    ys: list[float]  # one per row


def compose(tiles: Pixels, enlarge: int, gap: int) -> Pixels:
    """Lay uint8 tiles (R, K, H, W, 3) on one white canvas, uint8 (height, width, 3).

    Every tile is enlarged `enlarge` times; tile (r, k) has its upper left corner in row
    r * (H * enlarge + gap), column k * (W * enlarge + gap), and no gap follows the last.
    """
    enlarged = tiles.repeat(enlarge, axis=2).repeat(enlarge, axis=3)
    rows, columns, height, width, _ = enlarged.shape
    canvas = np.full((rows, height + gap, columns, width + gap, 3), 255, np.uint8)
    canvas[:, :height, :, :width] = enlarged.transpose(0, 2, 1, 3, 4)
    flat = canvas.reshape(rows * (height + gap), columns * (width + gap), 3)
    return flat[: len(flat) - gap, : flat.shape[1] - gap]


def _shrunk(tiles: Pixels, times: int) -> Pixels:
    """Return tiles whose sides are `times` shorter, where that divides them."""
    rows, columns, height, width, colors = tiles.shape
    if times < 2 or height % times or width % times:
        return tiles
    blocks = tiles.reshape(rows, columns, height // times, times, width // times, times, colors)
    return blocks.mean((3, 5)).round().astype(np.uint8)


def lay(tiles: Pixels, cell: float, gap: float, margins: Margins, dpi: int) -> TiledFigure:
    """Return a figure of `tiles`, each about `cell` wide, for saving at exactly `dpi`."""
    tiles = _shrunk(tiles, round(tiles.shape[3] / (cell * dpi)))
    rows, columns, height, width, _ = tiles.shape
    enlarge = max(1, round(cell * dpi / width))
    gap_px = max(1, round(gap * dpi))
    canvas = compose(tiles, enlarge, gap_px)
    left, top, right, bottom = (round(margin * dpi) for margin in margins)
    full_w, full_h = left + canvas.shape[1] + right, top + canvas.shape[0] + bottom
    # The thousandth of a pixel keeps matplotlib's truncation from losing a whole one.
    fig = Figure(figsize=((full_w + 1e-3) / dpi, (full_h + 1e-3) / dpi), dpi=dpi)
    fig.figimage(canvas, xo=left, yo=bottom, origin="upper")
    step_x, step_y = width * enlarge + gap_px, height * enlarge + gap_px
    xs = [(left + k * step_x + width * enlarge / 2) / full_w for k in range(columns)]
    ys = [1 - (top + r * step_y + height * enlarge / 2) / full_h for r in range(rows)]
    return TiledFigure(fig, xs, ys)
