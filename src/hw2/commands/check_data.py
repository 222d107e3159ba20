"""`hw2 check-data`: check the course's digits and summarize them before training."""

from collections.abc import Sequence
from pathlib import Path

from hw2.digits import course
from hw2.digits.course import Summary
from hw2.digits.faults import Fault
from hw2.digits.labels import NUM_DIGITS

SHOWN = 20
"""Faults of a kind that are listed one by one."""


def run(path: Path, *, test_labels: bool) -> tuple[str, list[Fault]]:
    """Check all domains of the folder or zip `path`.

    Returns:
        A table to print, with a line for each domain whose images are resized, and all problems.

    Raises:
        UserError: if `path` holds no digits.
    """
    report = course.check(path, None, test_labels)
    return "\n".join([_table(report.tables), *report.resizing()]), report.faults


def listed(faults: Sequence[Fault], *, every: bool = False) -> list[str]:
    """A line for each fault; without `every`, for the first of each kind, and how many follow."""
    lines: list[str] = []
    for kind in dict.fromkeys(fault.kind for fault in faults):
        same = [str(fault) for fault in faults if fault.kind == kind]
        shown = same if every else same[:SHOWN]
        lines += shown
        if len(same) > len(shown):
            lines.append(f"... and {len(same) - len(shown)} more of {kind}; `--all` lists them")
    return lines


def _table(summaries: Sequence[Summary]) -> str:
    """Format a line for each table of each domain: images, rows of each digit, color modes."""
    heading = ["domain", "table", "images", *map(str, range(NUM_DIGITS)), "same", "mode"]
    rows = [heading, *map(_cells, summaries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, 1) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row[:-1], widths, strict=False))
        )
        + f"  {row[-1]}"
        for row in rows
    )


def _cells(summary: Summary) -> list[str]:
    modes = " ".join(
        mode if len(summary.modes) == 1 else f"{mode}:{n}"
        for mode, n in sorted(summary.modes.items())
    )
    counts = map(str, summary.digits)
    return [
        summary.domain,
        summary.table,
        str(summary.images),
        *counts,
        str(summary.copies),
        modes or "-",
    ]
