"""Models of the Hugging Face Hub: their ids, its cache, and whether it can be reached."""

import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

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
