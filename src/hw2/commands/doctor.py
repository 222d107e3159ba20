"""`hw2 doctor` checks the installation and the checkout, and `hw2 plan` what due stages need.

The checks are functions of the modules `doctor_installation`, `doctor_machine`, `doctor_checkout`
and `doctor_inputs` beside this one. They import heavy packages themselves, so that a package that
is missing or broken fails its own checks only. What every command needs, pydantic and ruamel.yaml,
must be installed.
"""

from collections.abc import Callable, Collection, Iterator
from functools import partial

from hw2.commands import doctor_checkout as checkout
from hw2.commands import doctor_inputs as inputs
from hw2.commands import doctor_installation as installation
from hw2.commands import doctor_machine as machine
from hw2.commands.doctor_finding import Finding
from hw2.config import params
from hw2.runtime.errors import UserError

CHECKS: tuple[tuple[str, Callable[[], Finding]], ...] = (
    ("Python", installation.python),
    ("hw2", installation.source),
    ("packages", installation.packages),
    ("torch", installation.torchvision),
    ("memory", machine.memory),
    ("disk", machine.disk),
    ("writable folders", checkout.writable),
    ("Git", checkout.git),
    ("trainings", checkout.trainings),
    ("pretrained models", inputs.pretrained),
)
PARAMETER_CHECKS: tuple[tuple[str, Callable[[params.Params, inputs.Needed], Finding]], ...] = (
    ("data", inputs.data),
    ("CLIP's images", inputs.clip_images),
    ("concepts", inputs.concept_photographs),
    ("files of params.yaml", inputs.named_files),
    ("models of the hub", inputs.hub_models),
)
"""Checks of what the parameters name; they need valid ones."""


def findings() -> Iterator[tuple[str, Finding]]:
    """Run the checks in the working directory, a checkout; yields the name and finding of each."""
    for name, check in CHECKS:
        yield name, _guarded(check)
    settings, finding = _parameters()
    yield "params.yaml", finding
    yield "device", _guarded(machine.device, settings.runtime.device if settings else "auto")
    for name, parameter_check in PARAMETER_CHECKS:
        if settings is None:
            yield name, Finding("warn", "not checked", "correct params.yaml first")
        else:
            yield name, _guarded(parameter_check, settings, lambda key: True)


def preflight(
    settings: params.Params, stages: Collection[str], needed: inputs.Needed
) -> list[tuple[str, Finding]]:
    """Check all that stages will need, in about a second where there is no GPU.

    Args:
        settings: All parameters.
        stages: The names of the stages that will run.
        needed: Whether one of them reads a key of params.yaml.
    """
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("disk", machine.disk),
        ("writable folders", checkout.writable),
        ("GPU", lambda: machine.gpu(settings, stages)),
    ]
    checks += [(name, partial(check, settings, needed)) for name, check in PARAMETER_CHECKS]
    return [(name, _guarded(check)) for name, check in checks] if stages else []


def _parameters() -> tuple[params.Params | None, Finding]:
    """The parameters, None if params.yaml is not valid, and the finding about it."""
    try:
        settings = params.load()
    except Exception as error:
        return None, _failure(error)
    return settings, Finding("ok", f"valid, profile {settings.profile}")


def _guarded(check: Callable[..., Finding], *arguments: object) -> Finding:
    """Run a check; an exception becomes its finding, so that the other checks run."""
    try:
        return check(*arguments)
    except Exception as error:
        return _failure(error)


def _failure(error: Exception) -> Finding:
    if isinstance(error, UserError):
        return Finding("fail", str(error))  # its message ends with the fix
    if isinstance(error, FileNotFoundError):
        return Finding("fail", f"{error.filename}: missing", "restore it from Git")
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, ImportError):
        return Finding("fail", text, installation.REINSTALL)
    return Finding("fail", text, "no fix is known; report it with the output of `hw2 --version`")
