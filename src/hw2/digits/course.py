"""The course's hw2_data as digits: everything is checked first, then divided into splits."""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hw2.config import params
from hw2.digits import splits
from hw2.digits.arrays import Digits
from hw2.digits.decode import BadImage, Decoded
from hw2.digits.faults import Fault, grouped
from hw2.digits.label_tables import Table
from hw2.digits.labels import NUM_DIGITS, SPLITS
from hw2.digits.layout import Layout, find, is_image
from hw2.runtime.errors import UserError
from hw2.runtime.progress import progress

_SAME = "same pixels in two tables"

log = logging.getLogger(__name__)

REMEDY = "name the course's hw2_data folder or zip (data.course in params.yaml)"


@dataclass(frozen=True)
class Summary:
    """What one table holds.

    Attributes:
        digits: How many rows each of the ten labels has.
        modes: How many of its images have which mode, by Pillow's names.
        colour: Images that have three channels when decoded.
        copies: Images whose pixels a later image of the domain has too; only that is used.
    """

    domain: str
    table: str
    digits: tuple[int, ...]
    modes: Counter[str]
    colour: int
    copies: int

    @property
    def images(self) -> int:
        return sum(self.digits)


@dataclass(frozen=True)
class Report:
    """What a set of digits holds, and everything that is wrong with it.

    `copies` are the names behind `Summary.copies`, by domain.
    """

    tables: list[Summary]
    faults: list[Fault]
    copies: dict[str, set[str]]


@dataclass
class _Domain:
    """The tables of a domain that hold labels, and what was found about them."""

    name: str
    tables: dict[str, Table]
    modes: dict[str, Counter[str]] = field(default_factory=dict)
    colour: Counter[str] = field(default_factory=Counter)
    copies: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)


def check(path: Path, domains: Sequence[str] | None, test_labels: bool) -> Report:
    """Check every table and image of some domains, or of all there are for None.

    Without `test_labels` a test.csv is a form to fill in: it is not read, and images that only it
    names are nobody's. Same pixels in two tables are a fault: what is reported must not have been
    trained on.

    Raises:
        UserError: if there are no digits at `path`, or a domain is not among them.
    """
    with find(path, REMEDY) as layout:
        found = [
            _Domain(name, {t: layout.table(name, t) for t in _labelled(layout, name, test_labels)})
            for name in _chosen(layout, domains, path)
        ]
        total = sum(len(table.lines) for domain in found for table in domain.tables.values())
        with progress(total, "check", unit="image") as bar:
            for domain in found:
                _check_names(layout, domain)
                _check_images(layout, domain, bar.update)
    return Report(
        [_summary(domain, table) for domain in found for table in domain.tables],
        [fault for domain in found for fault in domain.faults],
        {domain.name: domain.copies for domain in found},
    )


def contents(path: Path, data: params.Data) -> Iterator[tuple[str, str, Digits]]:
    """Check the domains of `data`, then give (domain, split, digits), divided by `splits.divide`.

    One split at a time is decoded and in memory. Of images with the same pixels only the last is
    given, so that nothing can be trained on and reported; how many were left out is logged.

    Raises:
        UserError: before anything is given, if there is any other fault or a split would be empty.
    """
    report = check(path, data.domains, data.test_labels)
    faults = [fault for fault in report.faults if fault.kind != _SAME]
    if faults:
        raise UserError(grouped(path, faults, data.test_labels))
    sizes: dict[str, dict[str, int]] = {domain: {} for domain in data.domains}
    for summary in report.tables:
        sizes[summary.domain][summary.table] = summary.images - summary.copies
    for domain, copies in report.copies.items():
        if copies:
            some = ", ".join(sorted(copies)[:5]) + ", ..." * (len(copies) > 5)
            log.warning("%s: %d left out, same pixels as another: %s", domain, len(copies), some)
    divided = {domain: splits.divide(of, data, domain) for domain, of in sizes.items()}
    return _splits(path, divided, report)


def _splits(
    path: Path, divided: dict[str, dict[str, splits.Rows]], report: Report
) -> Iterator[tuple[str, str, Digits]]:
    colour = {summary.domain for summary in report.tables if summary.colour}
    total = sum(len(split.rows) for domain in divided.values() for split in domain.values())
    with find(path, REMEDY) as layout, progress(total, "read", unit="image") as bar:
        for domain, of_split in divided.items():
            for split in SPLITS:
                table = layout.table(domain, of_split[split].table)
                kept = [k for k, n in enumerate(table.names) if n not in report.copies[domain]]
                rows = [kept[row] for row in of_split[split].rows]
                names, digits = [table.names[k] for k in rows], [table.digits[k] for k in rows]
                try:
                    found = layout.read(domain, names, digits, bar.update)
                except BadImage as error:
                    raise UserError(f"{path}: changed while it was read, {error}") from error
                # All splits of a domain have the same channels, also if only one has colour.
                yield domain, split, Digits(found.rgb, found.digits) if domain in colour else found


