"""Features that were computed before: files called by a hash of all that they depend on."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import hw2
from hw2.io import files
from hw2.runtime import fingerprint
from hw2.runtime.errors import UserError


class Cache:
    """Arrays by what they were made of.

    Args:
        folder: Where the files are; anyone may delete it.
        code: A module of `hw2` that makes the arrays. Its source, and all that it imports, is a
            part of every key, so an edit makes them anew.
    """

    def __init__(self, folder: Path, code: str) -> None:
        root = Path(hw2.__file__).parents[2]
        module = root.joinpath("src", *code.split(".")).with_suffix(".py")
        self._folder, self._code = folder, fingerprint.fingerprint(module, root)

    def get(self, made_of: Mapping[str, Any], make: Callable[[], np.ndarray]) -> np.ndarray:
        """The array that belongs to `made_of`, which is JSON-like; made unless it is there."""
        key = json.dumps({"code": self._code, **made_of}, sort_keys=True)
        path = self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"
        if path.exists():
            try:
                return files.load_arrays(path)["features"]
            except (UserError, KeyError):  # damaged: make it again
                path.unlink()
        result = make()
        files.save_arrays(path, features=result)
        return result
