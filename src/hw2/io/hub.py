"""Models of the Hugging Face Hub: their ids, its cache, and whether it can be reached."""

import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from hw2.runtime.errors import UserError

DIFFUSERS_WEIGHTS = tuple(
    f"{folder}diffusion_pytorch_model.{suffix}"
    for folder in ("unet/", "")
    for suffix in ("safetensors", "bin")
)
"""Names of the weight file of a U-Net of diffusers, one of which a cached model has."""
_WEIGHT_FILES = (".bin", ".ckpt", ".pt", ".pth", ".safetensors")
_CONNECT_TIMEOUT = 1.2  # seconds until the hub counts as unreachable


def is_hub_id(name: str) -> bool:
    """Whether the name has the form owner/model and is neither a path nor a weight file."""
    return (
        name.count("/") == 1
        and not name.startswith((".", "/"))
        and not name.endswith(_WEIGHT_FILES)  # a suffix such as that of model-v1.5 is allowed
    )


def cached(repository: str, revision: str | None, names: Iterable[str]) -> Path | None:
    """The path in the hub's cache of the first of the files `names` that it holds, if any."""
    from huggingface_hub import try_to_load_from_cache

    for name in names:
        path = try_to_load_from_cache(repository, name, revision=revision)
        if isinstance(path, str):
            return Path(path)
    return None


def is_only_cached(key: str, name: str, revision: str | None, files: Iterable[str]) -> bool:
    """Whether the model has to be read from the hub's cache, because the hub cannot be reached.

    The libraries that load models would ask for each file, and retry for most of a minute.

    Args:
        key: The parameter that names the model, for the message.
        name: What is no folder and no file.
        revision: Commit of the hub id, or None for the newest.
        files: Names of files, one of which a cached model has.

    Raises:
        UserError: if `name` is no hub id, or the model is neither cached nor can be downloaded.
    """
    if not is_hub_id(name):
        raise UserError(
            f"{key}: {name} is not there, and is no hub id of the form owner/model; correct it"
        )
    reason = unavailable()
    if reason is not None and cached(name, revision, files) is None:
        raise UserError(
            f"{key}: {name} is no folder here, it is not in the hub's cache, and {reason};"
            f" {fetch_elsewhere(name, revision)}"
        )
    return reason is not None


def fetch_elsewhere(repository: str, revision: str | None) -> str:
    """How to get a model to a machine without a network, as the remedy of a message."""
    commit = f" --revision {revision}" if revision else ""
    return (
        f"on a machine with a network run `hf download {repository}{commit}`, copy the folder and"
        " write its path"
    )


def unavailable() -> str | None:
    """Why nothing can be downloaded from the hub now, in about a second; None if it can."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    if not _reachable(constants.ENDPOINT):
        return f"{constants.ENDPOINT} cannot be reached"
    return None


def _reachable(url: str) -> bool:
    """Whether a connection to the server, or to its proxy, opens in about a second.

    The hub's own client retries for most of a minute. A thread is used because a name lookup takes
    a quarter of a minute without a network.
    """
    import requests

    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    parts = urlsplit((proxy if "//" in proxy else f"http://{proxy}") if proxy else url)
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    connected: list[bool] = []

    def connect() -> None:
        try:
            socket.create_connection(address, timeout=_CONNECT_TIMEOUT).close()
            connected.append(True)
        except OSError:
            connected.append(False)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(_CONNECT_TIMEOUT)
    return connected == [True]
