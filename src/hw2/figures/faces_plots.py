"""Figures of faces: tiles with a name for each row and column, and curves by alpha."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hw2.figures import image_grids, style
from hw2.figures.faces_records import INTERPOLATIONS, MEASURES, Records
from hw2.figures.image_grids import Pixels

TITLES = {
    "norm_ratio": "Norm of the noise",
    "variance": "Variance of the noise",
    "contrast": "Contrast of the face",
    "colorfulness": "Colorfulness of the face",
}
UNITS = {
    "norm_ratio": "relative to the endpoints",
    "variance": "variance",
    "contrast": "SD over pixels",
    "colorfulness": "SD over channels",
}
INTERPOLATION_STYLES = {"slerp": (style.BLUE, "o"), "lerp": (style.ORANGE, "s")}
CELL = 0.85  # width of a face in inches
DASHES = (0, (4, 2.5))


@style.house()
def tiles(
    faces: Pixels, rows: Sequence[str], columns: Sequence[str], heading: str, dpi: int
) -> Figure:
    """Draw faces uint8 (R, K, S, S, 3) with a name for each row and column."""
    longest = max(map(len, rows))
    margins = image_grids.Margins(left=0.12 + 0.085 * longest, top=0.52, right=0.08, bottom=0.08)
    fig, xs, ys = image_grids.lay(faces, cell=CELL, gap=0.035, margins=margins, dpi=dpi)
    width, height = fig.get_size_inches()
    for name, y in zip(rows, ys, strict=True):
        fig.text(0.08 / width, y, name, va="center_baseline", size=10)
    for name, x in zip(columns, xs, strict=True):
        fig.text(x, 1 - 0.45 / height, name, ha="center", size=10)
    fig.text(margins.left / width, 1 - 0.22 / height, heading, color=style.MUTED, size=9.5)
    return fig


@style.house()
def interpolation(data: Records) -> Figure:
    """Draw norm and variance of the noise, contrast and colorfulness of the face by alpha.

    Thick lines are means over the pairs, thin ones are single pairs.
    """
    fig = Figure(figsize=(7.6, 5.2), layout="constrained")
    axes = fig.subplots(2, 2, sharex=True).ravel()
    for ax, measure in zip(axes, MEASURES, strict=True):
        for method in INTERPOLATIONS:
            color, marker = INTERPOLATION_STYLES[method]
            lines = data.curves[method][measure]
            ax.plot(data.alphas, lines.T, color=color, alpha=0.3, linewidth=0.8)
            ax.plot(data.alphas, lines.mean(0), color=color, marker=marker, label=method)
        if measure in ("norm_ratio", "variance"):
            ax.axhline(1, color=style.MUTED, linewidth=1.0, linestyle=DASHES, zorder=1)
        ax.set_ylim(bottom=0)
        ax.set_title(TITLES[measure])
        ax.set_ylabel(UNITS[measure])
    for ax in axes[2:]:
        ax.set_xlabel("alpha")
    handles, names = axes[0].get_legend_handles_labels()
    single = Line2D([], [], color=style.MUTED, alpha=0.5, linewidth=0.8)
    fig.legend(
        [*handles, single], [*names, "single pairs"],
        loc="outside upper left", ncols=3, borderaxespad=0.2,
    )  # fmt: skip
    return fig
