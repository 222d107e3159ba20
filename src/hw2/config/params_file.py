"""The text of params.yaml: values in their order, with comments from the schema's descriptions.

`hw2 params --write` rewrites params.yaml and the JSON schema that editors use for completion. Both
are functions of the schema in `hw2.config.schema` and of the values, so a description is written in
one place only.
"""

import io
import json
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from hw2.config import loader, params
from hw2.config.loader import Section
from hw2.io.atomic import atomic_path
from hw2.runtime.errors import UserError

SCHEMA = "docs/params.schema.json"
WIDTH = 110
COMMENT_COLUMN = 39

HEADER = f"""\
# yaml-language-server: $schema={SCHEMA}
# All parameters of the pipeline. `hw2 profile NAME` writes the values of a profile into this file.
# Comments are generated from src/hw2/config/schema: edit them there, then run `hw2 params --write`.
# A comment begins on the line of its key. A key without a value is null.
"""


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out titles of fields, which only repeat their keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def render(values: Mapping[str, Any]) -> str:
    """Return the text of params.yaml with these values, which must be valid parameters.

    DVC's own writer of the file (`dvc exp run -S`) changes nothing but the values that it is told
    to: lists are in the style that it writes, and each comment begins on the line of its key, since
    a comment below a list is lost when the list is set.
    """
    yaml = YAML()
    yaml.default_flow_style = False
    text = io.StringIO()
    yaml.dump(_commented(params.Params, values, depth=0), text)
    return HEADER + re.sub(r"^(?=\w)", "\n", text.getvalue(), flags=re.MULTILINE)


def json_schema() -> str:
    """Return the JSON schema of params.yaml."""
    schema = params.Params.model_json_schema(schema_generator=_WithoutTitles)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write(root: str | Path = ".") -> None:
    """Rewrite params.yaml and its JSON schema in the repository `root`.

    Raises:
        UserError: if params.yaml is not valid.
    """
    for path, text in _generated(Path(root)).items():
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def check(root: str | Path = ".") -> None:
    """Compare params.yaml and its JSON schema in the repository `root` with the schema.

    Raises:
        UserError: if params.yaml is not valid, or one of the two files is out of date.
    """
    for path, text in _generated(Path(root)).items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            raise UserError(f"{path}: out of date with src/hw2/config; run hw2 params --write")


def _generated(root: Path) -> dict[Path, str]:
    path = root / "params.yaml"
    values = loader.read_yaml(path)
    params.parse(values, path)
    return {path: render(values), root / SCHEMA: json_schema()}


def _commented(
    section: type[Section] | None, values: Mapping[str, Any], depth: int
) -> CommentedMap:
    """The values of a section with the descriptions of its fields as comments."""
    tree = CommentedMap()
    for key, value in values.items():
        field = section.model_fields.get(key) if section else None
        tree[key], comments = _entry(field, value, depth)
        if comments:
            comment = _comment(comments, _end_of_line(key, tree[key], depth))
            tree.yaml_add_eol_comment(comment, key, column=COMMENT_COLUMN)
    return tree


def _entry(field: FieldInfo | None, value: Any, depth: int) -> tuple[Any, list[str]]:
    """The value of a key for the writer, and the paragraphs of its comment."""
    section = _section(field.annotation, value) if field else None
    description = (field.description if field else None) or _summary(section)
    paragraphs = [description] if description else []
    if isinstance(value, dict) and value and section:
        return _commented(section, value, depth + 1), paragraphs
    item_sections = _item_sections(field.annotation) if field else ()
    if isinstance(value, dict) and item_sections:
        items = CommentedMap()
        for name, item in value.items():
            item_field = FieldInfo(annotation=_section(item_sections, item))
            items[name], _ = _entry(item_field, item, depth + 1)
        return items, paragraphs
    if isinstance(value, list) and value:
        paragraphs += [
            f"{name}: {item_field.description}"
            for item_section in item_sections
            for name, item_field in item_section.model_fields.items()
        ]
    return value, paragraphs


def _end_of_line(key: str, value: Any, depth: int) -> int:
    """Where the comment of a key begins: after its value, if that is on the same line."""
    scalar = not isinstance(value, list | dict)
    return max(COMMENT_COLUMN, 2 * depth + len(f"{key}: {value} ") if scalar else 0)


def _comment(paragraphs: list[str], start: int) -> str:
    """A comment whose first line begins at the column `start`, and others at `COMMENT_COLUMN`."""
    lines: list[str] = []
    for paragraph in paragraphs:
        lines += textwrap.wrap(
            paragraph,
            WIDTH,
            initial_indent=" " * (COMMENT_COLUMN if lines else start) + "# ",
            subsequent_indent=" " * COMMENT_COLUMN + ("#   " if lines else "# "),
            break_on_hyphens=False,
        )
    return "\n".join(lines).lstrip()


def _section(annotation: Any, value: Any) -> type[Section] | None:
    """The section of an annotation, perhaps one of a union, that has the keys of `value`."""
    if not isinstance(value, dict):
        return None
    candidates = annotation if isinstance(annotation, tuple) else _sections(annotation)
    return next((c for c in candidates if c.model_fields.keys() >= value.keys()), None)


def _sections(annotation: Any) -> tuple[type[Section], ...]:
    """The sections in an annotation that are values themselves, not items of a collection."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return (annotation,)
    if get_origin(annotation) in (tuple, list, dict):
        return ()
    return tuple(s for argument in get_args(annotation) for s in _sections(argument))


def _item_sections(annotation: Any) -> tuple[type[Section], ...]:
    """The sections that are items of the lists or dicts in an annotation."""
    arguments = get_args(annotation)
    find = _sections if get_origin(annotation) in (tuple, list, dict) else _item_sections
    return tuple(section for argument in arguments for section in find(argument))


def _summary(section: type[Section] | None) -> str:
    """The first sentence of a section's docstring."""
    return " ".join((section.__doc__ or "").split("\n\n")[0].split()) if section else ""
