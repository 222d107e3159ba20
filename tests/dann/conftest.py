"""The mini profile's adaptation parameters, and a few packed digits of three domains."""

import sys
from pathlib import Path

import pytest

from hw2.config import params
from hw2.digits import arrays, synthetic
from hw2.digits.arrays import Digits
from hw2.digits.labels import SPLITS

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))  # for helpers


@pytest.fixture(scope="session")
def mini(mini: params.Params) -> params.Dann:
    """The section `dann` of the mini profile."""
    return mini.dann


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All splits of all domains, packed: 24 images each."""
    folder = tmp_path_factory.mktemp("packed")
    for domain in ("mnistm", "svhn", "usps"):
        for split in SPLITS:
            arrays.save(folder, domain, split, Digits(*synthetic.draw(domain, split, 24, 7)))
    return folder
