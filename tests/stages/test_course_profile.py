"""Profile `course` with small sizes runs every stage on a folder like the course's."""

import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import course_folder
import pytest
from running import ROOT, artifacts_in, run_stage

from hw2.config import loader, params, profiles
from hw2.figures import report
from hw2.io import files
from hw2.pipeline import declared, provenance
from hw2.stages import clip_train

ORIGINS = ("data.", "faces.source", "faces.weights", "clip.run", "clip.zero_shot.", "stable_diffus")
"""Keys of profile `mini` that say where data and models come from, or which are evaluated."""
SIZES = ("stable_diffusion.autoencoder", "stable_diffusion.train", "stable_diffusion.network")


def course_settings(folder: Path, clip: Path, checkpoint: Path, v1: Path) -> params.Params:
    """Profile `course` with the sizes of `mini`; models of the hub are replaced by small ones."""
    for name in ("params.yaml", profiles.FILE):
        shutil.copy(ROOT / name, folder)
    table: dict[str, dict[str, Any]] = loader.read_yaml(folder / profiles.FILE)
    values = {
        key: value
        for key, value in table["mini"].items()
        if key.startswith(SIZES) or not key.startswith((*ORIGINS, "personalization.clip"))
    }
    model = {"architecture": None, "revision": None, "sha256": None, "weights": str(clip)}
    concepts = [
        concept | {"initializer": "thing"}  # a word of the small tokenizer
        for concept in table["course"]["personalization.concepts"]
    ]
    values |= {
        "data.val_images": 100,  # a tenth of the small set is too little to select guidance on
        "clip.zero_shot.models": [model | {"name": name} for name in ("one", "two", "three")],
        "personalization.clip.weights": str(clip),
        "personalization.clip.revision": None,
        "personalization.clip.sha256": None,
        "personalization.concepts": concepts,
        "stable_diffusion.weights": str(checkpoint),
        "stable_diffusion.revision": None,
        "stable_diffusion.config": str(v1),
    }
    profiles.apply("course", folder / "params.yaml", values)
    return params.load(folder / "params.yaml")


@pytest.mark.slow
def test_every_stage_runs_on_the_course_s_folder(
    mini: params.Params,
    v1: Path,
    checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    facts = provenance.collect()  # of the repository
    monkeypatch.chdir(tmp_path)
    course_folder.shrink_face_network(monkeypatch)
    course_folder.write(Path("hw2_data"))
    small_clip = artifacts_in(tmp_path / "given")
    run_stage(clip_train, mini, small_clip)
    settings = course_settings(tmp_path, small_clip.clip_model, checkpoint, v1)
    artifacts = artifacts_in(tmp_path / "run", claims_file=ROOT / "docs/claims.yaml")

    stages = list(loader.read_yaml(ROOT / declared.DVC_FILE)["stages"])
    with caplog.at_level("INFO"):
        for name in stages:
            if name not in ("code", "report_figs"):
                run_stage(import_module(f"hw2.stages.{name}"), settings, artifacts)
    declaration = declared.read("report_figs", ROOT / declared.DVC_FILE)
    report.run(settings.figures, declared.restrict_paths(artifacts, declaration), facts)  # type: ignore[arg-type]

    images = course_folder.TRAIN + course_folder.VAL
    resized = f"svhn: {images} images of 32x32 are made 28x28 (bilinear)"
    assert [record.getMessage() for record in caplog.records].count(resized) == 1
    faces = files.read_json(artifacts.faces_details)
    assert faces["mse"]["mean"] > 0
    figures = {path.stem for path in artifacts.report_figs.glob("*.png")}
    assert {
        *("dann_tsne_svhn_class", "dann_tsne_usps_class", "faces_eta", "clip_confusion"),
        *("ddpm_grid_mnistm", "ddpm_grid_svhn", "ti_new1", "ti_new2"),
        *("multi_concept_0+cat", "multi_concept_0+1"),
    } <= figures
