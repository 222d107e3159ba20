"""Curves of the section on digits: quality by guidance scale, and by network calls."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation, Transform

from hw2.figures import formatting, style
from hw2.figures.records import Choice, Interval, Setting

REAL_DASHES = (0, (4, 2.5))
CHOICE_DOTS = (0, (1, 1.5))
KERNEL_DISTANCE = "Kernel distance to real images (lower is better)"
SAMPLER_OFFSET = 3.0  # horizontal distance of samplers with equal calls, in points


@style.house()
def guidance(settings: Sequence[Setting], choice: Choice) -> Figure:
    """Draw accuracy, kernel distance and recall against the guidance scale, one line per domain.

    `settings` are rows of one sampler, at most one per domain and scale; dashed lines
    are the recall of real images, and a dotted line marks the selected scale.
    """
    fig = Figure(figsize=(style.WIDTH, 6.4), layout="constrained")
    accuracy, distance, recall = fig.subplots(3, 1, sharex=True)
    domains = lines_of([setting.domain for setting in settings])
    for position, domain in enumerate(domains):
        rows = sorted((s for s in settings if s.domain == domain), key=lambda s: s.guidance_scale)
        scales = [s.guidance_scale for s in rows]
        line_style = style.series_style(style.DOMAIN_STYLES, domain, position)
        name = style.domain_name(domain)
        _band(accuracy, scales, [s.accuracy for s in rows], line_style, name)
        _band(distance, scales, [s.kernel_distance for s in rows], line_style, name)
        _band(recall, scales, [s.recall for s in rows], line_style, name)
        real = [s.recall_real for s in rows]
        recall.plot(scales, real, color=line_style[0], linestyle=REAL_DASHES, linewidth=1.1)
    for ax in (accuracy, distance, recall):
        ax.axvline(
            choice.guidance_scale, color=style.MUTED, linewidth=1.0, linestyle=CHOICE_DOTS, zorder=1
        )
    distance.set_ylim(bottom=min(0.0, distance.get_ylim()[0]))
    for ax in (accuracy, recall):
        style.percent_axis(ax)
    accuracy.set_title(_accuracy_title(settings))
    distance.set_title(KERNEL_DISTANCE)
    recall.set_title("Recall in % (share of real images that the generated ones cover)")
    _scale_axis(recall, [setting.guidance_scale for setting in settings])
    dashed, dotted = (_legend_line(dashes) for dashes in (REAL_DASHES, CHOICE_DOTS))
    _legend_above(fig, accuracy, {"real images": dashed, choice.label: dotted})
    return fig


def _scale_axis(ax: Axes, scales: Sequence[float]) -> None:
    """Name the axis; scales that span more than a factor of ten are drawn on a log axis."""
    if 0 < 10 * min(scales) < max(scales):
        ax.set_xscale("log")
        style.plain_log(ax.xaxis, _ticks(scales))
        ax.set_xlabel("guidance scale s (log scale)")
    else:
        ax.set_xlabel("guidance scale s")


def _accuracy_title(settings: Sequence[Setting]) -> str:
    sizes = formatting.sizes([setting.accuracy.n for setting in settings])
    return f"Accuracy in % with {formatting.LEVEL} intervals ({sizes})"


def _legend_line(dashes: tuple[float, tuple[float, float]]) -> Line2D:
    return Line2D([], [], color=style.MUTED, linestyle=dashes, linewidth=1.1)


def _legend_above(fig: Figure, ax: Axes, more: Mapping[str, Artist]) -> None:
    """Name the lines of `ax`, and `more`, above the panels, outside the data area."""
    handles, labels = ax.get_legend_handles_labels()
    fig.legend(
        [*handles, *more.values()], [*labels, *more],
        loc="outside upper left", ncols=3, borderaxespad=0.2,
    )  # fmt: skip


def lines_of(names: Sequence[str]) -> list[str]:
    """Return the distinct names in order, without "all" if there is only one domain."""
    distinct = list(dict.fromkeys(names))
    return [name for name in distinct if name != "all" or len(distinct) != 2]


def _band(
    ax: Axes,
    x: Sequence[float],
    intervals: Sequence[Interval],
    line_style: tuple[str, str],
    label: str,
) -> None:
    color, marker = line_style
    lows, highs = [m.low for m in intervals], [m.high for m in intervals]
    ax.fill_between(x, lows, highs, color=color, alpha=0.14, linewidth=0)
    ax.plot(x, [m.value for m in intervals], color=color, marker=marker, label=label)


@style.house()
def samplers(settings: Sequence[Setting]) -> Figure:
    """Draw accuracy and kernel distance against network calls per image, one line per sampler.

    `settings` are rows of one domain. Different samplers are offset by a few points, so that
    bars at equal calls do not cover each other.
    """
    fig = Figure(figsize=(style.WIDTH, 5.2), layout="constrained")
    accuracy, distance = fig.subplots(2, 1, sharex=True)
    names = list(dict.fromkeys(setting.sampler for setting in settings))
    for position, name in enumerate(names):
        rows = sorted((s for s in settings if s.sampler == name), key=lambda s: s.network_calls)
        points = SAMPLER_OFFSET * (position - (len(names) - 1) / 2)
        offset = ScaledTranslation(points / 72, 0, fig.dpi_scale_trans)
        line_style = style.SERIES_STYLES[position % len(style.SERIES_STYLES)]
        calls, label = [s.network_calls for s in rows], style.sampler_name(name)
        _bars(accuracy, calls, [s.accuracy for s in rows], line_style, label, offset)
        _bars(distance, calls, [s.kernel_distance for s in rows], line_style, label, offset)
    distance.set_xscale("log")
    style.plain_log(distance.xaxis, _ticks([setting.network_calls for setting in settings]))
    distance.margins(x=0.06)
    style.percent_axis(accuracy)
    accuracy.set_title(_accuracy_title(settings))
    distance.set_title(KERNEL_DISTANCE)
    distance.set_xlabel("network calls per image (log scale)")
    _legend_above(fig, accuracy, {})
    return fig


def _ticks(values: Sequence[float]) -> list[float]:
    """Return `values` in order, without those too close above another for both to be labelled."""
    kept: list[float] = []
    for value in sorted(set(values)):
        if not kept or value > 1.3 * kept[-1]:
            kept.append(value)
    return kept


def _bars(
    ax: Axes,
    calls: Sequence[int],
    intervals: Sequence[Interval],
    line_style: tuple[str, str],
    label: str,
    offset: Transform,
) -> None:
    color, marker = line_style
    value, low, high = np.array([(m.value, m.low, m.high) for m in intervals]).T
    errors = np.clip([value - low, high - value], 0, None)
    container = ax.errorbar(
        calls, value, errors, color=color, marker=marker, label=label, elinewidth=1.1, capsize=2.2
    )
    for artist in container.get_children():
        artist.set_transform(ax.transData + offset)
