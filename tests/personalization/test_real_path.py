"""Stable Diffusion v1, from a folder and from CompVis' single file: training, sampling and grading
with photographs and the course's input.json."""

import json
import shutil
from pathlib import Path

import pytest
import torch

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

CPU = torch.device("cpu")
REAL = Path(__file__).resolve().parents[3] / "shared" / "real_data"
PROMPTS = {
    "0": {
        "src_image": "dog",
        "token_name": "<new1>",
        "prompt": ["A <new1> on a hill."],
        "prompt_4_clip_eval": ["A dog on a hill."],
        "baseline": [[79, 34]],
    },
    "1": {
        "src_image": "painter",
        "token_name": "<new2>",
        "prompt": ["The streets of Paris in the style of <new2>."],
        "prompt_4_clip_eval": ["The streets of Paris in the style of a painter."],
        "baseline": [[70, 30]],
    },
}


@pytest.fixture(scope="module")
def clip(mini: params.Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CLIP that scores."""
    folder = tmp_path_factory.mktemp("clip")
    clip_train.run(
        mini.clip,
        mini.shapes,
        clip_model=folder / "model",
        clip_history=folder / "history.csv",
        checkpoints=folder / "checkpoints",
        device=CPU,
    )
    return folder / "model"


def course(mini: params.Params, photographs: Path, prompt_specs: Path) -> params.Personalization:
    """The course profile's settings with the sizes of the mini profile."""
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
    return mini.personalization.model_copy(
        update={
            "photographs": str(photographs),
            "input": str(prompt_specs),
            "wording": "course",
            "concepts": concepts,
            "sampling": sampling,
            "train": train,
        }
    )


@pytest.fixture
def settings(mini: params.Params, photographs: Path, tmp_path: Path) -> params.Personalization:
    """The course's settings with stand-ins for its photographs."""
    (tmp_path / "input.json").write_text(json.dumps(PROMPTS), encoding="utf-8")
    return course(mini, photographs, tmp_path / "input.json")


def graded(
    stable_diffusion: params.StableDiffusion,
    settings: params.Personalization,
    mini: params.Params,
    clip: Path,
    at: Path,
) -> tuple[Case, ...]:
    """Train, sample into `at/out`, and grade."""
    concepts, prompt_specs = at / "concepts", at / "prompts.json"
    personalization_fetch.run(settings, mini.shapes, personalization_concepts=concepts)
    personalization_train.run(
        stable_diffusion,
        settings,
        stable_diffusion_model=at / "none",
        clip_model=clip,
        personalization_concepts=concepts,
        personalization_embeddings=at / "embeddings",
        personalization_history=at / "h.csv",
        personalization_snapshots=at / "snapshots.npz",
        personalization_prompts=prompt_specs,
        checkpoints=at / "checkpoints",
        device=CPU,
    )
    count = personalization_sample.run(
        stable_diffusion,
        settings,
        stable_diffusion_model=at / "none",
        personalization_embeddings=at / "embeddings",
        personalization_prompts=prompt_specs,
        personalization_images=at / "out",
        device=CPU,
    )
    cases = grade_personalization.run(
        settings,
        clip_model=clip,
        input_file=prompt_specs,
        references=concepts,
        images=at / "out",
        device=CPU,
    )
    assert count == 25 * len(cases) == len(list((at / "out").rglob("*.png")))
    return cases


def test_a_folder_and_a_single_file_give_the_same_images(
    v1: Path,
    checkpoint: Path,
    stable_diffusion: params.StableDiffusion,
    settings: params.Personalization,
    mini: params.Params,
    clip: Path,
    tmp_path: Path,
) -> None:
    file = stable_diffusion.model_copy(update={"weights": str(checkpoint), "config": str(v1)})
    folders = tmp_path / "folder", tmp_path / "file"
    for settings_of_model, at in zip((stable_diffusion, file), folders, strict=True):
        cases = graded(settings_of_model, settings, mini, clip, at)
        assert [case.baseline for case in cases] == [(79, 34), (70, 30)]
        assert all(len(case.best) == 5 for case in cases)
    for path in sorted((folders[0] / "out").rglob("*.png")):
        other = folders[1] / path.relative_to(folders[0])
        assert path.read_bytes() == other.read_bytes()


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
    settings = course(mini, tmp_path / "photographs", prompt_specs)
    cases = graded(stable_diffusion, settings, mini, clip, tmp_path)
    baselines = [
        tuple(pair)
        for entry in files.read_json(prompt_specs).values()
        for pair in entry["baseline"]
    ]
    assert [case.baseline for case in cases] == baselines
    assert [case.key for case in cases] == ["0", "0", "1", "1"]
    assert all(case.image.shape == case.text.shape == (25,) for case in cases)
    learned = tokens.read_folder(tmp_path / "embeddings")
    assert {token: rows.shape for token, rows in learned.items()} == dict.fromkeys(
        ("<new1>", "<new2>", "<new3>"), (1, 32)
    )


def test_methods_for_two_concepts_run_on_photographs(
    v1: Path,
    stable_diffusion: params.StableDiffusion,
    settings: params.Personalization,
    mini: params.Params,
    clip: Path,
    tmp_path: Path,
) -> None:
    personalization_fetch.run(settings, mini.shapes, personalization_concepts=tmp_path / "concepts")
    captioned = tmp_path / "captioned"
    shutil.copytree(tmp_path / "concepts/1", captioned)
    names = sorted(path.name for path in captioned.iterdir() if path.suffix == ".jpg")
    (captioned / "captions.json").write_text(json.dumps(dict.fromkeys(names, "a painting")))
    multi_concept = mini.personalization.multi_concept.model_copy(
        update={"pair": ("0", "cat"), "prior_preservation_folder": str(captioned)}
    )
    personalization_compare.run(
        stable_diffusion,
        settings.model_copy(update={"multi_concept": multi_concept}),
        mini.shapes,
        stable_diffusion_model=tmp_path / "none",
        clip_model=clip,
        personalization_concepts=tmp_path / "concepts",
        multi_concept_table=tmp_path / "t.csv",
        multi_concept_images=tmp_path / "i.npz",
        multi_concept_weights=tmp_path / "s",
        checkpoints=tmp_path / "checkpoints/m",
        device=CPU,
    )
    assert (tmp_path / "s/custom_diffusion_merged/keys_and_values.safetensors").is_file()
