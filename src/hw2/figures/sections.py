"""Elements of the report, and the interface by which a capability adds its section to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from matplotlib import figure

from hw2.figures import formatting

R = TypeVar("R")


@dataclass(frozen=True)
class Figure:
    """A plot with its texts: an image file of the report and an entry on its page."""

    name: str  # file name, unique in the report
    record: str  # the record that it shows most of: a name in paths.yaml that its capability reads
    plot: figure.Figure
    title: str
    caption: str
    alt: str  # text for readers who cannot see the figure
    wide: bool = True  # spans the full width of the page instead of half of it


@dataclass(frozen=True)
class Stat:
    """A number in large type with the label above it and the detail below it."""

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

    def markdown(self) -> str:
        """Return the table under its title in Markdown, with plain spaces."""
        lines = [self.head, tuple("---" for _ in self.head), *self.rows]
        body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"## {self.title}\n\n{body}\n\n{self.note}\n".replace(formatting.NBSP, " ")


@dataclass(frozen=True)
class DataFile:
    """A table as a file of its own beside the figures."""

    name: str  # file name, unique in the report
    text: str


@dataclass(frozen=True)
class Text:
    """Paragraphs under a title."""

    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """The texts, numbers and tables of one capability in the report.

    The page shows them in the order of the attributes: what was done, what was measured, and what
    follows from it.
    """

    anchor: str  # the page's #anchor
    title: str
    lead: str
    stats: tuple[Stat, ...]
    tables: tuple[Table, ...]
    introduction: tuple[Text, ...] = ()  # before figures and tables
    figures: tuple[Figure, ...] = ()  # `report` fills them in
    conclusion: tuple[Text, ...] = ()  # after figures and tables
    data_files: tuple[DataFile, ...] = ()


@dataclass(frozen=True)
class Capability(Generic[R]):
    """How the section of one capability is made; `report.CAPABILITIES` lists them.

    Attributes:
        name: The capability's package and parameter section.
        read: Reads and checks the records. Its arguments are names of paths.yaml. Returns an empty
            value or None where the profile leaves the capability out.
        section: Writes the texts and the tables of the section, without figures.
        figures: Functions of the records and the resolution in dots per inch; each returns the
            figures that it draws, in the order of the page.
    """

    name: str
    read: Callable[..., R | None]
    section: Callable[[R], Section]
    figures: tuple[Callable[[R, int], Sequence[Figure]], ...]
