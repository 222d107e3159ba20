"""Paths of artifacts from paths.yaml, as attributes: `load().ddpm_model`."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from hw2.config import loader
from hw2.runtime.errors import UserError

FILE = "paths.yaml"


class UnknownPath(UserError, AttributeError):
    """A name that is not in paths.yaml."""


class Paths:
    """Paths by their names in paths.yaml, as attributes. Iterating yields the names."""

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
    """Read `root`/paths.yaml. All paths start with `root`.

    Raises:
        UserError: if an entry is not a relative path inside the repository, or is repeated.
    """
    source = Path(root) / FILE
    data = loader.read_yaml(source)
    table = data.get("path") if isinstance(data, dict) else None
    if not isinstance(table, dict):
        raise UserError(f"{source}: should have a single key `path` that maps names to paths")
    names: dict[str, str] = {}
    for name, value in table.items():
        if not isinstance(value, str) or not _inside(value):
            raise UserError(
                f"{source}: path.{name}: {value!r} is not a relative path inside the repository"
            )
        if value in names:
            raise UserError(f"{source}: path.{name} and path.{names[value]} are both {value}")
        names[value] = name
    return Paths(table, Path(root))


def _inside(value: str) -> bool:
    path = PurePosixPath(value)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts
