"""What a stage may read: the parameters that its `params:` list in dvc.yaml names.

DVC reruns a stage when a parameter of that list changes. A stage that could read another one
would keep results that are stale, so reading another one is an error.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

from hw2.config import loader
from hw2.config.params import Params
from hw2.runtime.errors import UserError

DVC_FILE = "dvc.yaml"
PARAMS_FILE = "params.yaml"
ALWAYS = "runtime"  # where to compute, not what; it is nobody's dependency


def keys(stage: str, path: str | Path = DVC_FILE) -> list[str]:
    """The dotted parameter keys of a stage; an empty key stands for the whole of params.yaml.

    Raises:
        UserError: if dvc.yaml has no such stage.
    """
    stages = (loader.read_yaml(path) or {}).get("stages") or {}
    if stage not in stages:
        raise UserError(f"{path}: no stage {stage!r}; {loader.nearest(stage, list(stages))}")
    entry = stages[stage]
    found: list[str] = []
    for item in entry.get("do", entry).get("params") or []:
        if isinstance(item, str):
            found.append(item)
        elif PARAMS_FILE in item:
            found += item[PARAMS_FILE] or [""]
    return found


def view(params: Params, stage: str, allowed: Collection[str]) -> Params:
    """`params` reduced to the keys `allowed` and `runtime`; the type is for the type checker.

    Raises:
        UserError: if dvc.yaml names a parameter that does not exist.
    """
    for key in allowed:
        node: Any = params
        for part in key.split(".") if key else []:
            known = list(type(node).model_fields) if isinstance(node, loader.Section) else []
            if part not in known:
                hint = loader.nearest(part, known)
                raise UserError(f"{DVC_FILE}: stage {stage}: no parameter {key!r}; {hint}")
            node = getattr(node, part)
    if "" in allowed:
        return params
    return cast(Params, _View(params, stage, {*allowed, ALWAYS}))


class _View:
    """The part of a section that may be read."""

    def __init__(self, section: Any, stage: str, allowed: set[str], prefix: str = "") -> None:
        self._section, self._stage, self._allowed, self._prefix = section, stage, allowed, prefix

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(self._section, name):
            raise AttributeError(f"no parameter {self._prefix + name!r}")
        key = self._prefix + name
        value = getattr(self._section, name)
        if key in self._allowed:
            return value
        if any(one.startswith(key + ".") for one in self._allowed):
            return _View(value, self._stage, self._allowed, key + ".")
        raise AttributeError(
            f"stage {self._stage!r} reads {key!r} undeclared; add it to its params: in {DVC_FILE}"
        )
