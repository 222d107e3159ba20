"""Every stage that uses a GPU runs whole on a simulated one."""

import re
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import course_folder
import pytest
import running
import torch
from simulation import simulated

from hw2.config import loader, params
from hw2.stages import clip_train

STAGES = loader.read_yaml(running.ROOT / "dvc.yaml")["stages"]
_OF_OUR_MODELS = ("clip_train", "stable_diffusion_train")  # the course's profile leaves them out
_ELSEWHERE = ("code", "headline", "report_figs")  # gather what other stages wrote
SMALL = {
    "ddpm.sweep": {"steps": [2, 3]},
    "dann": {"methods": ["source_only", "dann", "target_only"]},
    "personalization.train": {"steps": 2, "validate_every": 2},
    "personalization.sampling": {"batch_size": 25},
    "personalization.multi_concept": {"seeds": []},
}
"""Values that save time; `test_simulated_gpu.py` has every method of adaptation."""


def uses_gpu(stage: str) -> bool:
    return "gpu" in STAGES[stage].get("meta", {}).get("resources", ())


def run(stage: str, settings: params.Params, artifacts: SimpleNamespace) -> None:
    """Run the stage, on the simulated GPU if it uses one, where no training step may wait."""
    module = import_module(f"hw2.stages.{stage}")
    if not uses_gpu(stage):
        running.run_stage(module, settings, artifacts)
        return
    with (
        pytest.MonkeyPatch.context() as patch,
        simulated(torch.device("cuda:0"), readable=True) as device,
    ):
        patch.setattr(running, "CPU", device)
        running.run_stage(module, settings, artifacts)


@pytest.fixture
def small_clip(
    mini: params.Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> SimpleNamespace:
    """Artifacts with a trained CLIP; the course's folder is in the working directory."""
    monkeypatch.chdir(tmp_path)
    course_folder.shrink_face_network(monkeypatch)
    course_folder.write(Path("hw2_data"))
    artifacts = running.artifacts_in(tmp_path / "given")
    running.run_stage(clip_train, mini, artifacts)
    return artifacts


@pytest.mark.slow
def test_stages_run_on_the_course_s_folder(
    small_clip: SimpleNamespace, v1: Path, checkpoint: Path, tmp_path: Path
) -> None:
    settings = course_folder.settings(tmp_path, small_clip.clip_model, checkpoint, v1)
    for section, values in SMALL.items():
        settings = running.changed(settings, section, **values)
    claims = running.ROOT / "docs/claims.yaml"
    artifacts = running.artifacts_in(tmp_path / "run", claims_file=claims)
    for stage in STAGES:
        if stage not in _ELSEWHERE:
            run(stage, settings, artifacts)
            if uses_gpu(stage):
                missing = [out for out in outputs(stage, artifacts) if not out.exists()]
                assert not missing, stage


def outputs(stage: str, artifacts: SimpleNamespace) -> list[Path]:
    """The files and folders that dvc.yaml says that the stage writes."""
    listed = [
        entry if isinstance(entry, str) else next(iter(entry))
        for kind in ("outs", "plots", "metrics")
        for entry in STAGES[stage].get(kind, ())
    ]
    return [
        Path(re.sub(r"\$\{path\.(\w+)\}", lambda name: str(getattr(artifacts, name[1])), entry))
        for entry in listed
    ]


@pytest.mark.slow
@pytest.mark.parametrize("stage", _OF_OUR_MODELS)
def test_our_models_are_trained(
    mini: params.Params, small_clip: SimpleNamespace, stage: str
) -> None:
    run(stage, mini, small_clip)
    assert all(out.exists() for out in outputs(stage, small_clip))


def test_the_stages_that_are_not_simulated_exist() -> None:
    assert set(_ELSEWHERE) <= set(STAGES)
    assert not any(uses_gpu(stage) for stage in _ELSEWHERE)
