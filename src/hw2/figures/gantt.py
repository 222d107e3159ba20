"""A bar for each stage from its start to its end."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from hw2.figures import style

_MINUTE = 60
_BAR_HEIGHT = 0.19  # inches of figure for each stage


@dataclass(frozen=True)
class Bar:
    """A stage with its start and its duration in seconds."""

    stage: str
    start: float
    seconds: float


@style.house()
def plot(bars: Sequence[Bar]) -> Figure:
    """Draw the stages from top to bottom, with a color for each capability."""
    fig = Figure(figsize=(style.WIDTH, 0.7 + _BAR_HEIGHT * len(bars)), layout="constrained")
    ax = fig.subplots()
    capabilities = list(dict.fromkeys(_capability(bar.stage) for bar in bars))
    for row, bar in enumerate(bars):
        color, _ = style.series_style({}, "", capabilities.index(_capability(bar.stage)))
        ax.barh(row, bar.seconds / _MINUTE, left=bar.start / _MINUTE, height=0.75, color=color)
    ax.set_yticks(range(len(bars)), [bar.stage for bar in bars])
    ax.set_ylim(len(bars) - 0.4, -0.6)
    ax.set_xlabel("minutes")
    ax.grid(visible=False, axis="y")
    return fig


def _capability(stage: str) -> str:
    return stage.partition("_")[0]
