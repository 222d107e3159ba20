"""Write a column of profiles.yaml into params.yaml; comments and layout survive."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq

from hw2.config import loader, params
from hw2.io.atomic import atomic_path
from hw2.runtime.errors import UserError

TABLE = "profiles.yaml"


def names(table: str | Path = TABLE) -> list[str]:
    """The profiles, in the order of the table's first row."""
    return list(next(iter(_rows(table).values())))


def apply(
    name: str,
    params_path: str | Path = "params.yaml",
    values: Mapping[str, Any] | None = None,
) -> None:
    """Write profile `name` of the profiles.yaml beside `params_path` into it.

    The keys that differ between profiles and `profile:` are set, then those of `values`; all others
    stay.

    Raises:
        UserError: for an unknown profile or key, or a value that params.yaml does not allow; the
            file stays as it was.
    """
    table = Path(params_path).with_name(TABLE)
    rows = _rows(table)
    if name not in names(table):
        raise UserError(f"{table}: no profile {name!r}; {loader.nearest(name, names(table))}")
    column = {key: row[name] for key, row in rows.items()}
    set_values(params_path, {"profile": name} | column | dict(values or {}))


def set_values(path: str | Path, values: Mapping[str, Any]) -> None:
    """Set dotted keys of a params.yaml, e.g. `{"ddpm.train.steps": 10}`, in one atomic write.

    Raises:
        UserError: for an unknown key or a value that is not allowed; the file stays as it was.
    """
    loader.read_yaml(path)  # for its one-line errors
    yaml = _round_trip()
    tree = yaml.load(Path(path).read_text(encoding="utf-8"))
    for key, value in values.items():
        _set(tree, key, value, path)
    text = io.StringIO()
    yaml.dump(tree, text)
    params.parse(YAML(typ="safe", pure=True).load(text.getvalue()), path)
    with atomic_path(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def _set(tree: Any, key: str, value: Any, path: str | Path) -> None:
    *parents, last = key.split(".")
    node = tree
    for part in [*parents, last]:
        if not isinstance(node, dict) or part not in node:
            known = list(node) if isinstance(node, dict) else []
            raise UserError(f"{path}: no key {key!r}; {loader.nearest(part, known)}")
        holder, node = node, node[part]
    if isinstance(node, CommentedSeq) and isinstance(value, list | tuple):
        node[:] = list(value)  # in place, so that it stays on its line
        node.fa.set_flow_style()  # an empty one forgets it
    else:
        holder[last] = value


def _round_trip() -> YAML:
    yaml = YAML()
    yaml.width = 4096  # never fold a line
    yaml.preserve_quotes = True
    yaml.representer.add_representer(
        type(None), lambda writer, _: writer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    return yaml


def _rows(table: str | Path) -> dict[str, dict[str, Any]]:
    """Dotted key to the value in each profile; every row has the same profiles."""
    rows = loader.read_yaml(table)
    if not isinstance(rows, dict) or not rows:
        raise UserError(f"{table}: should be a table of key: {{profile: value}}")
    first = next(iter(rows.values()))
    for key, row in rows.items():
        if not isinstance(row, dict) or row.keys() != first.keys():
            raise UserError(f"{table}: {key} should have a value for each of {', '.join(first)}")
    return rows
