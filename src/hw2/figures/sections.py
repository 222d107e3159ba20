"""What a part of the report is made of.

A capability plugs in by a module with a function that returns a `Section`; `report` lists them.
"""

from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Plate:
    """A figure with its words; it becomes the file `name` and a place on the page."""

    name: str  # file name, unique in the report
    figure: Figure
    title: str
    caption: str
    alt: str  # what a reader who cannot see the figure needs to know
    wide: bool = True  # takes the whole width of the page, not half of it


@dataclass(frozen=True)
class Stat:
    """A headline number, the words above it and the small print below it."""

    label: str
    value: str
    detail: str


@dataclass(frozen=True)
class Table:
    """Rows of text under a head; the last cell of a row shorter than the head spans the rest."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table as a file of its own beside the figures."""

    name: str  # file name, unique in the report
    text: str


@dataclass(frozen=True)
class Section:
    """One capability's part of the report."""

    anchor: str  # the page's #anchor
    title: str
    lead: str
    stats: tuple[Stat, ...]
    tables: tuple[Table, ...]
    plates: tuple[Plate, ...]
    sheets: tuple[Sheet, ...] = ()
