"""The text of params.yaml: values in their order, with comments from the schema's descriptions.

`hw2 params --write` rewrites params.yaml and the JSON schema that editors use for completion. Both
are functions of the schema in `hw2.config.schema` and of the values, so a description is written in
one place only.
"""

import io
import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from ruamel.yaml import YAML

from hw2.config import loader, params
from hw2.config.loader import Section
from hw2.io.atomic import atomic_path
from hw2.runtime.errors import UserError

SCHEMA = "docs/params.schema.json"
WIDTH = 110
COMMENT_COLUMN = 40

HEADER = f"""\
# yaml-language-server: $schema={SCHEMA}
# All parameters of the pipeline. `hw2 profile NAME` writes the values of a profile into this file.
# Comments are generated from src/hw2/config/schema: edit them there, then run `hw2 params --write`.
"""


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out titles of fields, which only repeat their keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def render(values: Mapping[str, Any]) -> str:
    """Return the text of params.yaml with these values, which must be valid parameters."""
    blocks = (
        "\n".join(_entry(params.Params.model_fields[key], key, value, indent=""))
        for key, value in values.items()
    )
    return HEADER + "\n" + "\n\n".join(blocks) + "\n"


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


def _entry(field: FieldInfo | None, key: str, value: Any, indent: str) -> Iterator[str]:
    """Yield the lines of one key: a comment, and the value or the keys below it."""
    section = _section(field.annotation, value) if field else None
    description = (field.description if field else None) or _summary(section)
    if isinstance(value, dict) and value and section:
        yield from _commented(f"{indent}{key}:", description, indent)
        for name, item in value.items():
            yield from _entry(section.model_fields.get(name), name, item, indent + "  ")
        return
    item_sections = _item_sections(field.annotation) if field else ()
    if isinstance(value, dict) and item_sections:
        yield from _commented(f"{indent}{key}:", description, indent)
        for name, item in value.items():
            item_field = FieldInfo(annotation=_section(item_sections, item))
            yield from _entry(item_field, name, item, indent + "  ")
        return
    line = f"{indent}{key}: {_flow(value)}"
    if isinstance(value, list) and value and (item_sections or len(line) > WIDTH):
        yield from _comment(description, indent)
        for item_section in item_sections:
            for name, item_field in item_section.model_fields.items():
                yield from _comment(f"  {name}: {item_field.description}", indent)
        yield f"{indent}{key}:"
        for item in value:
            yield from _item(item, indent + "  ")
    else:
        yield from _commented(line, description, indent)


def _item(item: Any, indent: str) -> Iterator[str]:
    """Yield an item of a list: one line, or if that is too long one for each key and subitem."""
    line = f"{indent}- {_flow(item)}"
    if not isinstance(item, dict) or len(line) <= WIDTH:
        yield line
        return
    for position, (name, value) in enumerate(item.items()):
        key = f"{indent}{'  ' if position else '- '}{name}:"
        if isinstance(value, list) and len(f"{key} {_flow(value)}") > WIDTH:
            yield key
            yield from (f"{indent}    - {_flow(subitem)}" for subitem in value)
        else:
            yield f"{key} {_flow(value)}"


def _commented(line: str, description: str, indent: str) -> Iterator[str]:
    """Yield the line with its comment at the end if there is room, otherwise above."""
    text = f"{line:<{COMMENT_COLUMN - 1}} # {description}"
    if not description or len(text) > WIDTH or len(line) > COMMENT_COLUMN - 2:
        yield from _comment(description, indent)
        yield line
    else:
        yield text


def _comment(text: str, indent: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}#   " if text.startswith(" ") else f"{indent}# ",
        break_on_hyphens=False,
    )


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


def _flow(value: Any) -> str:
    """YAML of a value on one line."""
    yaml = YAML()
    yaml.default_flow_style = True
    yaml.width = 100_000
    yaml.representer.add_representer(
        type(None), lambda writer, _: writer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    text = io.StringIO()
    # In a mapping, because a mapping of one key loses its braces in a sequence.
    yaml.dump({"_": value}, text)
    return text.getvalue().strip().removeprefix("{_: ").removesuffix("}")
