"""Collect the digits of the source `data.source` in one archive that has the course's layout.

synthetic: images that are drawn. course: an `hw2_data` folder or zip, downloaded if it does not
exist; a domain that it lacks comes from the public data sets. public: the published data sets,
downloaded if they do not exist.
"""

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path

from hw2.config import params
from hw2.digits import archive, course, course_zip, domains, public, synthetic
from hw2.digits.arrays import Digits
from hw2.digits.labels import SPLITS
from hw2.io.atomic import atomic_path
from hw2.runtime.progress import progress

log = logging.getLogger(__name__)


def run(data: params.Data, *, digits_archive: Path, raw: Path) -> None:
    """Write every split of `data.domains` to the archive `digits_archive`.

    Downloads are kept in `raw`.
    """
    domains.require(data.domains, data.source)
    read = {"synthetic": _synthetic, "course": _course, "public": _public}[data.source]
    with atomic_path(digits_archive) as temporary:
        archive.write(temporary, read(data, raw))


def obtain(data: params.Data, *, raw: Path) -> str:
    """Download missing files of the source into `raw`; returns a line about their location."""
    domains.require(data.domains, data.source)
    if data.source == "course":
        return f"the course's data are in {course_zip.find(data, raw)}"
    if data.source == "public":
        public.fetch(data.domains, raw)
        return f"the files of {', '.join(data.domains)} are in {raw}"
    return "synthetic digits are drawn offline; there is nothing to fetch"


def _synthetic(data: params.Data, raw: Path) -> Iterator[tuple[str, str, Digits]]:
    counts = {split: getattr(data, f"{split}_images") for split in SPLITS}
    total = len(data.domains) * sum(counts.values())
    with progress(total, "digits", unit="image") as bar:
        for domain in data.domains:
            for split in SPLITS:
                yield (
                    domain,
                    split,
                    Digits(*synthetic.draw(domain, split, counts[split], data.seed)),
                )
                bar.update(counts[split])


def _course(data: params.Data, raw: Path) -> Iterator[tuple[str, str, Digits]]:
    """The domains of the course's folder, and the others from the public data sets.

    The course hands out USPS in some years only.
    """
    path = course_zip.find(data, raw)
    available = course.domains_at(path)
    absent = tuple(domain for domain in data.domains if domain not in available)
    if any(domains.DOMAINS[domain].public is None for domain in absent):
        return course.contents(path, data)  # refuses the domain
    if absent:
        log.info("%s: not in %s; taken from the public data set", ", ".join(absent), path)
    public.fetch(absent, raw)
    present = tuple(domain for domain in data.domains if domain in available)
    handed_out = course.contents(path, _of(data, present)) if present else iter(())
    return itertools.chain(handed_out, public.contents(_of(data, absent), raw))


def _of(data: params.Data, keys: tuple[str, ...]) -> params.Data:
    return data.model_copy(update={"domains": keys})


def _public(data: params.Data, raw: Path) -> Iterator[tuple[str, str, Digits]]:
    public.fetch(data.domains, raw)
    return public.contents(data, raw)
