"""Every stage that uses a GPU is simulated on one, or stands here with the reason why not."""

from pathlib import Path

from hw2.config import loader

ROOT = Path(__file__).resolve().parents[2]
SIMULATED = {
    "judge_train": "test_a_step_of_the_judge_does_not_wait",
    "ddpm_train": "test_training_of_the_ddpm",
    "ddpm_ablate": "test_training_of_the_ddpm",
    "ddpm_sample": "test_sampling_from_the_ddpm",
    "dann_train": "test_no_step_of_adaptation_waits",
    "faces_train": "test_training_of_the_face_model",
}
"""Stages by name, with the test of `test_simulated_gpu.py` that runs their training or sampling."""
_JUDGE = "the judge reads images without training; its network is simulated with judge_train"
_FILES = "the models of diffusers and open_clip are read from files, which the simulation cannot do"
OPEN = {
    "ddpm_select_guidance": _JUDGE,
    "ddpm_sweep": "Heun's method compares two numbers on the CPU, which have no values here",
    "ddpm_evaluate": _JUDGE,
    "dann_evaluate": "the network is simulated with dann_train",
    "dann_tsne": "the network is simulated with dann_train",
    "faces_sample": "the sampler is that of ddpm_sample; the course's network is not simulated",
    "clip_train": "its batches are drawn from images that take seconds to render",
    "clip_evaluate": _FILES,
    "stable_diffusion_train": _FILES,
    "personalization_train": _FILES,
    "personalization_sample": _FILES,
    "personalization_compare": _FILES,
    "personalization_evaluate": _FILES,
}
"""Stages that no simulation covers, with the reason."""


def test_every_stage_with_a_gpu_is_simulated_or_listed() -> None:
    stages = loader.read_yaml(ROOT / "dvc.yaml")["stages"]
    using = {
        name
        for name, stage in stages.items()
        if "gpu" in stage.get("meta", {}).get("resources", ())
    }
    assert using == SIMULATED.keys() | OPEN.keys()
    assert not SIMULATED.keys() & OPEN.keys()


def test_the_named_simulations_exist() -> None:
    text = (Path(__file__).parent / "test_simulated_gpu.py").read_text()
    missing = [name for name in SIMULATED.values() if f"def {name}(" not in text]
    assert not missing
