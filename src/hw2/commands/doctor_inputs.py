"""Checks of `hw2 doctor` on data and models: those in Git, and those that params.yaml names."""

from collections.abc import Iterator
from pathlib import Path

from hw2.commands.doctor_finding import Finding
from hw2.config import params, paths
from hw2.io import manifest

_HUB = "hf-hub:"
_WEIGHT_FILES = (".bin", ".ckpt", ".pt", ".pth", ".safetensors")


def pretrained() -> Finding:
    """Whether the models in Git are complete and unchanged; DVC needs their manifests.

    Raises:
        UserError: naming the first file that is missing, changed, or not in its manifest.
    """
    all_paths = paths.load()
    manifests = [getattr(all_paths, name) for name in all_paths if name.startswith("pretrained_")]
    for path in manifests:
        if not path.is_file():
            remedy = f"restore the model with `git checkout {path.parent}`"
            return Finding("fail", f"{path}: missing", remedy)
        manifest.check(path.parent)
    return Finding("ok", f"{len(manifests)} models match their manifests")


def data(settings: params.Params) -> Finding:
    """Whether the digits of `data.source` exist; missing ones are downloaded."""
    raw = paths.load().raw
    if settings.data.source == "course":
        return _course(settings.data, raw)
    if settings.data.source == "synthetic":
        return Finding("ok", "synthetic digits, made by the pipeline")
    if raw.is_dir():
        return Finding("ok", f"public data sets in {raw}; missing files will be downloaded")
    return Finding(
        "warn",
        f"no {raw}, so the public data sets will be downloaded",
        "run `hw2 fetch` while there is a network",
    )


def clip_images(settings: params.Params) -> Finding:
    """Whether the course's test images of CLIP exist; a path is checked by `named_files`."""
    zero_shot = settings.clip.zero_shot
    if not zero_shot.models:
        return Finding("ok", "not used, clip.zero_shot.models is empty")
    if zero_shot.images == "course":
        return _course(settings.data, paths.load().raw)
    return Finding("ok", zero_shot.images)


def _course(section: params.Data, raw: Path) -> Finding:
    archive = raw / f"hw2_data_{section.year}.zip"  # as hw2.digits.course_zip names the download
    for path in (Path(section.course), archive):
        if path.exists():
            return Finding("ok", f"the course's, in {path}")
    return Finding(
        "warn",
        f"data.course: no {section.course}, so the zip of {section.year} will be downloaded",
        "if there is no network, put the course's folder or zip there, or correct the key",
    )


def named_files(settings: params.Params) -> Finding:
    """Whether the weights, images and files that the parameters name exist.

    Models of the Hugging Face hub are only listed: they are fetched when they are loaded.
    """
    named = dict(_named(settings))
    keys = _hub_keys(settings)
    hub = {key: name for key, name in named.items() if _on_hub(name, key in keys)}
    local = {key: name for key, name in named.items() if key not in hub}
    missing = [f"{key}: no {name}" for key, name in local.items() if not Path(name).exists()]
    if missing:
        return Finding(
            "fail",
            ", ".join(missing),
            "put it there (`git checkout data/pretrained` restores a model of that folder), or"
            " correct the key",
        )
    names = ", ".join(dict.fromkeys(hub.values()))
    return Finding("ok", f"{len(local)} exist" + (f"; from the hub: {names}" if names else ""))


def _hub_keys(settings: params.Params) -> set[str]:
    """The keys whose value may be a hub id without the prefix that CLIP's models have."""
    keys = {"stable_diffusion.weights", "stable_diffusion.config"}
    return keys | {"faces.weights"} if settings.faces.source == "diffusers" else keys


def _on_hub(name: str, may_be_id: bool) -> bool:
    """Whether the stage that loads the model `name` would ask the hub for it."""
    if name.startswith(_HUB):
        return True
    if not may_be_id or Path(name).exists() or name.startswith((".", "/")):
        return False
    return name.count("/") == 1 and not name.endswith(_WEIGHT_FILES)  # v1.5 is no file


def _named(settings: params.Params) -> Iterator[tuple[str, str]]:
    """Key and value of each parameter that names a model, a folder or a file."""
    zero_shot, personalization = settings.clip.zero_shot, settings.personalization
    values = {
        "judge.course_classifier": settings.judge.course_classifier,
        "faces.weights": settings.faces.weights,
        "faces.ddim.noises": settings.faces.ddim.noises,
        "faces.ddim.ground_truth": settings.faces.ddim.ground_truth,
        "clip.zero_shot.images": zero_shot.images if zero_shot.models else None,
        **{f"clip.zero_shot.models, {model.name}": model.weights for model in zero_shot.models},
        "stable_diffusion.weights": settings.stable_diffusion.weights,
        "stable_diffusion.config": settings.stable_diffusion.config,
        "personalization.photographs": personalization.photographs,
        "personalization.input": personalization.input,
        "personalization.clip.weights": personalization.clip.weights,
        "personalization.multi_concept.prior_preservation_folder": (
            personalization.multi_concept.prior_preservation_folder
        ),
    }
    no_path = (None, "trained", "synthetic", "course")
    yield from ((key, value) for key, value in values.items() if value not in no_path)
