"""The digit domains, each an object of a single table.

A new domain is an entry of `DOMAINS`; a domain with public data also has a module in
`hw2.digits.sources`. The course's layout is the same for all domains, so its reader (`layout`)
needs only `grayscale`. Figures take names and colors from the table without importing torch.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hw2.config.choices import DIGIT_DOMAINS
from hw2.digits.drawing import mnistm as drawn_mnistm
from hw2.digits.drawing import svhn as drawn_svhn
from hw2.digits.drawing import usps as drawn_usps
from hw2.digits.drawing.painter import MakePainter
from hw2.digits.labels import LABELED_DOMAINS
from hw2.digits.sources import emnist, mnist, mnistm, svhn, usps
from hw2.digits.sources.source import PublicSource
from hw2.runtime.errors import UserError

Polarity = Literal["light on dark", "dark on light", "both"]


@dataclass(frozen=True)
class Domain:
    """A digit domain.

    Attributes:
        key: Its name in params.yaml, in file names, in records and as a folder of the course.
        color: Its color in figures, from the palettes of Okabe and Ito or Tol.
        marker: Its marker in figures, in Matplotlib's notation.
        grayscale: Whether its images have one channel, if all of them are gray.
        polarity: Whether ink is lighter or darker than the background.
        public: Its public data set, or None.
        painter: Factory of the painter of its synthetic images, or None.
    """

    key: str
    color: str
    marker: str
    grayscale: bool
    polarity: Polarity
    public: PublicSource | None = None
    painter: MakePainter | None = None

    @property
    def name(self) -> str:
        """Its name in figures and tables."""
        return DIGIT_DOMAINS[self.key]

    @property
    def label_block(self) -> int | None:
        """The index of its ten labels among the DDPM's conditions; None if it is not generated."""
        if self.key not in LABELED_DOMAINS:
            return None
        return LABELED_DOMAINS.index(self.key)


DOMAINS: dict[str, Domain] = {
    domain.key: domain
    for domain in (
        Domain(
            key="mnistm", color="#0072B2", marker="s",
            grayscale=False, polarity="both",
            public=mnistm.SOURCE, painter=drawn_mnistm.painter,
        ),
        Domain(
            key="svhn", color="#D55E00", marker="^",
            grayscale=False, polarity="both",
            public=svhn.SOURCE, painter=drawn_svhn.painter,
        ),
        Domain(
            key="usps", color="#009E73", marker="D",
            grayscale=True, polarity="light on dark",
            public=usps.SOURCE, painter=drawn_usps.painter,
        ),
        Domain(
            key="mnist", color="#AA4499", marker="v",
            grayscale=True, polarity="light on dark",
            public=mnist.SOURCE,
        ),
        Domain(
            key="emnist", color="#56B4E9", marker="P",
            grayscale=True, polarity="light on dark",
            public=emnist.SOURCE,
        ),
    )
}  # fmt: skip
"""The table, by key; params.yaml accepts the keys in `choices.DIGIT_DOMAINS`."""


def require(keys: Iterable[str], source: str) -> None:
    """Check that `data.source` can provide these domains.

    Raises:
        UserError: for the first domain that the source does not have.
    """
    for key in keys:
        domain = DOMAINS[key]
        if source == "synthetic" and domain.painter is None:
            raise UserError(f"data.domains: {key} has no synthetic images; leave it out")
        if source == "public" and domain.public is None:
            raise UserError(f"data.domains: {key} is not a public data set; leave it out")
