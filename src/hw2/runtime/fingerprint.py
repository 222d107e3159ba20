"""Fingerprints of code: a hash of all the source that a script can run and that affects results.

The stage `code` writes one fingerprint per stage script, and every stage depends on its own. So an
edit in `src/hw2` reruns the stages that import it; rewording a comment, a docstring, an error
message or a progress line reruns nothing (see `canonical_source`).
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from hw2.runtime import canonical_source
from hw2.runtime.errors import UserError

SCRIPTS = Path("workflow/scripts")
LEFT_OUT = ("hw2.config", "hw2.pipeline", "hw2.runtime")
"""Packages that run a stage but compute nothing of its results.

Values of parameters reach a stage as parameters, which DVC tracks. Nothing in these packages may
affect what a stage writes.
"""


def fingerprint(script: Path, root: Path) -> str:
    """Hash the source that `script` can run: its own, and all of `root/src` that it imports.

    Returns:
        64 hexadecimal digits.
    """
    return _digest(closure(script, root), root)


def scripts(root: Path) -> list[Path]:
    """The scripts of the stages that have a fingerprint: all but `code`, which writes them."""
    found = (root / SCRIPTS).glob("*.py")
    return sorted(script for script in found if script.stem != "code")


def line(script: Path, root: Path) -> str:
    """The content of the file that holds the fingerprint of `script`."""
    return f"{fingerprint(script, root)}\n"


def fingerprint_of_modules(modules: Iterable[str], root: Path) -> str:
    """Hash the source of dotted `modules` of `root/src` and all that they import.

    Returns:
        64 hexadecimal digits.
    """
    paths = [root.joinpath("src", *module.split(".")).with_suffix(".py") for module in modules]
    return _digest(sorted({file for path in paths for file in closure(path, root)}), root)


def closure(script: Path, root: Path) -> list[Path]:
    """Return `script` and the files under `root/src` that it imports, directly or not."""
    reached = {script}
    queue = [script]
    while queue:
        for module in _imported(queue.pop()):
            for path in _files(module, root / "src"):
                if path not in reached:
                    reached.add(path)
                    queue.append(path)
    return sorted(reached)


def _digest(paths: Iterable[Path], root: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        name = path.relative_to(root).as_posix()
        digest.update(f"{name}\0{canonical_source.canonical(path)}\0".encode())
    return digest.hexdigest()


@cache
def _imported(path: Path) -> frozenset[str]:
    """Dotted names that may be modules, from every import in the file, also those in functions."""
    names: set[str] = set()
    for node in ast.walk(canonical_source.parse(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise UserError(
                    f"{path}:{node.lineno}: relative import; write it as `from hw2...`,"
                    " so that the fingerprints of the stages can follow it"
                )
            names.update({f"{node.module}", *(f"{node.module}.{a.name}" for a in node.names)})
    return frozenset(names)


def _files(module: str, source: Path) -> Iterator[Path]:
    """Files that run when `module` is imported: its own, and the packages above it."""
    if any(f"{module}.".startswith(f"{package}.") for package in LEFT_OUT):
        return
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        base = source.joinpath(*parts[:depth])
        package = base / "__init__.py"
        if package.is_file() and canonical_source.canonical(package):
            yield package
    if (file := base.with_suffix(".py")).is_file():
        yield file
