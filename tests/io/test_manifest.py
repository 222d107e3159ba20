"""Manifests of model folders."""

import shutil
import subprocess
from pathlib import Path

import pytest

from hw2.io import manifest
from hw2.runtime.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text("{}")
    (tmp_path / "weights.bin").write_bytes(b"123")
    manifest.write(tmp_path)
    (tmp_path / "README.md").write_text("a card")
    return tmp_path


def test_a_folder_that_matches_its_manifest_passes(folder: Path) -> None:
    manifest.check(folder)
    (folder / "README.md").write_text("another card")
    manifest.check(folder)


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum on this machine")
def test_sha256sum_reads_the_manifest(folder: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--quiet", manifest.NAME], cwd=folder, check=True)


def test_a_folder_without_a_manifest_is_not_checked(tmp_path: Path) -> None:
    manifest.check(tmp_path)
    manifest.check(tmp_path / "missing")


def test_every_difference_is_refused_in_one_line(folder: Path) -> None:
    def refused(message: str) -> None:
        with pytest.raises(UserError, match=message) as caught:
            manifest.check(folder)
        assert "\n" not in str(caught.value)

    (folder / "weights.bin").write_bytes(b"124")
    refused(r"weights.bin: its sha256 is not that of SHA256SUMS; restore it")
    (folder / "weights.bin").unlink()
    refused(r"weights.bin: missing")
    (folder / "weights.bin").write_bytes(b"123")
    (folder / "unet" / "more.bin").write_bytes(b"1")
    refused(r"unet/more.bin: not in SHA256SUMS")
