"""Runs a stage as the pipeline does, on artifacts below a folder of the test."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch

from hw2.config import params, paths
from hw2.pipeline import binding, declared

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")


def artifacts_in(folder: Path, **elsewhere: Path) -> SimpleNamespace:
    """Every path of paths.yaml by its name, below `folder` unless `elsewhere` has it."""
    table = paths.load(ROOT)
    below = {name: folder / getattr(table, name).relative_to(ROOT) for name in table}
    unknown = elsewhere.keys() - below.keys()
    assert not unknown, f"not in {paths.FILE}: {unknown}"
    return SimpleNamespace(**(below | elsewhere))


def changed(settings: Any, section: str, **values: object) -> Any:
    """A copy of all parameters with keys of `section`, such as "faces.ddim", changed.

    Other than with `mini_with`, the values may be any objects and are not checked.
    """
    name, _, rest = section.partition(".")
    before = getattr(settings, name)
    after = changed(before, rest, **values) if rest else before.model_copy(update=values)
    return settings.model_copy(update={name: after})


def run_stage(
    stage: ModuleType, settings: params.Params, artifacts: SimpleNamespace, **changes: Path
) -> Any:
    """Call `stage.run` with the arguments that the pipeline would pass, but on the CPU.

    Args:
        stage: A module of `hw2.stages`. It sees only what dvc.yaml declares for it.
        settings: All parameters.
        artifacts: All paths, from `artifacts_in`.
        changes: Paths by name that differ from those in `artifacts`.

    Raises:
        UserError: naming an argument of `run` that dvc.yaml does not declare.
    """
    name = stage.__name__.rpartition(".")[2]
    declaration = _declaration(name)
    all_paths = SimpleNamespace(**(vars(artifacts) | changes))
    arguments = binding.arguments(
        stage.run,
        declaration,
        declared.restrict_params(settings, declaration),
        declared.restrict_paths(all_paths, declaration),  # type: ignore[arg-type]
        {"device": CPU, "checkpoints": all_paths.checkpoints / name}.__getitem__,
    )
    unused = changes.keys() - arguments.keys()
    assert not unused, f"{name} takes no {', '.join(sorted(unused))}"
    return stage.run(**arguments)


def run_stages(
    stages: Iterable[ModuleType], settings: params.Params, artifacts: SimpleNamespace
) -> None:
    """Run several stages in this order."""
    for stage in stages:
        run_stage(stage, settings, artifacts)


def contents(path: Path) -> dict[Path, bytes]:
    """The bytes of a file, or of every file in a folder, by path below `path`."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return {file.relative_to(path): file.read_bytes() for file in files}


def assert_same_bytes(first: SimpleNamespace, second: SimpleNamespace, *names: str) -> None:
    """Check that artifacts of two runs, files or folders, are the same and not empty."""
    for name in names:
        expected = contents(getattr(second, name))
        assert expected, name
        assert contents(getattr(first, name)) == expected, name


@cache
def _declaration(stage: str) -> declared.Declaration:
    return declared.read(stage, ROOT / declared.DVC_FILE)
