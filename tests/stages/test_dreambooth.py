"""The public photographs of concepts: pinned, read from the folder of downloads, and refused."""

import dataclasses
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import ROOT, artifacts_in, run_stage

from hw2.config import params, profiles
from hw2.io import transfer
from hw2.personalization import dreambooth, photos
from hw2.runtime.errors import UserError
from hw2.stages import personalization_fetch

REAL = ROOT.parent / "shared" / "real_data" / "concepts"


def photograph(number: int) -> bytes:
    """A JPEG file of one color."""
    file = io.BytesIO()
    Image.new("RGB", (24, 16), (40 * number, 90, 20)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of downloads with small photographs, which are pinned instead of the real ones."""
    folder = tmp_path / "data/raw"
    folder.mkdir(parents=True)
    pinned = {}
    for key, remotes in dreambooth.FILES.items():
        for number, remote in enumerate(remotes):
            (folder / remote.name).write_bytes(photograph(number))
        pinned[key] = tuple(
            dataclasses.replace(
                remote, sha256=hashlib.sha256(photograph(k)).hexdigest(), bytes=len(photograph(k))
            )
            for k, remote in enumerate(remotes)
        )
    monkeypatch.setattr(dreambooth, "FILES", pinned)
    return folder


def settings(tmp_path: Path) -> params.Params:
    """The parameters of profile `public`."""
    for name in ("params.yaml", profiles.FILE):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    profiles.apply("public", tmp_path / "params.yaml")
    return params.load(tmp_path / "params.yaml")


def test_profile_public_gets_photographs_and_prompts(tmp_path: Path, raw: Path) -> None:
    public = settings(tmp_path)
    artifacts = artifacts_in(tmp_path, raw=raw)
    run_stage(personalization_fetch, public, artifacts)
    folder = artifacts.personalization_concepts
    for concept in public.personalization.concepts:
        found = photos.read(folder, concept)
        assert len(found.images) == len(dreambooth.FILES[concept.key])
        for number, image in enumerate(found.images):
            expected = np.asarray(Image.open(io.BytesIO(photograph(number))))
            assert np.array_equal(image, expected)
    assert json.loads((folder / "input.json").read_text()) == dreambooth.INPUTS


def test_another_photograph_is_refused(tmp_path: Path, raw: Path) -> None:
    path = raw / "dreambooth-cat2-03.jpg"
    path.write_bytes(photograph(9))
    artifacts = artifacts_in(tmp_path, raw=raw)
    with pytest.raises(UserError, match=r"dreambooth-cat2-03.jpg: is .* not the published file"):
        run_stage(personalization_fetch, settings(tmp_path), artifacts)
    assert not artifacts.personalization_concepts.exists()


def test_prompts_of_ones_own_do_not_go_with_public_photographs(tmp_path: Path) -> None:
    settings(tmp_path)
    with pytest.raises(UserError, match="null goes with synthetic or dreambooth photographs"):
        profiles.set_values(
            tmp_path / "params.yaml", {"personalization.input": "hw2_data/input.json"}
        )


@pytest.mark.skipif(not REAL.exists(), reason="needs photographs in ../shared/real_data")
def test_the_pins_are_those_of_a_copy_of_the_dataset() -> None:
    for key, remotes in dreambooth.FILES.items():
        paths = photos.files_of(REAL / dreambooth.FOLDERS[key])
        assert [(transfer.size(path), transfer.sha256(path)) for path in paths] == [
            (remote.bytes, remote.sha256) for remote in remotes
        ]
