"""Faults in a set of digits: their kinds, remedies and messages."""

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REMEDIES = {
    "no table": "restore the table",
    "wrong header": "make `image_name,label` the first line",
    "no rows": "restore the table, or remove it if the set has none",
    "no CSV": "save the table as CSV in UTF-8",
    "cut row": "give the row its two cells, image_name,label",
    "bad label": "write a digit 0 to 9",
    "bad name": "write the bare name of a file in data/",
    "repeated row": "remove one of the rows",
    "image in two tables": "leave it in one table",
    "no images": "restore the folder",
    "missing image": "restore the file, or remove the row",
    "image without row": "add its row to a table, or remove the file",
    "damaged image": "restore the file",
    "wrong size": "crop it to a square, 28x28 at best",
    "same pixels in two tables": "remove one of the two rows and its file",
    "name twice in the zip": "pack the zip again",
}
"""Every kind of fault and what to do about it, in the order of messages."""

_SHOWN = 5


@dataclass(frozen=True)
class Fault:
    """A fault in a set of digits.

    Attributes:
        kind: A key of `REMEDIES`.
        where: The file and, for a table, the line.
        what: What is wrong there.
    """

    kind: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {REMEDIES[self.kind]}"


def summary(faults: Sequence[Fault]) -> str:
    """The counts by kind: `3 faults: 2 bad label, 1 missing image`."""
    counts = Counter(fault.kind for fault in faults)
    kinds = ", ".join(f"{counts[kind]} {kind}" for kind in REMEDIES if kind in counts)
    return f"{len(faults)} fault{'s' * (len(faults) != 1)}: {kinds}"


def grouped(path: Path, faults: Sequence[Fault], test_labels: bool) -> str:
    """A heading and a line for each kind, with the first five locations, for a `UserError`."""
    verb = f"hw2 check-data {shlex.quote(str(path))}{' --test-labels' * test_labels}"
    lines = [f"{path}: {len(faults)} of its digits or rows cannot be used; run `{verb}` for all"]
    for kind, remedy in REMEDIES.items():
        locations = [fault.where for fault in faults if fault.kind == kind]
        if locations:
            more = ", ..." * (len(locations) > _SHOWN)
            lines.append(
                f"{len(locations)} {kind}: {', '.join(locations[:_SHOWN])}{more}; {remedy}"
            )
    return "\n  ".join(lines)
