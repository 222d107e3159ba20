"""Curves of the section on digits: accuracy by guidance scale, and by network calls."""

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
SAMPLER_OFFSET = 3.0  # horizontal distance of samplers with equal calls, in points


@style.house()
def guidance(settings: Sequence[Setting], choice: Choice) -> Figure:
    """Draw accuracy and diversity against the guidance scale, one line per domain.

    `settings` are rows of one sampler, at most one per domain and scale; dashed lines
    are the diversity of real images, and a dotted line marks the selected scale.
    """
    fig = Figure(figsize=(style.WIDTH, 4.9), layout="constrained")
    upper, lower = fig.subplots(2, 1, sharex=True)
    domains = lines_of([setting.domain for setting in settings])
    for position, domain in enumerate(domains):
        rows = sorted((s for s in settings if s.domain == domain), key=lambda s: s.guidance_scale)
        scales = [s.guidance_scale for s in rows]
        line_style = style.series_style(style.DOMAIN_STYLES, domain, position)
        _band(upper, scales, [s.accuracy for s in rows], line_style, style.domain_name(domain))
        _band(lower, scales, [s.diversity for s in rows], line_style, style.domain_name(domain))
        real = [s.real_diversity for s in rows]
        lower.plot(scales, real, color=line_style[0], linestyle=REAL_DASHES, linewidth=1.1)
    for ax in (upper, lower):
        ax.axvline(
            choice.guidance_scale, color=style.MUTED, linewidth=1.0, linestyle=CHOICE_DOTS, zorder=1
        )
    style.percent_axis(upper)
    upper.set_title(_accuracy_title(settings))
    lower.set_title("Diversity (mean pixel distance between images of one digit)")
    lower.set_xlabel("guidance scale s")
    dashed, dotted = (_legend_line(dashes) for dashes in (REAL_DASHES, CHOICE_DOTS))
    _legend_above(fig, upper, {"real images": dashed, choice.label: dotted})
    return fig


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
    """Draw accuracy with intervals against network calls per image, one line per sampler.

    `settings` are rows of one domain. Different samplers are offset by a few points, so that
    bars at equal calls do not cover each other.
    """
    fig = Figure(figsize=(style.WIDTH, 3.5), layout="constrained")
    ax = fig.subplots()
    names = list(dict.fromkeys(setting.sampler for setting in settings))
    for position, name in enumerate(names):
        rows = sorted((s for s in settings if s.sampler == name), key=lambda s: s.network_calls)
        points = SAMPLER_OFFSET * (position - (len(names) - 1) / 2)
        offset = ScaledTranslation(points / 72, 0, fig.dpi_scale_trans)
        _bars(
            ax,
            rows,
            style.SERIES_STYLES[position % len(style.SERIES_STYLES)],
            style.sampler_name(name),
            offset,
        )
    ax.set_xscale("log")
    style.plain_log(ax.xaxis, _ticks([setting.network_calls for setting in settings]))
    ax.margins(x=0.06)
    style.percent_axis(ax)
    ax.set_title(_accuracy_title(settings))
    ax.set_xlabel("network calls per image (log scale)")
    _legend_above(fig, ax, {})
    return fig


def _ticks(calls: Sequence[int]) -> list[int]:
    """Return `calls` in order, without those too close above another for both to be labelled."""
    kept: list[int] = []
    for call in sorted(set(calls)):
        if not kept or call > 1.3 * kept[-1]:
            kept.append(call)
    return kept


def _bars(
    ax: Axes, rows: Sequence[Setting], line_style: tuple[str, str], label: str, offset: Transform
) -> None:
    color, marker = line_style
    calls = [s.network_calls for s in rows]
    share = np.array([(s.accuracy.value, s.accuracy.low, s.accuracy.high) for s in rows])
    value, low, high = share.T
    errors = np.clip([value - low, high - value], 0, None)
    container = ax.errorbar(
        calls, value, errors, color=color, marker=marker, label=label, elinewidth=1.1, capsize=2.2
    )
    for artist in container.get_children():
        artist.set_transform(ax.transData + offset)
