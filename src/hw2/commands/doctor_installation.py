"""Checks of `hw2 doctor` on Python and the installed packages."""

import importlib.util
import platform
import re
import sys
from importlib import metadata
from pathlib import Path

import hw2
from hw2.commands.doctor_finding import Finding

MINIMUM_PYTHON = (3, 11)  # as `requires-python` of pyproject.toml
REINSTALL = "install the locked versions with `make clean install`"


def python() -> Finding:
    """Whether this Python is new enough."""
    version = platform.python_version()
    if sys.version_info[:2] >= MINIMUM_PYTHON:
        return Finding("ok", version)
    minimum = ".".join(map(str, MINIMUM_PYTHON))
    return Finding(
        "fail",
        f"{version}, but hw2 needs {minimum} or later",
        f"install it and run `make clean install PYTHON=python{minimum}`",
    )


def source() -> Finding:
    """Whether the imported hw2 is that of this checkout, whose source the stages run."""
    imported = Path(hw2.__file__ or "").resolve().parent
    if imported == Path("src/hw2").resolve():
        return Finding("ok", "imported from src/hw2")
    return Finding(
        "warn",
        f"imported from {imported}, not from this checkout, whose source the stages run",
        "run `make install` here and activate its .venv",
    )


def packages() -> Finding:
    """The installed versions of the direct dependencies against requirements.lock.

    A difference is a warning, because pyproject.toml allows a range of versions.
    """
    locked = _locked_versions()
    missing, different = [], []
    names = _dependencies()
    for name in names:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        wanted = locked.get(_normalized(name), [])
        if version.partition("+")[0] not in wanted:  # torch 2.15.0+cpu is a build of 2.15.0
            different.append(f"{name} {version} (locked: {' or '.join(wanted) or 'none'})")
    if missing:
        return Finding("fail", f"not installed: {', '.join(missing)}", REINSTALL)
    if different:
        return Finding("warn", ", ".join(different), f"if a run fails, {REINSTALL}")
    return Finding("ok", f"the {len(names)} main packages have the versions of requirements.lock")


def _dependencies() -> list[str]:
    import tomllib  # here, because Python 3.10 lacks it, and the check `python` should say so

    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [re.split(r"[^\w.-]", item, maxsplit=1)[0] for item in project["dependencies"]]


def _locked_versions() -> dict[str, list[str]]:
    """Versions by normalized name; a package may have one for each range of Python versions."""
    text = Path("requirements.lock").read_text(encoding="utf-8")
    versions: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, flags=re.MULTILINE):
        versions.setdefault(_normalized(name), []).append(version)
    return versions


def _normalized(name: str) -> str:
    """The form of a package name in which `-`, `_`, `.` and case do not count (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def torchvision() -> Finding:
    """Whether torch imports, and torchvision's compiled operators load into it.

    A torchvision for another torch cannot be imported, because these operators do not load:
    "operator torchvision::nms does not exist". They are loaded without importing torchvision,
    which takes several seconds.
    """
    import torch

    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return Finding("fail", "torchvision is not installed", REINSTALL)
    versions = f"torch {torch.__version__}, torchvision {metadata.version('torchvision')}"
    libraries = sorted(Path(spec.origin).parent.glob("_C*.so"))
    try:
        for library in libraries:
            torch.ops.load_library(library)
    except OSError as error:
        problem = str(error.__cause__ or error)  # torch's own message has no reason
    else:
        loaded = libraries and hasattr(torch.ops.torchvision, "nms")
        problem = "" if loaded else "operator torchvision::nms does not exist"
    if problem:
        return Finding("fail", f"{versions} do not fit each other ({problem})", REINSTALL)
    return Finding("ok", f"{versions} fit each other")
