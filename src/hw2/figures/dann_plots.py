"""Figures of domain adaptation: features in the plane, and the trainings' curves."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hw2.digits.labels import NUM_DIGITS
from hw2.figures import style
from hw2.figures.dann_records import Cloud, Curve, Pair, method_name, method_order

# Paul Tol's "muted", which people with color-blindness tell apart, and black.
DIGIT_COLORS = (
    *("#332288", "#88CCEE", "#44AA99", "#117733", "#999933"),
    *("#DDCC77", "#CC6677", "#882255", "#AA4499", "#1f2328"),
)
CHANCE = math.log(2)  # the domain loss when the classifier cannot separate the domains
DASHES = (0, (4, 2.5))
MARKERS = ("o", "^")  # source, target


@style.house()
def by_class(pair: Pair) -> Figure:
    """Draw both clouds with a color per digit and a marker per domain."""
    fig, axes = _panels(pair)
    for ax, cloud in zip(axes, pair.clouds.values(), strict=True):
        for domain, marker in zip((pair.source, pair.target), MARKERS, strict=True):
            here = np.array([name == domain for name in cloud.domains])
            colors = [DIGIT_COLORS[digit] for digit in cloud.digits[here]]
            _points(ax, cloud, here, colors, marker)
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
    """Draw both clouds, at the same places as `by_class`, with a color per domain."""
    fig, axes = _panels(pair)
    colors = (style.BLUE, style.ORANGE)
    for ax, cloud in zip(axes, pair.clouds.values(), strict=True):
        looks = zip((pair.source, pair.target), colors, MARKERS, strict=True)
        for domain, color, marker in looks:
            here = np.array([name == domain for name in cloud.domains])
            _points(ax, cloud, here, [color] * int(here.sum()), marker)
    looks = zip(_domain_labels(pair), colors, MARKERS, strict=True)
    _legend(
        fig,
        [
            Line2D([], [], color=color, marker=marker, linestyle="", markersize=6, label=label)
            for label, color, marker in looks
        ],
    )
    return fig


def _panels(pair: Pair) -> tuple[Figure, list[Axes]]:
    fig = Figure(figsize=(style.WIDTH, 3.6), layout="constrained")
    axes = fig.subplots(1, len(pair.clouds), squeeze=False)[0]
    for ax, method in zip(axes, pair.clouds, strict=True):
        ax.set_title(method_name(method))
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines["bottom"].set_visible(False)
        ax.margins(0.02)
    return fig, list(axes)


def _points(ax: Axes, cloud: Cloud, here: np.ndarray, colors: Sequence[str], marker: str) -> None:
    x, y = cloud.places[here].T
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
        lower.axhline(CHANCE, color=style.MUTED, linewidth=1.0, linestyle=DASHES)
        upper.set_title(f"{style.domain_name(pair.source)} to {style.domain_name(pair.target)}")
        lower.set_xlabel("step")
    axes[0, 0].set_ylabel("label loss")
    axes[1, 0].set_ylabel("domain loss")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    chance = Line2D([], [], color=style.MUTED, linestyle=DASHES, linewidth=1.0)
    fig.legend(
        [*handles, chance], [*labels, "domains not separable"], loc="outside upper left", ncols=3,
        borderaxespad=0.2,
    )  # fmt: skip
    return fig


def _line(ax: Axes, curve: Curve, method: str) -> None:
    order = method_order(method)
    color, marker = style.LOOKS[order % len(style.LOOKS)]
    if len(curve.values) > 1:
        low, high = curve.values.min(0), curve.values.max(0)
        ax.fill_between(curve.step, low, high, color=color, alpha=0.14, linewidth=0)
    ax.plot(
        curve.step, curve.values.mean(0), color=color, marker=marker, linewidth=1.2,
        markevery=max(1, len(curve.step) // 6), label=method_name(method),
    )  # fmt: skip
