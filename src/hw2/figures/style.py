"""The common style of all figures, and the function that saves them.

Colors are those of Okabe and Ito, which are safe for color blindness; each line also has
its own marker. No text is below 9 points. A figure has no date and no software tag in its file,
so equal records give equal bytes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, NullLocator

from hw2.config import choices
from hw2.digits.domains import DOMAINS

INK = "#1f2328"
MUTED = "#6e7781"
GRID = "#e4e7eb"
BLUE, ORANGE, GREEN, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#AA4499", "#56B4E9"
YELLOW, BROWN = "#B8A200", "#7A4B23"

DOMAIN_NAMES = {"all": "all domains"} | {key: domain.name for key, domain in DOMAINS.items()}
DOMAIN_STYLES = {"all": (INK, "o")} | {
    key: (domain.color, domain.marker) for key, domain in DOMAINS.items()
}
SERIES_STYLES = (
    *((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (PURPLE, "D")),
    *((SKY, "v"), (INK, "P"), (YELLOW, "X"), (BROWN, "<"), (MUTED, ">")),
)

WIDTH = 6.4  # inches: a text column

HOUSE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib, so text is the same on every machine
    "text.parse_math": False,  # names of classes and prompts may hold a $
    "font.size": 9.5,
    "axes.labelsize": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "lines.markeredgewidth": 0,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@contextmanager
def house() -> Iterator[None]:
    """Apply the common style and ignore the user's matplotlibrc; also usable as a decorator."""
    with matplotlib.style.context(["default", HOUSE]):
        yield


@house()
def save(fig: Figure, path: Path, dpi: int) -> None:
    """Write `fig` as a PNG at `dpi` dots per inch; equal figures give equal bytes."""
    FigureCanvasAgg(fig)
    fig.savefig(path, dpi=dpi, format="png", metadata={"Software": None})


def domain_name(domain: str) -> str:
    """Return the display name of a domain."""
    return DOMAIN_NAMES.get(domain, domain)


def sampler_name(sampler: str) -> str:
    """Return the display name of a sampler."""
    return choices.SAMPLERS.get(sampler, sampler)


def series_style(styles: dict[str, tuple[str, str]], name: str, position: int) -> tuple[str, str]:
    """Return (color, marker) of `name`, or the `position`-th of the palette without an entry."""
    return styles.get(name, SERIES_STYLES[position % len(SERIES_STYLES)])


def percent_axis(ax: Axes) -> None:
    """Label the y axis of shares in [0, 1] in percent."""
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")


def plain_log(axis: Axis, ticks: Sequence[float] | None = None) -> None:
    """Label a log axis with plain numbers, at `ticks` or at a few of each decade."""
    axis.set_major_locator(FixedLocator(ticks) if ticks else LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_locator(NullLocator())
