"""Figures of the accuracy and the confusions of zero-shot classification, without images."""

from collections import Counter

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from hw2.figures import formatting, style
from hw2.figures.clip_records import ClassAccuracy, Records, Row

MAX_CLASSES = 60  # largest number of classes in a figure
_SMALLEST_P = 0.001  # smaller p-values are not distinguished


@style.house()
def confusion(data: Records) -> Figure:
    """Draw the confusion matrix; of many classes, those with the most errors."""
    names = [item.name for item in _worst(data)]
    position = {name: k for k, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)))
    for prediction in data.predictions:
        if prediction.true in position and prediction.top[0][0] in position:
            counts[position[prediction.true], position[prediction.top[0][0]]] += 1
    totals = Counter(prediction.true for prediction in data.predictions)
    shares = counts / np.array([totals[name] for name in names])[:, None]
    side = max(4.2, 0.145 * len(names) + 1.5)
    fig = Figure(figsize=(side + 0.5, side), layout="constrained")
    ax = fig.subplots()
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    ax.set_xticks(range(len(names)), names, rotation=90)
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(length=0)
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    ax.grid(False)
    bar = fig.colorbar(image, ax=ax, shrink=0.5, aspect=24, format=PercentFormatter(1, 0, ""))
    bar.set_label("share of the true class, %")
    bar.outline.set_visible(False)
    return fig


def _worst(data: Records) -> list[ClassAccuracy]:
    """At most `MAX_CLASSES` classes in the order of the files, those with the most errors."""
    wrong = {item.name: item.accuracy.n * (1 - item.accuracy.value) for item in data.classes}
    worst = set(sorted(wrong, key=lambda name: -wrong[name])[:MAX_CLASSES])
    return [item for item in data.classes if item.name in worst]


@style.house()
def per_class(data: Records) -> Figure:
    """Draw every class's accuracy with its interval, worst first, and its most frequent error."""
    rows = sorted(_worst(data), key=lambda item: item.accuracy.value)
    fig = Figure(figsize=(style.WIDTH, 0.155 * len(rows) + 0.9), layout="constrained")
    ax = fig.subplots()
    for position, item in enumerate(rows):
        share = item.accuracy
        ax.plot([share.low, share.high], [position, position], color=style.SKY, linewidth=1.6)
        ax.plot(share.value, position, marker="o", color=style.BLUE)
        if item.confused_with:
            ax.text(
                1.02, position, f"{item.confused_with} ({item.confusions})", va="center", size=9,
                color=style.MUTED,
            )  # fmt: skip
    ax.set_yticks(range(len(rows)), [item.name for item in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlim(0, 1.01)
    ax.xaxis.set_major_formatter(PercentFormatter(1, 0, ""))
    ax.set_xlabel(f"accuracy in % with {formatting.LEVEL} intervals")
    ax.text(1.02, -1.2, "most frequent error", va="center", size=9, weight="bold")
    return fig


@style.house()
def templates(data: Records) -> Figure:
    """Draw the accuracy of every prompt set with its interval: a panel for each model."""
    models = data.models
    height = sum(0.27 * len(data.of(model)) + 0.5 for model in models) + 0.6
    fig = Figure(figsize=(style.WIDTH, height), layout="constrained")
    ratios = [len(data.of(model)) + 1 for model in models]
    axes = fig.subplots(len(models), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    for ax, model in zip(axes, models, strict=True):
        rows = data.of(model)
        for position, row in enumerate(rows):
            share = row.acc1
            ax.plot([share.low, share.high], [position, position], color=style.SKY, linewidth=2.2)
            ax.plot(share.value, position, marker="o", color=style.BLUE, markersize=6)
            ax.text(
                1.02, position, _note(row), va="center", size=9, color=style.INK,
                transform=ax.get_yaxis_transform(),
            )  # fmt: skip
        ax.axvline(rows[0].acc1.value, color=style.MUTED, linewidth=0.9, linestyle=(0, (4, 2.5)))
        labels = [f"{row.prompts} ({row.templates})" for row in rows]
        ax.set_yticks(range(len(rows)), labels)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_title(model)
    axes[-1].xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
    axes[-1].set_xlabel(f"accuracy in % with {formatting.LEVEL} intervals")
    return fig


def _note(row: Row) -> str:
    """The accuracy and, where there is a comparison, its p-value."""
    value = f"{100 * row.acc1.value:.1f}"
    return value if row.p is None else f"{value}, {p_value(row.p)}"


def p_value(p: float) -> str:
    """Format a p-value."""
    return f"p < {_SMALLEST_P:g}" if p < _SMALLEST_P else f"p = {p:.3f}"
