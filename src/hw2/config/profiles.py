"""Profiles: sets of parameter values in profiles.yaml that `hw2 profile` writes into params.yaml.

`demo`, the default, holds a value for each key that any other profile overrides. Another profile
holds only the values in which it differs from `demo`.
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hw2.config import loader, params, params_file
from hw2.io.atomic import atomic_path
from hw2.runtime.errors import UserError

FILE = "profiles.yaml"
DEFAULT = "demo"


def names(path: str | Path = FILE) -> list[str]:
    """Return the names of all profiles, in the order of the file."""
    return list(_read(path))


def apply(
    name: str,
    params_path: str | Path = "params.yaml",
    values: Mapping[str, Any] | None = None,
) -> None:
    """Write the values of profile `name`, then `values`, into a params.yaml.

    The profiles are read from the profiles.yaml beside it. Keys that no profile mentions stay.

    Raises:
        UserError: for an unknown profile or key, or a value that params.yaml does not allow. The
            file is then left unchanged.
    """
    path = Path(params_path).with_name(FILE)
    profiles = _read(path)
    if name not in profiles:
        raise UserError(f"{path}: no profile {name!r}; {loader.nearest(name, list(profiles))}")
    overlaid = profiles[DEFAULT] | profiles[name]
    set_values(params_path, {"profile": name} | overlaid | dict(values or {}))


def set_values(path: str | Path, values: Mapping[str, Any]) -> None:
    """Set dotted keys of a params.yaml, e.g. `{"ddpm.train.steps": 10}`, in one atomic write.

    Raises:
        UserError: for an unknown key or a value that is not allowed. The file is then left
            unchanged.
    """
    tree = loader.read_yaml(path)
    for key, value in values.items():
        _set(tree, key, value, path)
    params.parse(tree, path)
    with atomic_path(path) as temporary:
        temporary.write_text(params_file.render(tree), encoding="utf-8")


def _set(tree: dict[str, Any], key: str, value: Any, path: str | Path) -> None:
    node: Any = tree
    *parents, last = key.split(".")
    for name in [*parents, last]:
        if not isinstance(node, dict) or name not in node:
            keys = list(node) if isinstance(node, dict) else []
            raise UserError(f"{path}: no key {key!r}; {loader.nearest(name, keys)}")
        parent, node = node, node[name]
    parent[last] = list(value) if isinstance(value, tuple) else copy.deepcopy(value)


def _read(path: str | Path) -> dict[str, dict[str, Any]]:
    """Return each profile's values by dotted key; every key is one of the default profile's."""
    profiles = loader.read_yaml(path)
    if not isinstance(profiles, dict) or not isinstance(profiles.get(DEFAULT), dict):
        raise UserError(f"{path}: should map {DEFAULT} and other profiles to keys and values")
    for name, values in profiles.items():
        if not isinstance(values, dict):
            raise UserError(f"{path}: {name} should be a group of keys and values")
        for key in values.keys() - profiles[DEFAULT].keys():
            raise UserError(f"{path}: {name} overrides {key}; give {DEFAULT} a value for it too")
    return profiles
