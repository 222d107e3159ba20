"""Stable Diffusion v1 by its class and key names, from a folder and from CompVis' single file:
learn, draw and grade from photographs and the course's input.json."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from compvis import state_dict

from hw2 import params
from hw2.errors import UserError
from hw2.inversion import pipes
from hw2.tasks import (
    compare_concepts,
    fetch_concepts,
    generate_inversion,
    grade_inversion,
    train_clip,
    train_inversion,
)

CPU = torch.device("cpu")
REAL = Path(__file__).resolve().parents[3] / "shared" / "real_data"
INPUT = {
    "0": {
        "src_image": "dog",
        "token_name": "<new1>",
        "prompt": ["A <new1> on a hill.", "A <new1> on a bench."],
        "prompt_4_clip_eval": ["A dog on a hill.", "A dog on a bench."],
        "baseline": [[79, 34], [74, 35]],
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
def single(v1: Path, mini: params.Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights as CompVis wrote them, with what Lightning left beside."""
    path = tmp_path_factory.mktemp("ckpt") / "sd-v1.ckpt"
    pipe = pipes.load(mini.stable.model_copy(update={"weights": str(v1)}), v1, CPU)
    torch.save({"global_step": 7, "state_dict": state_dict(pipe)}, path)
    return path


def test_the_single_file_is_the_folder(v1: Path, single: Path, stable: params.Stable) -> None:
    folder = pipes.load(stable, v1, CPU)
    given = stable.model_copy(update={"weights": str(single), "config": str(v1)})
    file = pipes.load(given, v1, CPU)
    for part in ("unet", "vae", "text_encoder"):
        theirs, ours = (getattr(pipe, part).state_dict() for pipe in (folder, file))
        assert theirs.keys() == ours.keys()
        assert all(torch.equal(theirs[key], ours[key]) for key in theirs)
    assert len(file.tokenizer) == len(folder.tokenizer)


@pytest.fixture
def settings(mini: params.Params, photographs: Path, tmp_path: Path) -> params.Inversion:
    """The course's two concepts; real photographs where they are at hand."""
    source, text = photographs, json.dumps(INPUT)
    if REAL.exists():
        for key, name in (("0", "dog"), ("1", "red_cartoon"), ("cat", "cat2")):
            shutil.rmtree(photographs / key)
            shutil.copytree(REAL / "concepts" / name, photographs / key)
        text = (REAL / "course/textual_inversion/input.json").read_text(encoding="utf-8")
    (tmp_path / "input.json").write_text(text, encoding="utf-8")
    concepts = tuple(
        params.Concept(key=key, token=token, kind=kind, initialiser="thing", vectors=1)
        for key, token, kind in (
            ("0", "<new1>", "object"), ("1", "<new2>", "style"), ("cat", "<new3>", "object")
        )
    )  # fmt: skip
    draw = mini.inversion.draw.model_copy(update={"sampler": "dpmpp"})
    train = mini.inversion.train.model_copy(update={"views": True})
    return mini.inversion.model_copy(
        update={
            "photographs": str(source), "input": str(tmp_path / "input.json"),
            "wording": "course", "concepts": concepts, "draw": draw, "train": train,
        }
    )  # fmt: skip


@pytest.mark.parametrize("form", ["folder", "ckpt"])
def test_learn_draw_and_grade(
    form: str, v1: Path, single: Path, stable: params.Stable, settings: params.Inversion,
    mini: params.Params, tmp_path: Path,
) -> None:  # fmt: skip
    if form == "ckpt":
        stable = stable.model_copy(update={"weights": str(single), "config": str(v1)})
    train_clip.run(
        mini.clip, mini.shapes, model=tmp_path / "clip", history=tmp_path / "c.csv",
        checkpoints=tmp_path / "checkpoints/c", device=CPU,
    )  # fmt: skip
    concepts = tmp_path / "concepts"
    fetch_concepts.run(settings, mini.shapes, out=concepts)
    train_inversion.run(
        stable, settings, model=tmp_path / "none", clip_model=tmp_path / "clip",
        concepts=concepts, embeddings=tmp_path / "embeddings", history=tmp_path / "h.csv",
        looks=tmp_path / "looks.npz", asked=tmp_path / "asked.json",
        checkpoints=tmp_path / "checkpoints/i", device=CPU,
    )  # fmt: skip
    out = tmp_path / "out"
    count = generate_inversion.run(
        stable, settings, model=tmp_path / "none", embeddings=tmp_path / "embeddings",
        asked=tmp_path / "asked.json", out=out, device=CPU,
    )  # fmt: skip
    cases = grade_inversion.run(
        settings, clip_model=tmp_path / "clip", asked=concepts / "input.json",
        references=concepts, images=out, device=CPU,
    )  # fmt: skip
    assert count == 25 * len(cases) == len(list(out.rglob("*.png")))
    assert all(len(case.best) == 5 for case in cases)


def test_two_concepts_of_photographs(
    v1: Path, stable: params.Stable, settings: params.Inversion, mini: params.Params,
    tmp_path: Path,
) -> None:  # fmt: skip
    train_clip.run(
        mini.clip, mini.shapes, model=tmp_path / "clip", history=tmp_path / "c.csv",
        checkpoints=tmp_path / "checkpoints/c", device=CPU,
    )  # fmt: skip
    fetch_concepts.run(settings, mini.shapes, out=tmp_path / "concepts")
    regular = tmp_path / "regular"
    shutil.copytree(tmp_path / "concepts/1", regular)
    names = sorted(path.name for path in regular.iterdir() if path.suffix == ".jpg")
    (regular / "captions.json").write_text(json.dumps(dict.fromkeys(names, "a painting")))
    several = mini.several.model_copy(
        update={"pair": ("0", "cat"), "regular_photographs": str(regular)}
    )
    compare_concepts.run(
        stable, settings, several, mini.shapes, model=tmp_path / "none",
        clip_model=tmp_path / "clip", concepts=tmp_path / "concepts",
        table=tmp_path / "t.csv", images=tmp_path / "i.npz", stored=tmp_path / "s",
        checkpoints=tmp_path / "checkpoints/m", device=CPU,
    )  # fmt: skip
    assert (tmp_path / "s/custom_merged/keys_and_values.safetensors").is_file()


def test_what_is_no_model_is_one_line(v1: Path, stable: params.Stable, tmp_path: Path) -> None:
    (tmp_path / "bad.ckpt").write_bytes(b"no checkpoint")
    bare = tmp_path / "bare"
    shutil.copytree(v1, bare)
    shutil.rmtree(bare / "tokenizer")
    for weights, said in (
        (tmp_path / "bad.ckpt", "cannot be loaded"),
        (tmp_path / "absent.ckpt", "no file"),
        (bare, "tokenizer|cannot be loaded"),
    ):
        with pytest.raises(UserError, match=said) as caught:
            pipes.load(stable.model_copy(update={"weights": str(weights)}), v1, CPU)
        assert "\n" not in str(caught.value)
