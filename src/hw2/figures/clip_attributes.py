"""Confusion matrices of the attributes that make up the classes, such as shape and color.

All lengths are in inches, so the cells of all matrices have one size.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hw2.figures import style
from hw2.figures.clip_layout import FONT, axes_at, shortened, text_width
from hw2.figures.clip_records import Attribute, Records

MAX_VALUES = 24  # of all attributes together; more are too small to read on a page
_CELL = 0.31  # side of a cell; a share in percent fits
_PAD = 0.1  # between names and cells
_TITLE = 0.3  # above the matrices
_AXIS = 0.28  # the label of an axis, and the space between matrices


def drawable(data: Records) -> bool:
    """Whether the classes have attributes, of not too many values."""
    return 0 < sum(len(attribute.values) for attribute in data.attributes) <= MAX_VALUES


@style.house()
def matrices(data: Records) -> Figure:
    """Draw the confusion matrix of each attribute beside that of the other."""
    sides = [_CELL * len(attribute.values) for attribute in data.attributes]
    names = [max(map(text_width, _names(attribute))) + _PAD for attribute in data.attributes]
    width = sum(sides) + sum(names) + _AXIS * len(sides) + _PAD
    fig = Figure(figsize=(width, _TITLE + max(sides) + max(names) + _AXIS))
    left = 0.0
    for attribute, side, room in zip(data.attributes, sides, names, strict=True):
        left += _AXIS + room
        ax = axes_at(fig, left, _TITLE, side, side)
        _matrix(ax, attribute)
        if attribute is data.attributes[0]:
            ax.set_ylabel("true")
        left += side
    return fig


def _matrix(ax: Axes, attribute: Attribute) -> None:
    """Draw the shares of each row, in percent; empty cells are 0."""
    values = attribute.values
    counts = np.zeros((len(values), len(values)))
    for true, predicted in zip(attribute.true, attribute.predicted, strict=True):
        counts[values.index(true), values.index(predicted)] += 1
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors=style.GRID, linewidth=0.8)
    for row, column in np.argwhere(counts):
        share = float(shares[row, column])
        ax.text(column + 0.5, row + 0.5, _percent(share), ha="center", va="center", size=FONT,
                color="white" if share > 0.5 else style.INK)  # fmt: skip
    middles = np.arange(len(values)) + 0.5
    ax.set_xticks(middles, _names(attribute), rotation=90)
    ax.set_yticks(middles, _names(attribute))
    ax.tick_params(length=0)
    ax.invert_yaxis()
    ax.grid(False)
    ax.spines["bottom"].set_visible(False)
    ax.set_xlabel("predicted")
    ax.set_title(shortened(attribute.name))


def _names(attribute: Attribute) -> list[str]:
    return [shortened(value) for value in attribute.values]


def _percent(share: float) -> str:
    """A share above 0 in whole percent; only a whole row is 100."""
    if share < 0.005:
        return "<1"
    return ">99" if 0.995 <= share < 1 else f"{100 * share:.0f}"
