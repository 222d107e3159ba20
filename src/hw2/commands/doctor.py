"""`hw2 doctor`: check the installation and the checkout before a run.

The checks are functions of the modules `doctor_installation`, `doctor_machine`, `doctor_checkout`
and `doctor_inputs` beside this one. They import heavy packages themselves, so that a package that
is missing or broken fails its own checks only. What every command needs, pydantic and ruamel.yaml,
must be installed.
"""

from collections.abc import Callable, Iterator

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
PARAMETER_CHECKS: tuple[tuple[str, Callable[[params.Params], Finding]], ...] = (
    ("data", inputs.data),
    ("CLIP's images", inputs.clip_images),
    ("files of params.yaml", inputs.named_files),
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
            yield name, _guarded(parameter_check, settings)


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
