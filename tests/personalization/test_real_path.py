"""Stable Diffusion v1, from a folder and from CompVis' single file: training, sampling and grading
with photographs and the course's input.json."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from course_folder import PROMPTS
from running import CPU, artifacts_in, assert_same_bytes, changed, run_stage, run_stages

from hw2.commands import grade_personalization
from hw2.config import params
from hw2.io import files
from hw2.personalization import tokens
from hw2.personalization.grading import Case
from hw2.stages import (
    clip_train,
    personalization_compare,
    personalization_fetch,
    personalization_sample,
    personalization_train,
)

REAL = Path(__file__).resolve().parents[3] / "shared" / "real_data"


@pytest.fixture(scope="module")
def clip(mini: params.Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CLIP that scores."""
    artifacts = artifacts_in(tmp_path_factory.mktemp("clip"))
    run_stage(clip_train, mini, artifacts)
    return artifacts.clip_model


def course(
    mini: params.Params,
    stable_diffusion: params.StableDiffusion,
    photographs: Path,
    prompt_specs: Path,
) -> params.Params:
    """The course profile's settings of personalization with the sizes of the mini profile."""
    concepts = tuple(
        params.Concept(key=key, token=token, kind=kind, initializer="thing", vectors=1)
        for key, token, kind in (
            ("0", "<new1>", "object"),
            ("1", "<new2>", "style"),
            ("cat", "<new3>", "object"),
        )
    )
    sampling = mini.personalization.sampling.model_copy(update={"sampler": "dpmpp"})
    train = mini.personalization.train.model_copy(update={"augment": True})
    settings = changed(
        mini,
        "personalization",
        photographs=str(photographs),
        input=str(prompt_specs),
        wording="course",
        concepts=concepts,
        sampling=sampling,
        train=train,
    )
    return settings.model_copy(update={"stable_diffusion": stable_diffusion})


@pytest.fixture
def settings(
    mini: params.Params,
    stable_diffusion: params.StableDiffusion,
    photographs: Path,
    tmp_path: Path,
) -> params.Params:
    """The course's settings with stand-ins for its photographs."""
    (tmp_path / "input.json").write_text(json.dumps(PROMPTS), encoding="utf-8")
    return course(mini, stable_diffusion, photographs, tmp_path / "input.json")


def graded(settings: params.Params, artifacts: SimpleNamespace) -> tuple[Case, ...]:
    """Train, sample and grade."""
    run_stages((personalization_fetch, personalization_train), settings, artifacts)
    count = run_stage(personalization_sample, settings, artifacts)
    cases = grade_personalization.run(
        settings.personalization,
        clip_model=artifacts.clip_model,
        input_file=artifacts.personalization_prompts,
        references=artifacts.personalization_concepts,
        images=artifacts.personalization_images,
        device=CPU,
    )
    images = list(artifacts.personalization_images.rglob("*.png"))
    assert count == 25 * len(cases) == len(images)
    return cases


@pytest.mark.slow
def test_a_folder_and_a_single_file_give_the_same_images(
    v1: Path, checkpoint: Path, settings: params.Params, clip: Path, tmp_path: Path
) -> None:
    file = changed(settings, "stable_diffusion", weights=str(checkpoint), config=str(v1))
    of_folder, of_file = (
        artifacts_in(tmp_path / name, clip_model=clip) for name in ("folder", "file")
    )
    for settings_of_model, artifacts in ((settings, of_folder), (file, of_file)):
        cases = graded(settings_of_model, artifacts)
        assert [case.baseline for case in cases] == [(79, 34), (70, 30)]
        assert all(len(case.best) == 5 for case in cases)
    assert_same_bytes(of_file, of_folder, "personalization_images")


@pytest.mark.skipif(not REAL.exists(), reason="needs photographs in ../shared/real_data")
@pytest.mark.parametrize("form", ["folder", "ckpt"])
def test_the_course_s_photographs_and_prompts_are_graded(
    form: str,
    v1: Path,
    checkpoint: Path,
    stable_diffusion: params.StableDiffusion,
    mini: params.Params,
    clip: Path,
    tmp_path: Path,
) -> None:
    for key, name in (("0", "dog"), ("1", "red_cartoon"), ("cat", "cat2")):
        shutil.copytree(REAL / "concepts" / name, tmp_path / "photographs" / key)
    prompt_specs = REAL / "course/textual_inversion/input.json"
    if form == "ckpt":
        stable_diffusion = stable_diffusion.model_copy(
            update={"weights": str(checkpoint), "config": str(v1)}
        )
    settings = course(mini, stable_diffusion, tmp_path / "photographs", prompt_specs)
    artifacts = artifacts_in(tmp_path, clip_model=clip)
    cases = graded(settings, artifacts)
    baselines = [
        tuple(pair)
        for entry in files.read_json(prompt_specs).values()
        for pair in entry["baseline"]
    ]
    assert [case.baseline for case in cases] == baselines
    assert [case.key for case in cases] == ["0", "0", "1", "1"]
    assert all(case.image.shape == case.text.shape == (25,) for case in cases)
    learned = tokens.read_folder(artifacts.personalization_embeddings)
    assert {token: rows.shape for token, rows in learned.items()} == dict.fromkeys(
        ("<new1>", "<new2>", "<new3>"), (1, 32)
    )


@pytest.mark.slow
@pytest.mark.parametrize("captioned", ["from a folder", "drawn by the model"])
def test_methods_for_two_concepts_run_on_photographs(
    captioned: str, settings: params.Params, clip: Path, tmp_path: Path
) -> None:
    artifacts = artifacts_in(tmp_path, clip_model=clip)
    run_stages((personalization_fetch, personalization_train), settings, artifacts)
    folder = tmp_path / "captioned"
    shutil.copytree(artifacts.personalization_concepts / "1", folder)
    names = sorted(path.name for path in folder.iterdir() if path.suffix == ".jpg")
    (folder / "captions.json").write_text(json.dumps(dict.fromkeys(names, "a painting")))
    two_concepts = changed(
        settings,
        "personalization.multi_concept",
        pairs=(
            params.ConceptPair(keys=("0", "cat"), prompts=("a photo of a {1} and a {0}",)),
            params.ConceptPair(keys=("0", "1"), prompts=("a {0} in the style of {1}",)),
        ),
        prior_preservation_folder=str(folder) if captioned == "from a folder" else None,
        prior_preservation_images=2,
    )
    run_stage(personalization_compare, two_concepts, artifacts)
    for pair in ("0+cat", "0+1"):
        merged = artifacts.multi_concept_weights / pair / "custom_diffusion_merged"
        assert (merged / "keys_and_values.safetensors").is_file()
