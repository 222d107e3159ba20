"""What dvc.yaml declares for a stage: the parameters and the paths that it may use.

DVC reruns a stage when a declared parameter or dependency changes. A stage that could read another
one would keep stale results, so `DeclaredParams` and `DeclaredPaths` refuse to hand it out.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hw2.config import loader
from hw2.config.params import Params
from hw2.config.paths import Paths
from hw2.runtime.errors import UserError

DVC_FILE = "dvc.yaml"
PARAMS_FILE = "params.yaml"
OUTPUTS = ("outs", "metrics", "plots")  # keys of a stage in dvc.yaml
ALWAYS_READABLE = "runtime"  # where to compute, not what: no stage depends on it

_PATH = re.compile(r"\$\{path\.(\w+)\}")


@dataclass(frozen=True)
class Declaration:
    """The part of a stage's entry in dvc.yaml that binds its function.

    Attributes:
        stage: Name of the stage.
        params: Dotted parameter keys of `params:`.
        paths: Names from paths.yaml in `deps`, `outs`, `metrics`, `plots` and `meta.untracked`;
            the last are caches, and files that a stage only mentions in a message.
    """

    stage: str
    params: tuple[str, ...]
    paths: tuple[str, ...]

    @property
    def sections(self) -> tuple[str, ...]:
        """The top-level sections of params.yaml that have a declared key."""
        return tuple(dict.fromkeys(key.split(".")[0] for key in self.params))


def covers(keys: Iterable[str], key: str) -> bool:
    """Whether `key` is one of the dotted `keys`, or lies in a section that is one of them."""
    return any(f"{key}.".startswith(f"{other}.") for other in keys)


def read(stage: str, path: str | Path = DVC_FILE) -> Declaration:
    """Read the declaration of `stage` from the dvc.yaml at `path`.

    Raises:
        UserError: if dvc.yaml has no such stage.
    """
    return of_entry(stage, entry(stage, path))


def of_entry(stage: str, stage_entry: dict[str, Any]) -> Declaration:
    """The declaration of a stage from its entry in dvc.yaml, as `entry` reads it."""
    untracked = (stage_entry.get("meta") or {}).get("untracked") or []
    names = (*_path_names(stage_entry), *untracked)
    return Declaration(stage, tuple(_param_keys(stage_entry)), names)


def is_partly_in_git(stage_entry: dict[str, Any]) -> bool:
    """Whether an output in this entry is in Git instead of DVC's cache (`cache: false`)."""
    items = _items(stage_entry, *OUTPUTS)
    options = [next(iter(item.values())) or {} for item in items if not isinstance(item, str)]
    return any(option.get("cache") is False for option in options)


def files(
    stage_entry: dict[str, Any], paths: Paths, kinds: tuple[str, ...] = ("deps", *OUTPUTS)
) -> list[Path]:
    """The files and folders of an entry, by default its dependencies and outputs.

    Raises:
        UserError: if it names a path that paths.yaml does not have.
    """
    names = _texts(stage_entry, kinds)
    return [Path(_PATH.sub(lambda match: str(getattr(paths, match[1])), text)) for text in names]


def outputs(stage_entry: dict[str, Any]) -> list[str]:
    """Names from paths.yaml that the stage writes."""
    return _path_names(stage_entry, OUTPUTS)


def entry(stage: str, path: str | Path = DVC_FILE) -> dict[str, Any]:
    """The entry of `stage` in dvc.yaml as it is written.

    Raises:
        UserError: if dvc.yaml has no such stage.
    """
    stages = entries(path)
    need_stage(stage, stages, path)
    return stages[stage]


def entries(path: str | Path = DVC_FILE) -> dict[str, dict[str, Any]]:
    """The entries of all stages in dvc.yaml by name, as they are written."""
    return (loader.read_yaml(path) or {}).get("stages") or {}


def need_stage(stage: str, stages: Collection[str], path: str | Path = DVC_FILE) -> None:
    """Check that a stage is one of `stages`.

    Raises:
        UserError: with the nearest name.
    """
    if stage not in stages:
        raise UserError(f"{path}: no stage {stage!r}; {loader.nearest(stage, list(stages))}")


def _param_keys(entry: dict[str, Any]) -> Iterator[str]:
    for item in entry.get("params") or []:
        if isinstance(item, str):
            yield item
        else:
            yield from item.get(PARAMS_FILE) or []


def _path_names(entry: dict[str, Any], kinds: tuple[str, ...] = ("deps", *OUTPUTS)) -> list[str]:
    return list(
        dict.fromkeys(name for text in _texts(entry, kinds) for name in _PATH.findall(text))
    )


