"""`docs/synthetic-digits.md` states the statistics of the digits that are drawn."""

import re
import runpy
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
PAGE = (REPO / "docs/synthetic-digits.md").read_text()
SCRIPT = runpy.run_path(str(REPO / "benchmarks/digit_statistics.py"))
IMAGES = 300

Moments = tuple[float, float]


def moments(cell: str) -> Moments:
    """Mean and standard deviation of a cell."""
    mean, deviation = cell.split("±")
    return float(mean), float(deviation)


def table(domain: str) -> dict[str, tuple[Moments, Moments]]:
    """The real and the synthetic moments of each measure that the page states."""
    head = rf"\| {domain} \| real, n = \d+ \| synthetic, n = \d+ \|\n\|---\|---\|---\|\n"
    found = re.search(head + r"((?:\|.*\|\n)+)", PAGE)
    assert found, domain
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in found[1].splitlines()]
    return {name: (moments(real), moments(drawn)) for name, real, drawn in rows}


DOMAINS = pytest.mark.parametrize("domain", ["mnist", "usps", "mnistm", "svhn"])


@DOMAINS
def test_drawn_digits_have_the_statistics_of_the_page(domain: str) -> None:
    """Means of fewer images lie within four standard errors of those of the page."""
    measure = SCRIPT["gray_measures" if domain in ("mnist", "usps") else "color_measures"]
    measured = SCRIPT["column"](SCRIPT["synthetic_images"](domain, IMAGES), measure)
    stated = table(domain)
    assert measured.keys() == stated.keys()
    for name, (_, (mean, deviation)) in stated.items():
        here, _ = moments(measured[name])
        # Cells have two decimals.
        assert here == pytest.approx(mean, abs=4 * deviation / IMAGES**0.5 + 0.01), name


@DOMAINS
def test_means_are_within_half_a_standard_deviation_of_real_ones(domain: str) -> None:
    """All but the slant of USPS, which has no spread because the real set has none by design."""
    for name, ((real, spread), (drawn, _)) in table(domain).items():
        allowed = 0.05 if (domain, name) == ("usps", "slant") else spread / 2
        assert abs(drawn - real) <= allowed, name
