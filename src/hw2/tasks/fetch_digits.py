"""Get the digits: draw the embedded world into an archive in the course's layout."""

from collections.abc import Iterator
from pathlib import Path

from hw2 import params
from hw2.atomic import atomic_path
from hw2.digits import archive, worlds
from hw2.digits.packed import Digits
from hw2.labels import ALL_DOMAINS, PARTS
from hw2.progress import progress


def run(data: params.Data, *, digits: Path) -> None:
    """Write the archive `digits` with every part of every domain."""
    counts = {
        "train": data.train_images,
        "select": data.select_images,
        "report": data.report_images,
    }

    def contents() -> Iterator[tuple[str, str, Digits]]:
        with progress(len(ALL_DOMAINS) * sum(counts.values()), "digits", unit="image") as bar:
            for domain in ALL_DOMAINS:
                for part in PARTS:
                    yield domain, part, Digits(*worlds.draw(domain, part, counts[part], data.seed))
                    bar.update(counts[part])

    with atomic_path(digits) as temporary:
        archive.write(temporary, contents())
