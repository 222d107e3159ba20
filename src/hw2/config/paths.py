"""The artefact paths of paths.yaml as attributes: `load().packed`."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from hw2.config import loader
from hw2.runtime.errors import UserError

FILE = "paths.yaml"


class UnknownPath(UserError, AttributeError):
    """A name that paths.yaml does not have."""


class Paths:
    """Names of paths.yaml to paths; iterating gives the names."""

    def __init__(self, table: Mapping[str, str], root: Path) -> None:
        self._table = {name: root / value for name, value in table.items()}

    def __getattr__(self, name: str) -> Path:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._table[name]
        except KeyError:
            hint = loader.nearest(name, list(self._table))
            raise UnknownPath(f"{FILE}: no path {name!r}; {hint}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)


def load(root: str | Path = ".") -> Paths:
    """Read `root`/paths.yaml; the paths start with `root`.

    Raises:
        UserError: if an entry is not a relative path inside the repository, or is there twice.
    """
    source = Path(root) / FILE
    data = loader.read_yaml(source)
    table = data.get("path") if isinstance(data, dict) else None
    if not isinstance(table, dict):
        raise UserError(f"{source}: should hold one key `path` with name: path below it")
    seen: dict[str, str] = {}
    for name, value in table.items():
        if not isinstance(value, str) or not _inside(value):
            raise UserError(f"{source}: path.{name}: {value!r} is no path below the repository")
        if value in seen:
            raise UserError(f"{source}: path.{name} and path.{seen[value]} are both {value}")
        seen[value] = name
    return Paths(table, Path(root))


def _inside(value: str) -> bool:
    path = PurePosixPath(value)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts
