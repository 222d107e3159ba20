"""Profile `course` with small sizes runs every stage on a folder like the course's."""

from importlib import import_module
from pathlib import Path

import course_folder
import pytest
from running import ROOT, artifacts_in, run_stage

from hw2.config import loader, params
from hw2.figures import report
from hw2.io import files
from hw2.pipeline import declared, provenance
from hw2.stages import clip_train


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
    settings = course_folder.settings(tmp_path, small_clip.clip_model, checkpoint, v1)
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
