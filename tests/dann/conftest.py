"""The mini profile's adaptation parameters, and a few packed digits of three domains."""

import shutil
from pathlib import Path

import pytest

from hw2.config import params, profiles
from hw2.digits import arrays, synthetic
from hw2.digits.arrays import Digits
from hw2.digits.labels import SPLITS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def mini(tmp_path_factory: pytest.TempPathFactory) -> params.Dann:
    """The section `dann` with the mini profile, read as a stage reads it."""
    folder = tmp_path_factory.mktemp("params")
    for name in ("params.yaml", "profiles.yaml"):
        shutil.copy(ROOT / name, folder)
    profiles.apply("mini", folder / "params.yaml")
    return params.load(folder / "params.yaml").dann


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All splits of all domains, packed: 24 images each."""
    folder = tmp_path_factory.mktemp("packed")
    for domain in ("mnistm", "svhn", "usps"):
        for split in SPLITS:
            arrays.save(folder, domain, split, Digits(*synthetic.draw(domain, split, 24, 7)))
    return folder
