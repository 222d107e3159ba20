"""Checks of `hw2 doctor` on data and models: those in Git, and those that params.yaml names."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from hw2.clip import weights as clip_weights
from hw2.commands.doctor_finding import Finding
from hw2.config import params, paths
from hw2.digits import course_zip
from hw2.io import hub, manifest
from hw2.io.download import Remote
from hw2.runtime.errors import UserError

Needed = Callable[[str], bool]
"""Whether what a key of params.yaml names is needed, for example by a stage that is due."""

_NOT_NEEDED = Finding("ok", "not needed by what is due")


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


def data(settings: params.Params, needed: Needed) -> Finding:
    """Whether the digits of `data.source` exist; missing ones are downloaded."""
    if not needed("data"):
        return _NOT_NEEDED
    raw = paths.load().raw
    if settings.data.source == "course":
        return _course(settings.data, raw, _without_domains)
    if settings.data.source == "synthetic":
        return Finding("ok", "synthetic digits, made by the pipeline")
    return _public(settings.data.domains, raw)


def clip_images(settings: params.Params, needed: Needed) -> Finding:
    """Whether the course's test images of CLIP exist; a path is checked by `named_files`."""
    zero_shot = settings.clip.zero_shot
    if not needed("clip.zero_shot.images"):
        return _NOT_NEEDED
    if not zero_shot.models:
        return Finding("ok", "not used, clip.zero_shot.models is empty")
    if zero_shot.images == "course":
        return _course(settings.data, paths.load().raw, _without_clip_images)
    if zero_shot.images == "cifar100":
        from hw2.clip import cifar100

        return _downloads([cifar100.ARCHIVE], paths.load().raw)
    return Finding("ok", zero_shot.images)


def concept_photographs(settings: params.Params, needed: Needed) -> Finding:
    """Whether the public photographs of concepts exist; a path is checked by `named_files`."""
    photographs = settings.personalization.photographs
    if not needed("personalization.photographs"):
        return _NOT_NEEDED
    if photographs == "dreambooth":
        from hw2.personalization import dreambooth

        return _downloads(chain.from_iterable(dreambooth.FILES.values()), paths.load().raw)
    return Finding("ok", photographs)


def _course(
    section: params.Data, raw: Path, problem: Callable[[params.Data, Path, Path], Finding | None]
) -> Finding:
    """Whether the course's folder or zip exists, and what `problem` finds in it."""
    for path in (Path(section.course), course_zip.downloaded(section, raw)):
        if path.exists():
            return problem(section, path, raw) or Finding("ok", f"the course's, in {path}")
    return Finding(
        "warn",
        f"data.course: no {section.course}, so the zip of {section.year} will be downloaded",
        "if there is no network, put the course's folder or zip there, or correct the key",
    )


def _without_domains(section: params.Data, path: Path, raw: Path) -> Finding | None:
    """What to say of digit domains that the course's folder lacks; None if it has all."""
    from hw2.digits import course

    available = course.domains_at(path)
    absent = tuple(domain for domain in section.domains if domain not in available)
    return _public(absent, raw, f"{path} has no {', '.join(absent)}; ") if absent else None


def _without_clip_images(section: params.Data, path: Path, raw: Path) -> Finding | None:
    from hw2.clip import images

    if images.exist(path):
        return None
    fix = "name a folder or zip in clip.zero_shot.images, or write clip.zero_shot.models: []"
    return Finding("fail", f"{path} has no {images.LABELS}, CLIP's test images", fix)


def _public(domains: tuple[str, ...], raw: Path, reason: str = "") -> Finding:
    """Whether the files of public digit domains are in the folder of downloads."""
    from hw2.digits import public

    return _downloads(public.files(domains), raw, reason)


def _downloads(files: Iterable[Remote], raw: Path, reason: str = "") -> Finding:
    missing = [file.name for file in files if not (raw / file.name).exists()]
    if not missing:
        return Finding("ok", f"{reason}public data sets in {raw}")
    return Finding(
        "warn",
        f"{reason}to be downloaded into {raw}: {', '.join(missing)}",
        "run `hw2 fetch` while there is a network",
    )


@dataclass(frozen=True)
class _Named:
    """What a parameter names.

    Attributes:
        key: Key of the parameter; after a comma, the entry of a list.
        name: Its value: a path or the id of a model.
        cached: For an id on the hub, whether the hub's cache holds the model; None for a path.
    """

    key: str
    name: str
    cached: Callable[[], bool] | None = None


