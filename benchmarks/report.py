"""The results as Markdown for a reader who decides, and as a figure."""

import os
import platform
from pathlib import Path
from typing import Any

from comparison import OURS

from hw2.io.atomic import atomic_path

Record = dict[str, Any]
TIE = 1.15
"""Ratios between this and its inverse are called a tie: they vary by as much from run to run."""


def write(record: Record, folder: Path) -> None:
    """Write results.md and results.png."""
    with atomic_path(folder / "results.md") as temporary:
        temporary.write_text(markdown(record), encoding="utf-8")
    if _bars(record):
        with atomic_path(folder / "results.png") as temporary:
            _draw(record, temporary)


def machine() -> str:
    """The processor and the number of cores."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return f"{model}, {os.cpu_count()} cores"


def line(row: Record) -> str:
    """A row in a line, for the terminal."""
    if "error" in row:
        return f"failed: {row['error']}"
    if "exponents" in row:
        return "exponents: " + ", ".join(f"{k} {_exponent(v)}" for k, v in row["exponents"].items())
    parts = [f"{_times(ratio)} against {name}" for name, ratio in row["ratio"].items()]
    return f"{', '.join(parts) or 'no peer'}; {row['rounds']} rounds, {row['took']:.0f} s"


def markdown(record: Record) -> str:
    """The whole of results.md."""
    rows = record["rows"]
    comparisons = {k: row for k, row in rows.items() if "ratio" in row}
    growths = {k: row for k, row in rows.items() if "exponents" in row}
    parts = [_head(record, comparisons), _overview(comparisons), _slower(comparisons)]
    parts += [_details(row) for row in comparisons.values()]
    parts += [_growth(growths), _open(record)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(record: Record, rows: Record) -> str:
    ratios = [ratio["median"] for row in rows.values() for ratio in row["ratio"].values()]
    ahead = sum(ratio > TIE for ratio in ratios)
    behind = sum(ratio < 1 / TIE for ratio in ratios)
    threads = record["threads"]
    quick = " **A quick run: its figures say nothing about speed.**" if record["quick"] else ""
    return (
        "# Speed against other ways to do the same\n\n"
        f"Of {len(ratios)} comparisons this package is faster in {ahead}, slower in {behind}, and"
        f" within {TIE - 1:.0%} in {len(ratios) - ahead - behind}, a tie.{quick}\n\n"
        f"Measured by `python benchmarks/run.py --threads {threads}` on {record['machine']}, with"
        f" PyTorch {record['torch']} and {threads} thread(s) for each contender, without a GPU."
        " Contenders take turns within each round. A ratio is the processor time of the peer"
        " relative to ours in the same round: above 1, ours is faster. On an idle machine ratios by"
        " the wall clock are the same unless a contender waits or has several processes; on a busy"
        " one they vary. How busy it was stands with each row. Numbers are medians, with the lowest"
        " and the highest round in parentheses. Compare ratios, not seconds: these are of this"
        " machine. A speed says nothing about quality; rows whose networks differ say so.\n\n"
        "The ceiling is the fastest that this machine did the same kind of work in the same rounds:"
        " large matrix products or convolutions in the precision of our way, reading a large file"
        " that the system has in memory, or starting an empty Python. It may be passed: small"
        " convolutions can be faster than large ones."
        + ("\n\n![Ratios](results.png)" if _bars(record) else "")
    )


def _overview(rows: Record) -> str:
    if not rows:
        return ""
    lines = [
        "| what | against | ratio | by wall clock | our share of the ceiling |",
        "|---|---|---|---|---|",
    ]
    for row in rows.values():
        share = row["share_of_ceiling"]
        ceiling = f"{share['median']:.0%} of {row['ceiling']}" if share else ""
        for name, ratio in row["ratio"].items():
            wall = _times(row["wall_ratio"][name])
            lines.append(f"| {row['title']} | {name} | {_times(ratio)} | {wall} | {ceiling} |")
        lines += [f"| {row['title']} | {name} | not installed | | |" for name in row["missing"]]
        if not row["ratio"] and not row["missing"]:
            lines.append(f"| {row['title']} | no peer | | | {ceiling} |")
    return "## Overview\n\n" + "\n".join(lines)


def _slower(rows: Record) -> str:
    lines = [
        f"* **{row['title']}**: {name} takes {ratio['median']:.2f} of our time."
        f" {row['reasons'].get(name, 'The reason is not known.')}"
        for row in rows.values()
        for name, ratio in row["ratio"].items()
        if ratio["median"] < 1 / TIE
    ]
    return "## Where a peer is faster\n\n" + ("\n".join(lines) or "In no row.")


def _details(row: Record) -> str:
    lines = [
        f"## {row['title']}",
        "",
        row["equal"],
        "",
        f"| | processor seconds per {row['unit']} |",
        "|---|---|",
    ]
    names = sorted(row["seconds"], key=lambda name: (name != OURS, name))
    lines += [f"| {name} | {_seconds(row['seconds'][name])} |" for name in names]
    lines += [f"| {name} | {reason} |" for name, reason in row["missing"].items()]
    lines += ["", f"Rounds: {row['rounds']}. Load of the machine before: {row['load_before']:.1f}."]
    details = row.get("details", {})
    if details:
        lines += ["", *(f"* {name}: {text}" for name, text in details.items())]
    return "\n".join(lines)


def _growth(rows: Record) -> str:
    if not rows:
        return ""
    parts = [
        "## Growth\n\nProcessor seconds by size. An exponent of 1 is time in proportion to the"
        " size; it is the slope through all sizes in logarithms, so a fixed cost makes it smaller."
        " One run of each size; sizes after one that took too long are left out."
    ]
    for row in rows.values():
        sizes = row["sizes"]
        lines = [
            f"### {row['title']}", "", row["equal"], "",
            f"| {row['unit']} | {' | '.join(f'{size:,}' for size in sizes)} | exponent |",
            "|---" * (len(sizes) + 2) + "|",
        ]  # fmt: skip
        for name, values in sorted(row["seconds"].items(), key=lambda item: item[0] != OURS):
            cells = [f"{value:.3g}" for value in values] + [""] * (len(sizes) - len(values))
            lines.append(f"| {name} | {' | '.join(cells)} | {_exponent(row['exponents'][name])} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _open(record: Record) -> str:
    failed = {name: row["error"] for name, row in record["rows"].items() if "error" in row}
    lines = [
        "* Time to equal quality: rows of trainings compare the speed of a step only."
        " `benchmarks/equal_quality.py` bounds it for the digit model. For the peers other than the"
        " student recipe, and for domain adaptation, it is open.",
        "* Drawing the figures of the report: no peer draws them. The last section of the report"
        " has the time of each stage.",
        "* Anything on a GPU; `benchmarks/gpu.py` measures that.",
        *(f"* Row `{name}` failed: {error}" for name, error in failed.items()),
        *(f"* Row `{name}` was not run." for name in record["not_measured"]),
    ]
    return "## Not measured\n\n" + "\n".join(lines)


def _exponent(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def _times(value: dict[str, float]) -> str:
    return f"{_digits(value['median'])} ({_digits(value['low'])} to {_digits(value['high'])})"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _seconds(value: dict[str, float]) -> str:
    return f"{value['median']:.3g} ({value['low']:.3g} to {value['high']:.3g})"


def _bars(record: Record) -> list[tuple[str, dict[str, float]]]:
    """A bar for each row: the ratio of its fastest peer."""
    bars = []
    for row in record["rows"].values():
        if row.get("ratio"):
            name = min(row["ratio"], key=lambda peer: row["ratio"][peer]["median"])
            bars.append((f"{row['title']}\nagainst {name}", row["ratio"][name]))
    return bars


def _draw(record: Record, path: Path) -> None:
    from matplotlib.figure import Figure

    bars = _bars(record)[::-1]
    figure = Figure(figsize=(8, 1 + 0.5 * len(bars)), layout="constrained")
    axes = figure.subplots()
    values = [ratio["median"] for _, ratio in bars]
    errors = [
        [ratio["median"] - ratio["low"] for _, ratio in bars],
        [ratio["high"] - ratio["median"] for _, ratio in bars],
    ]
    colors = ["tab:blue" if value >= 1 else "tab:orange" for value in values]
    places = list(range(len(bars)))
    axes.barh(
        places, [value - 1 for value in values], left=1, color=colors, xerr=errors, ecolor="0.3"
    )
    axes.set_yticks(places, [name for name, _ in bars], fontsize=8)
    axes.axvline(1, color="0.2", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlabel(f"processor time of the fastest peer / {OURS}, median and range of the rounds")
    figure.savefig(path, dpi=120, format="png")
