"""The digit domains, each an object of a single table.

A new domain is an entry of `DOMAINS`; a domain with public data also has a module in
`hw2.digits.sources`. The course's layout is the same for all domains, so its reader (`layout`)
needs only `grayscale`. Figures take names and colors from the table without importing torch.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hw2.config import loader
from hw2.digits import painters
from hw2.digits.labels import DOMAINS as LABELED
from hw2.digits.painters import MakePainter
from hw2.digits.sources import emnist, mnist, mnistm, svhn, usps
from hw2.digits.sources.source import PublicSource
from hw2.runtime.errors import UserError

Polarity = Literal["light on dark", "dark on light", "both"]


@dataclass(frozen=True)
class Domain:
    """A digit domain.

    Attributes:
        key: Its name in params.yaml, in file names, in records and as a folder of the course.
        name: Its name in figures and tables.
        color: Its color in figures, from the palettes of Okabe and Ito or Tol.
        marker: Its marker in figures, in Matplotlib's notation.
        grayscale: Whether its images have one channel, if all of them are gray.
        polarity: Whether ink is lighter or darker than the background.
        public: Its public data set, or None.
        painter: Factory of the painter of its synthetic images, or None.
    """

    key: str
    name: str
    color: str
    marker: str
    grayscale: bool
    polarity: Polarity
    public: PublicSource | None = None
    painter: MakePainter | None = None

    @property
    def label_block(self) -> int | None:
        """The index of its ten labels among the DDPM's conditions; None if it is not generated."""
        return LABELED.index(self.key) if self.key in LABELED else None


DOMAINS: dict[str, Domain] = {
    domain.key: domain
    for domain in (
        Domain(
            key="mnistm", name="MNIST-M", color="#0072B2", marker="s",
            grayscale=False, polarity="both",
            public=mnistm.SOURCE, painter=painters.mnistm,
        ),
        Domain(
            key="svhn", name="SVHN", color="#D55E00", marker="^",
            grayscale=False, polarity="both",
            public=svhn.SOURCE, painter=painters.svhn,
        ),
        Domain(
            key="usps", name="USPS", color="#009E73", marker="D",
            grayscale=True, polarity="light on dark",
            public=usps.SOURCE, painter=painters.usps,
        ),
        Domain(
            key="mnist", name="MNIST", color="#AA4499", marker="v",
            grayscale=True, polarity="light on dark",
            public=mnist.SOURCE,
        ),
        Domain(
            key="emnist", name="EMNIST", color="#56B4E9", marker="P",
            grayscale=True, polarity="light on dark",
            public=emnist.SOURCE,
        ),
    )
}  # fmt: skip
"""The table, by key."""


def find(key: str) -> Domain:
    """The domain with this key.

    Raises:
        UserError: if there is none.
    """
    if key not in DOMAINS:
        raise UserError(f"data.domains: no domain {key!r}; {loader.nearest(key, list(DOMAINS))}")
    return DOMAINS[key]


def require(keys: Iterable[str], source: str) -> None:
    """Check that `data.source` can provide these domains.

    Raises:
        UserError: for the first domain that is unknown or that the source does not have.
    """
    for key in keys:
        domain = find(key)
        if source == "synthetic" and domain.painter is None:
            raise UserError(f"data.domains: {key} has no synthetic images; leave it out")
        if source == "public" and domain.public is None:
            raise UserError(f"data.domains: {key} is not a public data set; leave it out")
