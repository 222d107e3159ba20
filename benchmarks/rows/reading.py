"""The row of reading digits: packed arrays against a PNG for each image."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ceilings import of_reading
from comparison import OURS, Comparison, Contender, Settings, timed
from torch.utils.data import DataLoader

from hw2.digits import arrays, course
from hw2.digits.domains import DOMAINS
from hw2.digits.labels import SPLITS
from hw2.pixels import from_uint8
from hw2.training.batch_sampler import BatchSampler
from rows.per_item import SEED, PerItem, digits, parameters, written

BATCH = 128


@contextmanager
def packed(settings: Settings) -> Iterator[Comparison]:
    """An epoch of normalized batches in random order."""
    with TemporaryDirectory() as name:
        temporary = Path(name)
        root = settings.course or _course(temporary / "hw2_data", settings.size(4000, 300))
        domains = [key for key in DOMAINS if (root / "digits" / key).is_dir()]
        data = parameters().data.model_copy(
            update={
                "domains": tuple(domains), "test_labels": True,
                **{f"{split}_images": None for split in SPLITS},
            }
        )  # fmt: skip

        def decode() -> None:
            for domain, split, decoded in course.contents(root, data):
                arrays.save(temporary / "packed", domain, split, decoded)

        decoding = timed(decode).processor
        items = _items(root / "digits", domains)
        repeats = settings.size(20, 1)  # an epoch alone is too short to be timed
        ours = _epochs(temporary / "packed", domains, repeats)
        count = ours()
        contenders = {
            OURS: Contender(ours, count),
            "PIL and DataLoader": Contender(lambda: _read(items, 0), len(items)),
            "PIL and DataLoader, 2 workers": Contender(lambda: _read(items, 2), len(items)),
        }
        yield Comparison(
            title="Reading digits in an epoch",
            unit="image",
            contenders=contenders,
            ceilings=of_reading(temporary, 28 * 28 * 3, settings),
            equal=f"{len(items):,} PNGs{'' if settings.course else ' instead of 68,002'} of"
            f" {', '.join(domains)}, in batches of {BATCH} in random order, normalized. Ours"
            f" decodes and checks the files once, which took {decoding:.2g} s that are not in these"
            " times.",
        )


def _course(root: Path, count: int) -> Path:
    """Synthetic digits in the course's layout."""
    folder = root / "digits" / "mnistm"
    images, labels = digits("mnistm", count)
    files = written(folder / "data", images)
    rows = [(file.name, int(label)) for file, label in zip(files, labels, strict=True)]
    tables = {"train": rows[: count // 2], "val": rows[count // 2 : 3 * count // 4]}
    tables["test"] = rows[3 * count // 4 :]
    for table, part in tables.items():
        with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("image_name", "label"), *part])
    return root


def _items(root: Path, domains: list[str]) -> PerItem:
    files, labels = [], []
    for domain in domains:
        for table in sorted((root / domain).glob("*.csv")):
            with table.open(encoding="utf-8-sig", newline="") as file:
                for row in csv.DictReader(file):
                    files.append(root / domain / "data" / row["image_name"])
                    labels.append(int(row["label"]))
    return PerItem(files, labels)


def _epochs(folder: Path, domains: list[str], repeats: int) -> Callable[[], int]:
    """`repeats` epochs over every packed split in the order of a training; counts the images."""
    splits = [arrays.load(folder, domain, split).images for domain in domains for split in SPLITS]
    orders = [BatchSampler(len(images), SEED) for images in splits]

    def run() -> int:
        count = 0
        for images, order in zip(splits, orders, strict=True):
            for step in range(repeats * (len(images) // BATCH)):
                count += len(from_uint8(images[order.batch(step, BATCH)]))
        return count

    return run


def _read(items: PerItem, workers: int) -> int:
    return sum(len(images) for images, _ in DataLoader(items, BATCH, True, num_workers=workers))
