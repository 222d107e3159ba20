"""The weight files of CLIP models: located and checked before anything slow is imported.

A model is a folder in open_clip's format (`open_clip_config.json` and a weight file), a weight file
with the name of its architecture, a repository on the Hugging Face hub with the same files, or the
model that this pipeline trains.
"""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

from hw2.config import params
from hw2.io import hub, manifest
from hw2.runtime.errors import UserError

CONFIG = "open_clip_config.json"
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""Names of the weight file in a folder, the preferred one first."""
HUB = "hf-hub:"
"""What the id of a model on the hub begins with in params.yaml."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Located:
    """The files of a model.

    Attributes:
        name: The name in tables.
        weights: The weight file.
        config: open_clip's configuration file, or None if `architecture` replaces it.
        architecture: A name of an open_clip architecture, or None.
        sha256: Hash of the weight file and, if there is one, of the configuration.
    """

    name: str
    weights: Path
    config: Path | None
    architecture: str | None
    sha256: str


def locate(model: params.ClipModel, trained_folder: Path) -> Located:
    """Find the files of a model.

    Args:
        model: Its description in params.yaml.
        trained_folder: Folder of the model that this pipeline trains.

    Raises:
        UserError: if files are missing, within about a second even without a network, or if they
            have another sha256 than the model should have.
    """
    if model.weights == "trained":
        return _in_folder(model, trained_folder, "run `dvc repro clip_train`")
    if model.weights.startswith(HUB):
        return _in_folder(model, _from_hub(model), "choose another model")
    path = Path(model.weights)
    if path.is_file():
        if model.architecture is None:
            raise UserError(
                f"{_key(model)}: {path} is a weight file; give its architecture as well,"
                " such as ViT-B-32-quickgelu"
            )
        return _checked(model, path, None)
    if not path.is_dir():
        raise UserError(
            f"{_key(model)}: no weights at {path}; put a folder with {CONFIG} and {WEIGHTS[0]}"
            f" there, write `{HUB}OWNER/NAME` to download them, or leave the model out"
        )
    return _in_folder(model, path, "complete the folder")


def _key(model: params.ClipModel) -> str:
    return f"clip.zero_shot.models, {model.name}"


def _in_folder(model: params.ClipModel, folder: Path, remedy: str) -> Located:
    """The files of a folder in open_clip's format, compared with its manifest if it has one."""
    manifest.check(folder)
    config, present = folder / CONFIG, [name for name in WEIGHTS if (folder / name).is_file()]
    if not present:
        raise UserError(f"{_key(model)}: no {' or '.join(WEIGHTS)} in {folder}; {remedy}")
    if model.architecture is None and not config.is_file():
        raise UserError(
            f"{_key(model)}: no {CONFIG} in {folder}; {remedy}, or name the architecture"
        )
    return _checked(model, folder / present[0], None if model.architecture else config)


def _checked(model: params.ClipModel, weights: Path, config: Path | None) -> Located:
    """Compare the weights with their sha256 and describe them.

    Raises:
        UserError: if they have another one.
    """
    weights_digest = _sha256(weights)
    if model.sha256 is not None and weights_digest != model.sha256:
        raise UserError(
            f"{_key(model)}: {weights} has sha256 {weights_digest}, not {model.sha256};"
            " restore the file, or correct `sha256`"
        )
    if model.sha256 is None and model.weights != "trained":
        log.info(
            "%s: weights with sha256 %s; set `sha256` to it, and other weights are refused",
            model.name,
            weights_digest,
        )
    digest = weights_digest if config is None else hashlib.sha256(
        f"{weights_digest} {_sha256(config)}".encode()
    ).hexdigest()  # fmt: skip
    return Located(model.name, weights, config, model.architecture, digest)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- the hub -----------------------------------------------------------------------------------


def _from_hub(model: params.ClipModel) -> Path:
    """The folder of a repository's snapshot; cached files are not requested again."""
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    repository = model.weights.removeprefix(HUB)
    revision = model.revision
    snapshot = cached_snapshot(repository, revision)
    if snapshot is not None:
        return snapshot
    remedy = f"{hub.fetch_elsewhere(repository, revision)}, or leave the model out"
    reason = hub.unavailable()
    if reason is not None:
        raise UserError(f"{_key(model)}: not in the hub's cache, and {reason}; {remedy}")
    try:
        return _download(repository, revision)
    except (HfHubHTTPError, LocalEntryNotFoundError, EntryNotFoundError, OSError) as error:
        message = " ".join(str(error).split())[:160]
        raise UserError(
            f"{_key(model)}: {repository} was not downloaded ({message}); {remedy}"
        ) from error


def cached_snapshot(repository: str, revision: str | None) -> Path | None:
    """The snapshot in the hub's cache, if it holds the weights and the configuration."""
    weights = hub.cached(repository, revision, WEIGHTS)
    if weights is None or hub.cached(repository, revision, (CONFIG,)) is None:
        return None
    return weights.parent


def _download(repository: str, revision: str | None) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    config = hf_hub_download(repository, CONFIG, revision=revision)
    log.info("%s: downloading the weights", repository)
    for name in WEIGHTS[:-1]:
        try:
            return Path(hf_hub_download(repository, name, revision=revision)).parent
        except EntryNotFoundError:
            log.info("%s: has no %s", repository, name)
    hf_hub_download(repository, WEIGHTS[-1], revision=revision)
    return Path(config).parent
