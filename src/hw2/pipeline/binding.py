"""Binding of a stage's function: its arguments come by name from what dvc.yaml declares.

A stage function names the sections of params.yaml and the paths of paths.yaml that it uses, for
instance `run(ddpm, *, digits_arrays, ddpm_model, checkpoints, device)`. A name that dvc.yaml does
not declare for the stage is an error before any work starts.
"""

import inspect
from collections.abc import Callable
from typing import Any

from hw2.config import loader
from hw2.pipeline.declared import DVC_FILE, Declaration
from hw2.runtime.errors import UserError

CONTEXT = ("checkpoints", "device", "paths", "provenance")
"""Arguments that every stage may take: its folder of resume files, the torch device, the view of
all its declared paths, and what the results were made from."""


def argument_names(function: Callable[..., object]) -> tuple[str, ...]:
    """The names of the arguments of `function` that have no default value."""
    parameters = inspect.signature(function).parameters.values()
    return tuple(p.name for p in parameters if p.default is inspect.Parameter.empty)


def check(function: Callable[..., object], declaration: Declaration) -> None:
    """Check that dvc.yaml declares every argument of `function`.

    Raises:
        UserError: naming the argument and the nearest declared name.
    """
    names = [*declaration.sections, *declaration.paths, *CONTEXT]
    for name in argument_names(function):
        if name not in names:
            raise UserError(
                f"{DVC_FILE}: stage {declaration.stage}: its function takes {name!r}, which is"
                f" neither a declared parameter section nor a declared path;"
                f" {loader.nearest(name, names)}"
            )


def arguments(
    function: Callable[..., object],
    declaration: Declaration,
    params: Any,
    paths: Any,
    context: Callable[[str], Any],
) -> dict[str, Any]:
    """The keyword arguments to call `function` with.

    Args:
        params: View of the parameters, by attribute.
        paths: View of the paths, by attribute.
        context: Makes an argument of `CONTEXT` by name, on demand: `device` imports torch.

    Raises:
        UserError: as `check` does.
    """
    check(function, declaration)

    def value(name: str) -> Any:
        if name in CONTEXT:
            return context(name)
        return getattr(params if name in declaration.sections else paths, name)

    return {name: value(name) for name in argument_names(function)}
