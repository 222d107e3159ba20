"""Lengths in inches, of axes and of names, where a layout should not shrink with long names."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

FONT = 9  # points: the size of names
LONGEST_NAME = 24  # characters that are shown


def axes_at(fig: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes at these distances from the left and the upper edge of the figure, in inches."""
    full_width, full_height = fig.get_size_inches()
    bottom = full_height - top - height
    return fig.add_axes(
        (left / full_width, bottom / full_height, width / full_width, height / full_height)
    )


def text_width(text: str) -> float:
    """The width of a name in inches, in the font of the current style."""
    return float(TextPath((0, 0), text, size=FONT).get_extents().width) / 72


def shortened(name: str) -> str:
    """The name, or its beginning and an ellipsis, of at most `LONGEST_NAME` characters."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…"