def _texts(entry: dict[str, Any], kinds: tuple[str, ...]) -> list[str]:
    """The dependencies and outputs of a stage as they are written, without their options."""
    items = _items(entry, *kinds)
    return [item if isinstance(item, str) else next(iter(item)) for item in items]


def _items(entry: dict[str, Any], *kinds: str) -> list[Any]:
    return [item for kind in kinds for item in entry.get(kind) or []]


def restrict_params(params: Params, declaration: Declaration) -> "DeclaredParams":
    """Reduce `params` to the declared keys and `runtime`.

    Raises:
        UserError: if dvc.yaml names a parameter that does not exist.
    """
    for key in declaration.params:
        node: Any = params
        for part in key.split("."):
            fields = list(type(node).model_fields) if isinstance(node, loader.Section) else []
            if part not in fields:
                hint = loader.nearest(part, fields)
                raise UserError(
                    f"{DVC_FILE}: stage {declaration.stage}: no parameter {key!r}; {hint}"
                )
            node = getattr(node, part)
    return DeclaredParams(params, declaration)


def restrict_paths(paths: Paths, declaration: Declaration) -> Paths:
    """Reduce `paths` to the declared names; the return type is for type checkers.

    Raises:
        UserError: if dvc.yaml names a path that paths.yaml does not have.
    """
    for name in declaration.paths:
        getattr(paths, name)  # raises UserError with the nearest name
    return cast(Paths, DeclaredPaths(paths, declaration))


class DeclaredParams:
    """A view of a section of params.yaml that hands out declared keys only.

    Attributes:
        reads: dotted keys of the values that were read, of this view and all that it hands out.
    """

    def __init__(
        self,
        section: Any,
        declaration: Declaration,
        prefix: str = "",
        reads: set[str] | None = None,
    ) -> None:
        self._section, self._declaration, self._prefix = section, declaration, prefix
        self.reads: set[str] = set() if reads is None else reads

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """The declared keys of the section as plain values; `options` are pydantic's."""
        values = self._section.model_dump(**options)
        if self._is_declared(self._prefix.rstrip(".")):
            return cast(dict[str, Any], values)
        return _declared_part(values, self._prefix, self._declaration.params)

    def model_copy(self, *, update: dict[str, Any]) -> "DeclaredParams":
        """A view with the same declaration of a copy in which `update` is changed."""
        plain = {
            name: value._section if isinstance(value, DeclaredParams) else value
            for name, value in update.items()
        }
        copy = self._section.model_copy(update=plain)
        return DeclaredParams(copy, self._declaration, self._prefix, self.reads)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in type(self._section).model_fields:
            raise AttributeError(f"no parameter {self._prefix + name!r}")
        key = self._prefix + name
        value = getattr(self._section, name)
        declared = self._is_declared(key)
        if not declared and not any(k.startswith(f"{key}.") for k in self._declaration.params):
            raise AttributeError(
                f"stage {self._declaration.stage!r} reads the undeclared parameter {key!r};"
                f" add it to the stage's params in {DVC_FILE}"
            )
        if isinstance(value, loader.Section):
            return DeclaredParams(value, self._declaration, key + ".", self.reads)
        self.reads.add(key)
        return value

    def _is_declared(self, key: str) -> bool:
        """Whether `key`, or a section that holds it, is declared."""
        return covers((*self._declaration.params, ALWAYS_READABLE), key)


def _declared_part(values: dict[str, Any], prefix: str, keys: Collection[str]) -> dict[str, Any]:
    """The values of a section, whose keys begin with `prefix`, that `keys` declare."""
    kept: dict[str, Any] = {}
    for name, value in values.items():
        key = prefix + name
        if key in keys:
            kept[name] = value
        elif any(other.startswith(key + ".") for other in keys):
            kept[name] = _declared_part(value, key + ".", keys)
    return kept


class DeclaredPaths:
    """A view of paths.yaml that hands out declared names only; iterating gives the names."""

    def __init__(self, paths: Paths, declaration: Declaration) -> None:
        self._paths, self._declaration = paths, declaration

    def __getattr__(self, name: str) -> Path:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._declaration.paths:
            raise AttributeError(
                f"stage {self._declaration.stage!r} uses the undeclared path {name!r};"
                f" add it to the stage's deps or outs in {DVC_FILE}"
            )
        return cast(Path, getattr(self._paths, name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._declaration.paths)
