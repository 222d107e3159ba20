"""The digits of the course's hw2_data: everything is checked, then divided into splits."""

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
from hw2.digits.resize import SIZE
from hw2.runtime.errors import UserError
from hw2.runtime.progress import progress

_SAME = "same pixels in two tables"

log = logging.getLogger(__name__)

REMEDY = "name the course's hw2_data folder or zip (data.course in params.yaml)"


@dataclass(frozen=True)
class Summary:
    """Summary of one table.

    Attributes:
        domain: Key of the domain.
        table: Name of the table: train, val or test.
        digits: Number of rows of each of the ten labels.
        modes: Number of images of each mode, by Pillow's names.
        resized: Number of images of each other side than 28 pixels, which are made 28x28.
        color: Number of images that have three channels when decoded.
        copies: Number of images whose pixels a later image of the domain repeats; only the later
            one is used.
    """

    domain: str
    table: str
    digits: tuple[int, ...]
    modes: Counter[str]
    resized: Counter[int]
    color: int
    copies: int

    @property
    def images(self) -> int:
        return sum(self.digits)


@dataclass(frozen=True)
class Report:
    """The summaries of a set of digits, and all its faults.

    `copies` are the names of the images counted by `Summary.copies`, by domain.
    """

    tables: list[Summary]
    faults: list[Fault]
    copies: dict[str, set[str]]

    def resizing(self) -> list[str]:
        """A line for each domain with images of another size: how many of them are made 28x28."""
        counts: dict[str, Counter[int]] = {}
        for summary in self.tables:
            counts.setdefault(summary.domain, Counter()).update(summary.resized)
        lines = []
        for domain, sides in counts.items():
            some = ", ".join(f"{n} images of {side}x{side}" for side, n in sorted(sides.items()))
            if some:
                lines.append(f"{domain}: {some} are made {SIZE}x{SIZE} (bilinear)")
        return lines


@dataclass
class _Domain:
    """The tables of a domain that hold labels, and the results of the checks."""

    name: str
    tables: dict[str, Table]
    modes: dict[str, Counter[str]] = field(default_factory=dict)
    resized: dict[str, Counter[int]] = field(default_factory=dict)
    color: Counter[str] = field(default_factory=Counter)
    copies: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)


def check(path: Path, domains: Sequence[str] | None, test_labels: bool) -> Report:
    """Check every table and image of some domains; None checks all domains at `path`.

    Without `test_labels`, test.csv is a blank answer form: it is not read, and images that only it
    names are ignored. The same pixels in two tables are a fault, because a test image must not be
    a training image.

    Raises:
        UserError: if there are no digits at `path`, or a domain is not among them.
    """
    with find(path, REMEDY) as layout:
        checked = [
            _Domain(name, {t: layout.table(name, t) for t in _labelled(layout, name, test_labels)})
            for name in _chosen(layout, domains, path)
        ]
        total = sum(len(table.lines) for domain in checked for table in domain.tables.values())
        with progress(total, "check", unit="image") as bar:
            for domain in checked:
                _check_names(layout, domain)
                _check_images(layout, domain, bar.update)
    return Report(
        [_summary(domain, table) for domain in checked for table in domain.tables],
        [fault for domain in checked for fault in domain.faults],
        {domain.name: domain.copies for domain in checked},
    )


def domains_at(path: Path) -> list[str]:
    """The digit domains of a course folder or zip.

    Raises:
        UserError: if there are no digits at `path`.
    """
    with find(path, REMEDY) as layout:
        return layout.domains


def contents(path: Path, data: params.Data) -> Iterator[tuple[str, str, Digits]]:
    """Check the domains of `data`, then yield (domain, split, digits), divided by `splits.divide`.

    Only one split at a time is in memory. Of images with the same pixels only the last is used, so
    that no image is in two splits; the number of omitted images is logged.

    Raises:
        UserError: before the first split, if there is any other fault or a split would be empty.
    """
    report = check(path, data.domains, data.test_labels)
    faults = [fault for fault in report.faults if fault.kind != _SAME]
    if faults:
        raise UserError(grouped(path, faults, data.test_labels))
    for line in report.resizing():
        log.info("%s", line)
    sizes: dict[str, dict[str, int]] = {domain: {} for domain in data.domains}
    for summary in report.tables:
        sizes[summary.domain][summary.table] = summary.images - summary.copies
    for domain, copies in report.copies.items():
        if copies:
            some = ", ".join(sorted(copies)[:5]) + ", ..." * (len(copies) > 5)
            log.warning(
                "%s: %d images omitted, same pixels as another: %s", domain, len(copies), some
            )
    divided = {domain: splits.divide(of, data, domain) for domain, of in sizes.items()}
    return _splits(path, divided, report)


