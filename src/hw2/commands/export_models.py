"""Export the models that the pipeline trained: half precision, a manifest and a model card each."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from hw2.clip.weights import WEIGHTS
from hw2.commands import model_cards
from hw2.config.params import Params
from hw2.config.paths import Paths
from hw2.faces import hub
from hw2.faces import model as face_models
from hw2.io import files, manifest, timings
from hw2.io.atomic import atomic_dir
from hw2.personalization import shape_judges
from hw2.runtime.errors import UserError


def run(params: Params, paths: Paths, out: Path) -> list[Path]:
    """Write the folders `clip`, `stable-diffusion`, `faces` and `shape-judges` into `out`.

    A folder that exists is replaced as a whole.

    Returns:
        The folders.

    Raises:
        UserError: if a model was not trained by this pipeline, or a metric of its card is missing.
    """
    _need_trained(params)
    writers: dict[str, tuple[Path, Callable[[Path, Path], None]]] = {
        "clip": (paths.clip_model, _clip),
        "stable-diffusion": (paths.stable_diffusion_model, _stable_diffusion),
        "faces": (paths.faces_model, _faces),
        "shape-judges": (paths.shape_judges, _shape_judges),
    }
    cards = model_cards.cards(
        params,
        _metrics(paths),
        seconds=timings.seconds(params.profile),
        commit=model_cards.current_commit(),
    )
    for name, (source, _) in writers.items():
        if not source.exists():
            raise UserError(f"{source}: no model {name}; run `make pretrained`")
    folders = []
    for name, (source, write) in writers.items():
        with atomic_dir(out / name) as folder:
            write(source, folder)
            _forget_source(folder)
            manifest.write(folder)
            (folder / "README.md").write_text(cards[name], encoding="utf-8")
        folders.append(out / name)
    return folders


def _need_trained(params: Params) -> None:
    origins = {
        "clip.run": params.clip.run,
        "stable_diffusion.weights": params.stable_diffusion.weights == "trained",
        "faces.source": params.faces.source == "trained",
        "personalization.judges.weights": params.personalization.judges.weights == "trained",
    }
    for key, trained in origins.items():
        if not trained:
            raise UserError(f"{key}: profile {params.profile} trains no such model; use pretrain")


def _clip(source: Path, folder: Path) -> None:
    shutil.copytree(source, folder, dirs_exist_ok=True)
    weights = {name: _half(value) for name, value in load_file(source / WEIGHTS[0]).items()}
    save_file(weights, folder / WEIGHTS[0], metadata={"format": "pt"})


def _stable_diffusion(source: Path, folder: Path) -> None:
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import (
        StableDiffusionPipeline,
    )

    pipe = StableDiffusionPipeline.from_pretrained(source)
    for network in (pipe.unet, pipe.vae, pipe.text_encoder):
        network.half()
    pipe.save_pretrained(folder)
    # transformers would compute in the precision of this file, unlike diffusers, which computes in
    # single precision unless told otherwise.
    path = folder / "text_encoder/config.json"
    files.write_json(path, files.read_json(path) | {"dtype": "float32"})


def _faces(source: Path, folder: Path) -> None:
    model = face_models.load(source, torch.device("cpu"))
    model.network.half()
    hub.pipeline(model).save_pretrained(folder)


def _shape_judges(source: Path, folder: Path) -> None:
    judges = shape_judges.load(source)
    for network in (judges.shape, judges.concept):
        network.half()
    shape_judges.save(folder, judges)


def _forget_source(folder: Path) -> None:
    """Remove the path that a model was loaded from, which diffusers writes into configurations."""
    for path in folder.rglob("*.json"):
        config = files.read_json(path)
        if isinstance(config, dict) and config.pop("_name_or_path", None) is not None:
            files.write_json(path, config)


def _half(value: torch.Tensor) -> torch.Tensor:
    return value.half() if value.is_floating_point() else value


def _metrics(paths: Paths) -> dict[str, Mapping[str, Any]]:
    return {
        "clip": files.read_json(paths.clip_details),
        "personalization": files.read_json(paths.personalization_details),
        "faces": files.read_json(paths.faces_details),
    }
