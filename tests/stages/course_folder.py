"""A small folder with all that the course hands out, and profile `course` with small sizes for it.

It holds digits, faces, CLIP's images and photographs.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from running import ROOT

from hw2 import rng
from hw2.config import loader, params, profiles
from hw2.faces import model as face_models
from hw2.faces import noises
from hw2.models import course_unet

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
CLASSES = {"0": "red_circle", "1": "blue_star", "2": "green_ring"}
SIDES = {"mnistm": 28, "svhn": 32, "usps": 28}
"""Sides of the digits; those of SVHN are the originals'."""
TRAIN, VAL = 300, 100
FACE_SIDE = 16
ORIGINS = ("data.", "faces.source", "faces.weights", "clip.run", "clip.zero_shot.", "stable_diffus")
"""Keys of profile `mini` that say where data and models come from, or which are evaluated."""
SIZES = ("stable_diffusion.autoencoder", "stable_diffusion.train", "stable_diffusion.network")


def settings(folder: Path, clip: Path, checkpoint: Path, v1: Path) -> params.Params:
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


def shrink_face_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the course's face network two levels of a quarter of the channels, for 16x16 pixels."""
    for name, value in (
        *(("CHANNELS", 32), ("TIME", 128), ("CHANNEL_MULT", (1, 1))),
        *(("NUM_RES_BLOCKS", 1), ("ATTENTION_LEVEL", 1)),
    ):
        monkeypatch.setattr(course_unet, name, value)
    blueprint = face_models.Blueprint("course", "eps", FACE_SIDE, {})
    monkeypatch.setattr(face_models, "COURSE", blueprint)


def write(folder: Path) -> None:
    """Write everything below `folder`; the network of UNet.pt is as `shrink_face_network` left it.

    The digits have the tables of 2022 and 2023: train.csv and val.csv.
    """
    stream = rng.numpy_rng(3, "course folder")
    _write_digits(folder / "digits", stream)
    _write_faces(folder / "face", stream)
    _write_images(
        folder / "clip_zeroshot/val", [f"{k}_{n}" for k in CLASSES for n in range(4)], stream
    )
    (folder / "clip_zeroshot/id2label.json").write_text(json.dumps(CLASSES))
    for key in ("0", "1", "cat"):
        _write_images(folder / "textual_inversion" / key, ["00", "01", "02"], stream, "jpg", 70)
    (folder / "textual_inversion/input.json").write_text(json.dumps(PROMPTS))


def _write_digits(folder: Path, stream: np.random.Generator) -> None:
    for domain, side in SIDES.items():
        for table, numbers in (("train", range(TRAIN)), ("val", range(TRAIN, TRAIN + VAL))):
            names = [f"{k:05d}" for k in numbers]
            _write_images(folder / domain / "data", names, stream, side=side)
            rows = [f"{name}.png,{int(name) % 10}\n" for name in names]
            (folder / domain / f"{table}.csv").write_text("".join(["image_name,label\n", *rows]))


def _write_faces(folder: Path, stream: np.random.Generator) -> None:
    drawn = noises.draw(3, FACE_SIDE)
    (folder / "noise").mkdir(parents=True)
    noises.write(folder / "noise", drawn)
    _write_images(folder / "GT", list(drawn), stream, side=FACE_SIDE)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.derive(3, "UNet.pt"))
        torch.save(course_unet.CourseUNet().state_dict(), folder / "UNet.pt")


def _write_images(
    folder: Path,
    names: list[str],
    stream: np.random.Generator,
    suffix: str = "png",
    side: int = 40,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        pixels = stream.integers(0, 256, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.{suffix}")
