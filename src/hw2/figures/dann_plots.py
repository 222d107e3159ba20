"""Figures of domain adaptation: t-SNE of features, and training curves."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hw2.digits.labels import NUM_DIGITS
from hw2.figures import style
from hw2.figures.dann_records import Curve, Embedding, Pair, method_name, method_order

# Paul Tol's "muted", which is safe for color blindness, and black.
DIGIT_COLORS = (
    *("#332288", "#88CCEE", "#44AA99", "#117733", "#999933"),
    *("#DDCC77", "#CC6677", "#882255", "#AA4499", "#1f2328"),
)
CHANCE_LOSS = math.log(2)  # domain loss of a classifier that cannot separate the domains
DASHES = (0, (4, 2.5))
MARKERS = ("o", "^")  # source, target


@style.house()
def by_class(pair: Pair) -> Figure:
    """Draw the features of both methods with a color per digit and a marker per domain."""
    fig, axes = _panels(pair)
    for ax, embedding in zip(axes, pair.embeddings.values(), strict=True):
        for domain, marker in zip((pair.source, pair.target), MARKERS, strict=True):
            selected = np.array([name == domain for name in embedding.domains])
            colors = [DIGIT_COLORS[digit] for digit in embedding.digits[selected]]
            _points(ax, embedding, selected, colors, marker)
    digits = [
        Line2D([], [], color=color, marker="s", linestyle="", markersize=6, label=str(digit))
        for digit, color in enumerate(DIGIT_COLORS[:NUM_DIGITS])
    ]
    domains = [
        Line2D([], [], color=style.MUTED, marker=marker, linestyle="", label=label)
        for marker, label in zip(MARKERS, _domain_labels(pair), strict=True)
    ]
    _legend(fig, [*digits, *domains])
    return fig


@style.house()
def by_domain(pair: Pair) -> Figure:
    """Draw the same points as `by_class` with a color per domain."""
    fig, axes = _panels(pair)
    colors = (style.BLUE, style.ORANGE)
    for ax, embedding in zip(axes, pair.embeddings.values(), strict=True):
        styles = zip((pair.source, pair.target), colors, MARKERS, strict=True)
        for domain, color, marker in styles:
            selected = np.array([name == domain for name in embedding.domains])
            _points(ax, embedding, selected, [color] * int(selected.sum()), marker)
    styles = zip(_domain_labels(pair), colors, MARKERS, strict=True)
    _legend(
        fig,
        [
            Line2D([], [], color=color, marker=marker, linestyle="", markersize=6, label=label)
            for label, color, marker in styles
        ],
    )
    return fig


def _panels(pair: Pair) -> tuple[Figure, list[Axes]]:
    fig = Figure(figsize=(style.WIDTH, 3.6), layout="constrained")
    axes = fig.subplots(1, len(pair.embeddings), squeeze=False)[0]
    for ax, method in zip(axes, pair.embeddings, strict=True):
        ax.set_title(method_name(method))
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines["bottom"].set_visible(False)
        ax.margins(0.02)
    return fig, list(axes)


def _points(
    ax: Axes, embedding: Embedding, selected: np.ndarray, colors: Sequence[str], marker: str
) -> None:
    x, y = embedding.points[selected].T
    ax.scatter(x, y, s=9, c=colors, marker=marker, alpha=0.75, linewidths=0)


def _domain_labels(pair: Pair) -> tuple[str, str]:
    return (
        f"{style.domain_name(pair.source)} (source)",
        f"{style.domain_name(pair.target)} (target)",
    )


def _legend(fig: Figure, handles: list[Line2D]) -> None:
    fig.legend(
        handles=handles, loc="outside upper left", ncols=6, borderaxespad=0.2,
        handletextpad=0.2, columnspacing=0.9,
    )  # fmt: skip


@style.house()
def curves(pairs: Sequence[Pair]) -> Figure:
    """Draw the label loss of every method, and the domain loss of the adversarial ones."""
    fig = Figure(figsize=(style.WIDTH, 4.6), layout="constrained")
    axes = fig.subplots(2, len(pairs), sharex="col", sharey="row", squeeze=False)
    for column, pair in enumerate(pairs):
        upper, lower = axes[:, column]
        for method, curve in pair.curves["label"].items():
            _line(upper, curve, method)
        for method, curve in pair.curves["domain"].items():
            _line(lower, curve, method)
        lower.axhline(CHANCE_LOSS, color=style.MUTED, linewidth=1.0, linestyle=DASHES)
        upper.set_title(f"{style.domain_name(pair.source)} to {style.domain_name(pair.target)}")
        lower.set_xlabel("step")
    axes[0, 0].set_ylabel("label loss")
    axes[1, 0].set_ylabel("domain loss")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    chance = Line2D([], [], color=style.MUTED, linestyle=DASHES, linewidth=1.0)
    fig.legend(
        [*handles, chance], [*labels, "domains not separated"], loc="outside upper left", ncols=3,
        borderaxespad=0.2,
    )  # fmt: skip
    return fig


def _line(ax: Axes, curve: Curve, method: str) -> None:
    order = method_order(method)
    color, marker = style.SERIES_STYLES[order % len(style.SERIES_STYLES)]
    if len(curve.values) > 1:
        low, high = curve.values.min(0), curve.values.max(0)
        ax.fill_between(curve.step, low, high, color=color, alpha=0.14, linewidth=0)
    ax.plot(
        curve.step, curve.values.mean(0), color=color, marker=marker, linewidth=1.2,
        markevery=max(1, len(curve.step) // 6), label=method_name(method),
    )  # fmt: skip