def _splits(
    path: Path, divided: dict[str, dict[str, splits.Rows]], report: Report
) -> Iterator[tuple[str, str, Digits]]:
    color = {summary.domain for summary in report.tables if summary.color}
    total = sum(len(split.rows) for domain in divided.values() for split in domain.values())
    with find(path, REMEDY) as layout, progress(total, "read", unit="image") as bar:
        for domain, of_split in divided.items():
            for split in SPLITS:
                table = layout.table(domain, of_split[split].table)
                kept = [k for k, n in enumerate(table.names) if n not in report.copies[domain]]
                rows = [kept[row] for row in of_split[split].rows]
                names, digits = [table.names[k] for k in rows], [table.digits[k] for k in rows]
                try:
                    data = layout.read(domain, names, digits, bar.update)
                except BadImage as error:
                    raise UserError(f"{path}: changed while it was read, {error}") from error
                # All splits of a domain have the same channels, even if only one has color.
                yield domain, split, Digits(data.rgb, data.digits) if domain in color else data


def _chosen(layout: Layout, domains: Sequence[str] | None, path: Path) -> list[str]:
    available = layout.domains
    for domain in domains or ():
        if domain not in available:
            raise UserError(
                f"{path}: has no domain {domain}, only {', '.join(available)}; remove it from"
                " data.domains and ddpm.domains, or add its folder"
            )
    return list(domains) if domains is not None else available


def _labelled(layout: Layout, domain: str, test_labels: bool) -> list[str]:
    return [table for table in layout.tables(domain) if table != "test" or test_labels]


def _check_names(layout: Layout, domain: _Domain) -> None:
    """Check the tables and the names of the files, without opening an image."""
    faults = domain.faults
    if "train" not in domain.tables:
        faults.append(Fault("no table", layout.path(domain.name, "train.csv"), "is missing"))
    named: dict[str, str] = {}
    files = layout.files(domain.name)
    if not files:  # one fault, not one for each row
        faults.append(Fault("no images", layout.path(domain.name, "data"), "has no files"))
    for table, rows in domain.tables.items():
        faults += rows.faults
        where = layout.path(domain.name, f"{table}.csv")
        for name, line in rows.lines.items() if files else ():
            path = layout.path(domain.name, "data", name)
            if name in named:
                what = f"{name} is also in {named[name]}.csv"
                faults.append(Fault("image in two tables", f"{where} line {line}", what))
            elif name not in files:
                what = f"is missing, but {table}.csv names it in line {line}"
                faults.append(Fault("missing image", path, what))
            named.setdefault(name, table)
    if "train" in domain.tables and all(table.whole for table in domain.tables.values()):
        expected = named.keys() | (
            layout.form(domain.name) if "test" not in domain.tables else set()
        )
        for name in sorted(filter(is_image, files - expected)):
            path = layout.path(domain.name, "data", name)
            faults.append(Fault("image without row", path, "is not in any table"))
    for folder in ((), ("data",)):
        at = layout.path(domain.name, *folder)
        for name in sorted(layout.tree.repeated(at)):
            faults.append(Fault("name twice in the zip", f"{at}/{name}", "stands for two files"))


def _check_images(layout: Layout, domain: _Domain, tick: Callable[[int], None]) -> None:
    """Decode every image that a table names, once, and look for the same pixels."""
    files = layout.files(domain.name)
    seen: dict[bytes, tuple[str, str]] = {}  # hash of the pixels to table and name
    done: set[str] = set()
    for table, rows in domain.tables.items():
        names = [name for name in rows.lines if name in files and name not in done]
        domain.modes[table], domain.resized[table] = Counter(), Counter()
        for name, image in layout.images(domain.name, names):
            path = layout.path(domain.name, "data", name)
            if isinstance(image, BadImage):
                domain.faults.append(Fault(image.kind, path, str(image)))
            else:
                domain.modes[table][image.mode] += 1
                if image.side != SIZE:
                    domain.resized[table][image.side] += 1
                domain.color[table] += image.pixels.shape[-1] == 3
                pixels = _hash(image)
                if pixels in seen:
                    other, copy = seen[pixels]
                    domain.copies.add(copy)
                    if other != table:
                        what = f"of {table}.csv, has the same pixels as {copy} of {other}.csv"
                        domain.faults.append(Fault(_SAME, path, what))
                seen[pixels] = table, name
            tick(1)
        tick(len(rows.lines) - len(names))
        done.update(names)


def _hash(image: Decoded) -> bytes:
    """A hash of the pixels as RGB, so that a gray copy of an RGB image is detected too."""
    gray = image.pixels.shape[-1] == 1
    pixels = image.pixels.repeat(3, axis=-1) if gray else image.pixels
    return hashlib.sha256(pixels.tobytes()).digest()


def _summary(domain: _Domain, table: str) -> Summary:
    counts = Counter(domain.tables[table].digits)
    digits = tuple(counts[digit] for digit in range(NUM_DIGITS))
    modes, resized, color = domain.modes[table], domain.resized[table], domain.color[table]
    copies = len(domain.copies.intersection(domain.tables[table].names))
    return Summary(domain.name, table, digits, modes, resized, color, copies)
