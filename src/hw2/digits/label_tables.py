"""The course's tables of labels: CSV with the header image_name,label."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from hw2.digits.faults import Fault
from hw2.digits.labels import NUM_DIGITS

MAX_BYTES = 1 << 26
_HEADER = ["image_name", "label"]
_DIGITS = {str(digit): digit for digit in range(NUM_DIGITS)}


@dataclass
class Table:
    """The valid rows of a table, the images that its rows name, and its faults.

    Attributes:
        names: File names of the valid rows, without a folder and without duplicates.
        digits: Their labels, 0 to 9.
        lines: The line of every named image, also in a row with a bad label.
        whole: Whether the text has the header and rows below it.
        faults: All faults in the text.
    """

    names: list[str] = field(default_factory=list)
    digits: list[int] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    whole: bool = False
    faults: list[Fault] = field(default_factory=list)


def parse(content: bytes, path: str) -> Table:
    """Read a table strictly; `path` is its name in the faults.

    A BOM, CRLF and a final Ctrl-Z are accepted.
    """
    table = Table()
    try:
        # Some programs end a text with Ctrl-Z, as DOS did.
        text = content.decode("utf-8-sig").rstrip("\r\n\x1a")
    except UnicodeDecodeError as error:
        table.faults.append(Fault("no CSV", path, f"is not UTF-8 text (byte {error.start})"))
        return table
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(rows, [])
        if header != _HEADER:
            line = ",".join(header)[:80]
            what = f"its first line is {line!r}" if text.strip() else "is empty"
            kind = "wrong header" if text.strip() else "no rows"
            table.faults.append(Fault(kind, path, what))
            return table
        for cells in rows:
            if cells:  # blank lines are ignored
                _add(table, cells, rows.line_num, f"{path} line {rows.line_num}")
    except csv.Error as error:  # an unclosed quotation mark, an endless field
        table.faults.append(Fault("no CSV", f"{path} line {rows.line_num}", str(error)))
        return table
    table.whole = bool(table.lines)
    if not table.lines and not table.faults:
        table.faults.append(Fault("no rows", path, "has a header and no rows"))
    return table


def named(content: bytes) -> set[str]:
    """Every cell of a table, which may be a file name, even if the table is malformed."""
    text = content.decode("utf-8-sig", errors="replace")
    return {cell.strip('" ') for line in text.splitlines() for cell in line.split(",")}


def _add(table: Table, cells: list[str], line: int, where: str) -> None:
    """Add one row, or its faults."""
    if len(cells) != len(_HEADER):
        what = f"has {len(cells)} of 2 cells" if len(cells) < 2 else f"has {len(cells)} cells"
        table.faults.append(Fault("cut row", where, what))
        return
    name, label = cells
    faults = list(_cell_faults(name, label, where))
    if name in table.lines:
        faults.append(
            Fault("repeated row", where, f"{name} is already in line {table.lines[name]}")
        )
    elif not any(fault.kind == "bad name" for fault in faults):
        table.lines[name] = line
    table.faults += faults
    if not faults:
        table.names.append(name)
        table.digits.append(_DIGITS[label])


def _cell_faults(name: str, label: str, where: str) -> Iterator[Fault]:
    bare = not set(name) & set("/\\") and name.isprintable()
    if not bare or name in ("", ".", ".."):
        yield Fault("bad name", where, f"{name!r} is not a bare file name")
    if label not in _DIGITS:
        hint = ": only SVHN's own files write 10 for zero" if label == "10" else ""
        yield Fault("bad label", where, f"label {label[:40]!r} is not 0 to 9{hint}")
