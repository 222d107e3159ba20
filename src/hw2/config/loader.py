"""Strict reading of YAML into frozen models. Each error is one line: key, value, what to do."""

import difflib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from hw2.runtime.errors import UserError


class Section(BaseModel):
    """A group of keys. Unknown keys, wrong types, NaN and later changes are errors."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
    )


SectionT = TypeVar("SectionT", bound=Section)
# What ruamel raises for a date of month 13, `!!int x`, `!!bool x`, and nesting without end.
_VALUE_ERRORS = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


def read_yaml(path: str | Path) -> Any:
    """Read YAML 1.2 as DVC does: `1e-4` is a number, `on` is text, tags that run code are errors.

    Raises:
        UserError: if the file is missing, is not YAML (with the line), or repeats a key.
    """
    try:
        return YAML(typ="safe", pure=True).load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); restore it from Git") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{path}{line}: not valid YAML, {error.problem}") from None
    except YAMLError as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: not valid YAML, {reason}") from None
    except _VALUE_ERRORS as error:
        reason = str(error).splitlines()[0][:100]
        raise UserError(f"{path}: not valid YAML, a value cannot be read: {reason}") from None


def read_value(text: str) -> Any:
    """Read a single value as `read_yaml` does. Text that is not YAML is returned unchanged."""
    try:
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, *_VALUE_ERRORS):
        return text


def parse(model: type[SectionT], data: Any, source: str | Path) -> SectionT:
    """Build a `model` from `data`, plain dicts and lists as `read_yaml` returns them.

    Raises:
        UserError: with one line per problem.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise UserError(listed(source, _problems(model, error))) from None


def listed(source: str | Path, problems: list[str]) -> str:
    """Format a single problem as one line, several as a heading and a line for each."""
    if len(problems) == 1:
        return f"{source}: {problems[0]}"
    return "\n  ".join([f"{source}: {len(problems)} problems", *problems])


def nearest(name: str, names: list[str]) -> str:
    """Return a hint for an unknown name: the most similar known name, or all of them."""
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"


def _problems(model: type[BaseModel], error: ValidationError) -> list[str]:
    """One line per key; the alternatives of a union are joined by "or"."""
    messages: dict[str, list[str]] = {}
    hints: dict[str, str] = {}
    problems = error.errors(include_url=False)
    for problem in problems:
        if problem["type"] == "too_short" and _has_bad_items(problem["loc"], problems):
            continue
        key, message, hint = _describe(model, problem)
        hints.setdefault(key, hint)
        earlier = messages.setdefault(key, [])
        alternative = message.split("; ", 1)[-1] if earlier else message
        if alternative not in earlier and message not in earlier:
            earlier.append(alternative)
    return [
        f"{key}: {' or '.join(alternatives)}{f' ({hints[key]})' if hints[key] else ''}"
        .removeprefix(": ")
        for key, alternatives in messages.items()
    ]  # fmt: skip


def _describe(model: type[BaseModel], problem: ErrorDetails) -> tuple[str, str, str]:
    """The dotted key of a problem, its message, and a hint: the description or a similar key."""
    fields, key, description = _locate(model, problem["loc"])
    value = problem["input"]
    match problem["type"]:
        case "extra_forbidden":
            return key, "unknown key", nearest(str(problem["loc"][-1]), list(fields))
        case "missing":
            return key, "missing", f"add it: {description}" if description else "add it"
        case "model_type":
            return key, "should be a group of keys", description
        case "string_pattern_mismatch":
            return key, f"{value!r} is not allowed", description
        case _ if _quoted_number(value):
            return key, f"{value!r} is text; write the number without quotes", description
        case _:
            return key, f"{value!r} is not allowed; {_lower(problem['msg'])}", description


def _has_bad_items(loc: tuple[int | str, ...], problems: Sequence[ErrorDetails]) -> bool:
    """Whether a list is too short only because its items are invalid, which is reported anyway."""
    return any(other["loc"][: len(loc)] == loc != other["loc"] for other in problems)


def _locate(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[dict[str, Any], str, str]:
    """The fields beside the key at `loc`, its dotted name without union tags, its description."""
    fields, key, description = dict(model.model_fields), [str(loc[0])] if loc else [], ""
    inner: type[BaseModel] | None = model
    for depth, name in enumerate(loc):
        if inner is None:
            if isinstance(name, int):
                key.append(str(name))
            continue
        fields = dict(inner.model_fields)
        if depth:
            key.append(str(name))
        field = fields.get(str(name))
        description = _first_sentence(field.description or "") if field else ""
        inner = _model_in(field.annotation) if field else None
    return fields, ".".join(key), description


def _first_sentence(description: str) -> str:
    return description.split(". ")[0].removesuffix(".")


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((a for a in map(_model_in, get_args(annotation)) if a), None)


def _quoted_number(value: Any) -> bool:
    try:
        return isinstance(value, str) and math.isfinite(float(value))
    except ValueError:
        return False


def _lower(message: str) -> str:
    message = message.removeprefix("Value error, ")
    message = message.removeprefix("Input ").replace("Tuple", "list").replace("tuple", "list")
    return message[:1].lower() + message[1:]
