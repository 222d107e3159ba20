"""Figures of personalization: data_files of images with named rows, and curves of the training."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from hw2.figures import faces_plots, style
from hw2.figures.personalization_records import METHODS, Concept, Records

ROWS = 5  # looks that are shown, the first and the last among them
COLUMNS = 4


def concept(concept_data: Concept, dpi: int) -> Figure:
    """Draw photographs, validation images from step 0 on, and edits by the graded prompts."""
    count = min(COLUMNS, len(concept_data.references), concept_data.strips.shape[1])
    places = np.unique(np.linspace(0, len(concept_data.looks) - 1, ROWS).round().astype(int))
    rows = [("photographs", concept_data.references)]
    for k in places:
        look = concept_data.looks[k]
        rows.append((f"step {look.step}{' *' if look.chosen else ''}", concept_data.strips[k]))
    for k, (learnt, worded) in enumerate(
        zip(concept_data.learnt, concept_data.worded, strict=True), start=1
    ):
        rows += [(f"{k}: {concept_data.token}", learnt), (f"{k}: {concept_data.word}", worded)]
    return faces_plots.tiles(
        np.stack([images[:count] for _, images in rows]),
        [name for name, _ in rows],
        [str(k + 1) for k in range(count)],
        "* chosen by the validation scores",
        dpi,
    )


def methods(data: Records, dpi: int) -> Figure:
    """Draw the first seed's images: a row for each method, a column for each prompt and noise."""
    shown = [method for method in data.methods if method.images is not None]
    images = [m.images[:, :2] for m in shown if m.images is not None]
    prompts, each = images[0].shape[:2]
    return faces_plots.tiles(
        np.stack([item.reshape(-1, *item.shape[2:]) for item in images]),
        [METHODS[m.name].split(",")[0] if m.name != "custom_diffusion_merged" else "Custom, merged"
         for m in shown],
        [f"{p + 1}" for p in range(prompts) for _ in range(each)],
        "column: prompt",
        dpi,
    )  # fmt: skip


@style.house()
def curves(concepts: Sequence[Concept]) -> Figure:
    """Draw loss, image score and text score over steps; the chosen look has a ring."""
    fig = Figure(figsize=(9.0, 3.1), layout="constrained")
    axes = fig.subplots(1, 3)
    for position, item in enumerate(concepts):
        color, marker = style.LOOKS[position % len(style.LOOKS)]
        steps, losses = zip(*item.losses, strict=True)
        axes[0].plot(steps, losses, color=color, linewidth=0.9, label=item.token)
        for ax, name in zip(axes[1:], ("image", "text"), strict=True):
            ax.plot(
                [look.step for look in item.looks],
                [getattr(look, name) for look in item.looks],
                color=color,
                marker=marker,
            )
            for look in item.looks:
                if look.chosen:
                    ax.plot(
                        look.step, getattr(look, name), marker="o", markersize=10,
                        markerfacecolor="none", markeredgecolor=style.INK, markeredgewidth=1.2,
                    )  # fmt: skip
    titles = ("Training loss", "Image score", "Text score")
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title)
        ax.set_xlabel("step")
    fig.legend(loc="outside upper left", ncols=len(concepts), borderaxespad=0.2)
    return fig