def named_files(settings: params.Params, needed: Needed) -> Finding:
    """Whether the weights, images and files that the parameters name exist."""
    named = [item for item in _named(settings) if item.cached is None and needed(_key(item))]
    problems = [problem for item in named for problem in _problems(item, settings)]
    if problems:
        return Finding(
            "fail",
            "\n".join(problems),
            "put it there (`git checkout data/pretrained` restores a model of that folder), or"
            " correct the key",
        )
    return Finding("ok", f"{len(named)} exist" if named else "none is needed")


def hub_models(settings: params.Params, needed: Needed) -> Finding:
    """Whether models of the Hugging Face Hub are in its cache, or can be downloaded."""
    named = [item for item in _named(settings) if item.cached is not None and needed(_key(item))]
    absent = [item for item in named if item.cached is not None and not item.cached()]
    if not absent:
        names = ", ".join(dict.fromkeys(item.name for item in named))
        return Finding("ok", f"in the cache: {names}" if names else "none is needed")
    reason = hub.unavailable()
    if reason is None:
        names = ", ".join(dict.fromkeys(item.name for item in absent))
        return Finding("ok", f"to be downloaded: {names}")
    return Finding(
        "fail",
        "\n".join(f"{item.key}: {item.name} is not in the hub's cache" for item in absent),
        f"{reason}; download them with `hf download` where there is a network, or correct the key",
    )


def _key(item: _Named) -> str:
    return item.key.partition(",")[0]


def _problems(item: _Named, settings: params.Params) -> Iterator[str]:
    """What is missing of a named file or folder."""
    from hw2.io.file_tree import listed

    path = Path(item.name)
    if not path.exists():
        yield f"{item.key}: no {item.name}"
    elif item.key == "faces.ddim.noises" and not listed(path, (".pt",)):
        yield f"{item.key}: no noise file such as 00.pt in {item.name}"
    elif item.key == "personalization.photographs":
        from hw2.personalization import photos

        for concept in settings.personalization.concepts:
            try:
                photos.files_of(path / concept.key)
            except UserError as error:
                yield f"{item.key}: {error}"


def _named(settings: params.Params) -> Iterator[_Named]:
    """Each parameter that names a model, a folder or a file."""
    faces, zero_shot = settings.faces, settings.clip.zero_shot
    personalization = settings.personalization
    paths_of = {
        "judge.course_classifier": settings.judge.course_classifier,
        "faces.weights": faces.weights if faces.source == "course" else None,
        "faces.ddim.noises": faces.ddim.noises,
        "faces.ddim.ground_truth": faces.ddim.ground_truth,
        "clip.zero_shot.images": zero_shot.images if zero_shot.models else None,
        "personalization.photographs": personalization.photographs,
        "personalization.input": personalization.input,
        "personalization.judges.weights": personalization.judges.weights,
        "personalization.multi_concept.prior_preservation_folder": (
            personalization.multi_concept.prior_preservation_folder
        ),
    }
    no_path = (None, "trained", "synthetic", "course", "cifar100", "dreambooth")
    yield from (_Named(key, name) for key, name in paths_of.items() if name not in no_path)
    clip_models = [(f"clip.zero_shot.models, {model.name}", model) for model in zero_shot.models]
    for key, model in (*clip_models, ("personalization.clip.weights", personalization.clip)):
        if model.weights != "trained":
            yield _clip_model(key, model)
    for key, weights, revision in _diffusers_models(settings):
        if weights is not None and weights != "trained":
            yield _diffusers_model(key, weights, revision)


def _clip_model(key: str, model: params.ClipModel) -> _Named:
    if not model.weights.startswith(clip_weights.HUB):
        return _Named(key, model.weights)
    repository = model.weights.removeprefix(clip_weights.HUB)
    return _Named(
        key,
        model.weights,
        lambda: clip_weights.cached_snapshot(repository, model.revision) is not None,
    )


def _diffusers_models(settings: params.Params) -> Iterator[tuple[str, str | None, str | None]]:
    """Key, value and commit of each parameter that may name a model of diffusers."""
    stable_diffusion, faces = settings.stable_diffusion, settings.faces
    yield "stable_diffusion.weights", stable_diffusion.weights, stable_diffusion.revision
    yield "stable_diffusion.config", stable_diffusion.config, None
    if faces.source == "diffusers":
        yield "faces.weights", faces.weights, faces.revision


def _diffusers_model(key: str, name: str, revision: str | None) -> _Named:
    if Path(name).exists() or not hub.is_hub_id(name):
        return _Named(key, name)
    files = ("unet/config.json",) if key.endswith("config") else hub.DIFFUSERS_WEIGHTS
    return _Named(key, name, lambda: hub.cached(name, revision, files) is not None)
