"""Check the course's digits and say what they hold, before anything is trained on them."""

from collections.abc import Sequence
from pathlib import Path

from hw2.digits import course
from hw2.digits.course import Summary
from hw2.digits.faults import Fault
from hw2.digits.labels import NUM_DIGITS


def run(path: Path, *, test_labels: bool) -> tuple[str, list[Fault]]:
    """Check every domain of the folder or zip `path`: a table to print, and all the faults.

    Raises:
        UserError: if there are no digits at `path`.
    """
    report = course.check(path, None, test_labels)
    return _table(report.tables), report.faults


def _table(summaries: Sequence[Summary]) -> str:
    """One line for each table of each domain: images, their modes, and rows of each digit."""
    heading = ["domain", "table", "images", *map(str, range(NUM_DIGITS)), "same", "mode"]
    rows = [heading, *map(_cells, summaries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place in (0, 1) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row[:-1], widths, strict=False))
        )
        + f"  {row[-1]}"
        for row in rows
    )


def _cells(of: Summary) -> list[str]:
    modes = " ".join(
        mode if len(of.modes) == 1 else f"{mode}:{n}" for mode, n in sorted(of.modes.items())
    )
    counts = map(str, of.digits)
    return [of.domain, of.table, str(of.images), *counts, str(of.copies), modes or "-"]
