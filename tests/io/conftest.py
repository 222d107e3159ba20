"""Mirrors to download from."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the import mode `importlib` leaves this to us
from mirrors import Mirrors, serving

from hw2.io import download, transfer


@pytest.fixture
def mirrors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirrors]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for module, limit in ((transfer, "CONNECT_SECONDS"), (download, "OFFLINE_SECONDS")):
        monkeypatch.setattr(module, limit, 60)  # nothing here is slow but a machine under load
    with serving(tmp_path / "raw") as served:
        yield served
