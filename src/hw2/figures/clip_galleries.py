"""Images with their most likely classes.

All lengths are in inches, so an image has one size, whatever the names and the number of images.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hw2.figures import style
from hw2.figures.clip_layout import FONT, axes_at, shortened, text_width
from hw2.figures.clip_records import TOP, Example, Prediction

IMAGE = 1.32  # side of an image; in a half of the report's page this is 2.7 cm
_GAP = 0.16  # between rows
_TITLE = 0.2  # between the upper edges of an image and of the bars beside it
_HEAD, _FOOT = 0.34, 0.5  # above the first row, and below the last one
_MARGIN = 0.06
_LEFT = _MARGIN + IMAGE + 0.22  # of the names beside an image
_OTHER = "#c3c9d0"


@style.house()
def gallery(examples: Sequence[Example], note: str) -> Figure:
    """Draw `note`, and below it images with their most likely classes: a row each."""
    names = [shortened(name) for example in examples for name, _ in example.prediction.top]
    start = _LEFT + max(map(text_width, names), default=0) + 0.1  # of the bars
    head = _HEAD if examples else 2 * _HEAD
    height = head + (len(examples) * (IMAGE + _GAP) - _GAP + _FOOT if examples else 0)
    fig = Figure(figsize=(style.WIDTH, height))
    fig.text(_MARGIN / style.WIDTH, 1 - head / 2 / height, note, va="center")
    for row, example in enumerate(examples):
        top = head + row * (IMAGE + _GAP)
        _image(axes_at(fig, _MARGIN, top, IMAGE, IMAGE), example)
        title = _title(example.prediction)
        fig.text(_LEFT / style.WIDTH, 1 - top / height, title, va="top", weight="bold")
        width = style.WIDTH - start - _MARGIN
        bars = axes_at(fig, start, top + _TITLE, width, IMAGE - _TITLE)
        _bars(bars, example.prediction)
        if row == len(examples) - 1:
            bars.set_xlabel("confidence, %")
        else:
            bars.tick_params(labelbottom=False)
    return fig


def _image(ax: Axes, example: Example) -> None:
    ax.imshow(example.pixels, interpolation="nearest")
    ax.set_axis_off()


def _bars(ax: Axes, prediction: Prediction) -> None:
    names = [name for name, _ in prediction.top]
    shares = [share for _, share in prediction.top]
    wrong = {names[0]: style.ORANGE} if not prediction.correct else {}
    colors = {**wrong, prediction.true: style.BLUE}
    positions = np.arange(len(names))
    ax.barh(positions, shares, color=[colors.get(name, _OTHER) for name in names], height=0.74)
    for position, share in enumerate(shares):
        ax.text(share + 0.01, position, f"{100 * share:.1f}", va="center", size=FONT)
    ax.set_yticks(positions, [shortened(name) for name in names])
    ax.set_ylim(TOP - 0.4, -0.6)  # bars of one height, also if there are fewer classes
    ax.set_xlim(0, 1.15)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    ax.grid(False)


def _title(prediction: Prediction) -> str:
    mark = "" if prediction.correct else f", predicted {shortened(prediction.top[0][0])}"
    return f"{shortened(prediction.true)}{mark}"
