"""Figures of personalization: images with a name for each row, and training curves."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from hw2.figures import faces_plots, image_grids, style
from hw2.figures.personalization_records import METHODS, Concept, Method

SNAPSHOTS = 5  # at most; the first and the last are among them
COLUMNS = 4
NOISES = 2  # images of each prompt and method
CHARACTERS = 11  # of a prompt above each image


def concept(item: Concept, dpi: int) -> Figure:
    """Draw photographs, validation snapshots from step 0 on, and images of the graded prompts."""
    count = min(COLUMNS, len(item.references), item.strips.shape[1])
    positions = np.linspace(0, len(item.snapshots) - 1, SNAPSHOTS).round().astype(int)
    rows = [("photographs", item.references)]
    for k in np.unique(positions):
        snapshot = item.snapshots[k]
        rows.append((f"step {snapshot.step}{' *' if snapshot.chosen else ''}", item.strips[k]))
    pairs = zip(item.learned_images, item.initializer_images, strict=True)
    for k, (learned, initial) in enumerate(pairs, start=1):
        rows += [(f"{k}: {item.token}", learned), (f"{k}: {item.initializer}", initial)]
    return faces_plots.tiles(
        np.stack([images[:count] for _, images in rows]),
        [name for name, _ in rows],
        [str(k + 1) for k in range(count)],
        "* selected checkpoint",
        dpi,
    )


@style.house()
def methods(shown: Sequence[Method], dpi: int) -> Figure:
    """Draw images of one pair: a row for each method, two columns under the text of each prompt."""
    images = [m.images[:, :NOISES] for m in shown if m.images is not None]
    columns = images[0].shape[1]
    rows = np.stack([batch.reshape(-1, *batch.shape[2:]) for batch in images])
    texts = [textwrap.fill(prompt, columns * CHARACTERS) for prompt in shown[0].prompts]
    names = [METHODS[method.name] for method in shown]
    lines = max(text.count("\n") + 1 for text in texts)
    margins = image_grids.Margins(
        left=0.12 + 0.085 * max(map(len, names)), top=0.16 + 0.15 * lines, right=0.08, bottom=0.08
    )
    fig, xs, ys = image_grids.lay(rows, cell=faces_plots.CELL, gap=0.035, margins=margins, dpi=dpi)
    width, height = fig.get_size_inches()
    for name, y in zip(names, ys, strict=True):
        fig.text(0.08 / width, y, name, va="center_baseline", size=10)
    for k, text in enumerate(texts):
        center = (xs[k * columns] + xs[(k + 1) * columns - 1]) / 2
        top = 1 - (margins.top - 0.08) / height
        fig.text(center, top, text, ha="center", va="bottom", size=9)
    return fig


@style.house()
def curves(concepts: Sequence[Concept]) -> Figure:
    """Draw loss, image score and text score over steps; a ring marks the selected snapshot."""
    fig = Figure(figsize=(9.0, 3.1), layout="constrained")
    axes = fig.subplots(1, 3)
    for position, item in enumerate(concepts):
        color, marker = style.SERIES_STYLES[position % len(style.SERIES_STYLES)]
        steps, losses = zip(*item.losses, strict=True)
        axes[0].plot(steps, losses, color=color, linewidth=0.9, label=item.token)
        for ax, name in zip(axes[1:], ("image", "text"), strict=True):
            ax.plot(
                [snapshot.step for snapshot in item.snapshots],
                [getattr(snapshot, name) for snapshot in item.snapshots],
                color=color,
                marker=marker,
            )
            for snapshot in item.snapshots:
                if snapshot.chosen:
                    ax.plot(
                        snapshot.step, getattr(snapshot, name), marker="o", markersize=10,
                        markerfacecolor="none", markeredgecolor=style.INK, markeredgewidth=1.2,
                    )  # fmt: skip
    titles = ("Training loss", "Validation image score", "Validation text score")
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title)
        ax.set_xlabel("step")
    fig.legend(loc="outside upper left", ncols=len(concepts), borderaxespad=0.2)
    return fig