def _chosen(layout: Layout, domains: Sequence[str] | None, path: Path) -> list[str]:
    there = layout.domains
    for domain in domains or ():
        if domain not in there:
            raise UserError(
                f"{path}: has no domain {domain}, only {', '.join(there)}; take it out of"
                " data.domains and ddpm.domains, or add its folder"
            )
    return list(domains) if domains is not None else there


def _labelled(layout: Layout, domain: str, test_labels: bool) -> list[str]:
    return [table for table in layout.tables(domain) if table != "test" or test_labels]


def _check_names(layout: Layout, domain: _Domain) -> None:
    """What can be said without opening an image: the tables, and which files there are."""
    faults = domain.faults
    if "train" not in domain.tables:
        place = layout.place(domain.name, "train.csv")
        faults.append(Fault("no table", place, "is not there"))
    named: dict[str, str] = {}
    files = layout.files(domain.name)
    if not files:  # said once, not for each row
        faults.append(Fault("no images", layout.place(domain.name, "data"), "has no files"))
    for table, found in domain.tables.items():
        faults += found.faults
        where = layout.place(domain.name, f"{table}.csv")
        for name, line in found.lines.items() if files else ():
            place = layout.place(domain.name, "data", name)
            if name in named:
                what = f"{name} stands in {named[name]}.csv too"
                faults.append(Fault("image in two tables", f"{where} line {line}", what))
            elif name not in files:
                what = f"is not there, but {table}.csv names it in line {line}"
                faults.append(Fault("missing image", place, what))
            named.setdefault(name, table)
    if "train" in domain.tables and all(table.whole for table in domain.tables.values()):
        known = named.keys() | (layout.form(domain.name) if "test" not in domain.tables else set())
        for name in sorted(filter(is_image, files - known)):
            place = layout.place(domain.name, "data", name)
            faults.append(Fault("image without row", place, "is in no table"))
    for folder in ((), ("data",)):
        at = layout.place(domain.name, *folder)
        for name in sorted(layout.tree.repeated(at)):
            faults.append(Fault("name twice in the zip", f"{at}/{name}", "stands for two files"))


def _check_images(layout: Layout, domain: _Domain, tick: Callable[[int], None]) -> None:
    """Decode every image that a table names, once, and look for the same pixels."""
    files = layout.files(domain.name)
    seen: dict[bytes, tuple[str, str]] = {}  # hash of the pixels to table and name
    done: set[str] = set()
    for table, found in domain.tables.items():
        names = [name for name in found.lines if name in files and name not in done]
        domain.modes[table] = Counter()
        for name, image in layout.images(domain.name, names):
            place = layout.place(domain.name, "data", name)
            if isinstance(image, BadImage):
                domain.faults.append(Fault(image.kind, place, str(image)))
            else:
                domain.modes[table][image.mode] += 1
                domain.colour[table] += image.pixels.shape[-1] == 3
                pixels = _hash(image)
                if pixels in seen:
                    other, copy = seen[pixels]
                    domain.copies.add(copy)
                    if other != table:
                        what = f"of {table}.csv, has the same pixels as {copy} of {other}.csv"
                        domain.faults.append(Fault(_SAME, place, what))
                seen[pixels] = table, name
            tick(1)
        tick(len(found.lines) - len(names))
        done.update(names)


def _hash(image: Decoded) -> bytes:
    """A hash of the pixels as RGB, so that a grey copy of a colour image is found too."""
    grey = image.pixels.shape[-1] == 1
    pixels = image.pixels.repeat(3, axis=-1) if grey else image.pixels
    return hashlib.sha256(pixels.tobytes()).digest()


def _summary(domain: _Domain, table: str) -> Summary:
    counts = Counter(domain.tables[table].digits)
    digits = tuple(counts[digit] for digit in range(NUM_DIGITS))
    modes, colour = domain.modes[table], domain.colour[table]
    copies = len(domain.copies.intersection(domain.tables[table].names))
    return Summary(domain.name, table, digits, modes, colour, copies)
