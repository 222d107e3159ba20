"""YAML read strictly into frozen models: every problem is one line with key, value and remedy."""

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
    """A part of a file: unknown keys, wrong types, NaN and later changes are all refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
    )


S = TypeVar("S", bound=Section)


def read_yaml(path: str | Path) -> Any:
    """Read YAML 1.2 as DVC does (`1e-4` is a number, `on` is text; no tags that run code).

    Raises:
        UserError: if the file is missing, or is not YAML (with the line), or repeats a key.
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


def read_value(text: str) -> Any:
    """Read one value as `read_yaml` does; what is not YAML is text."""
    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return text


def parse(model: type[S], data: Any, source: str | Path) -> S:
    """Make a `model` of `data` (what `read_yaml` returned).

    Raises:
        UserError: with one line per problem.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise UserError(listed(source, _problems(model, error))) from None


def listed(source: str | Path, problems: list[str]) -> str:
    """One line for one problem, a heading and a line each for several."""
    if len(problems) == 1:
        return f"{source}: {problems[0]}"
    return "\n  ".join([f"{source}: {len(problems)} problems", *problems])


def nearest(name: str, known: list[str]) -> str:
    """A hint for an unknown name: the most similar known one, or all of them."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"


def _problems(model: type[BaseModel], error: ValidationError) -> list[str]:
    """One line per key; the alternatives of a union are joined by "or"."""
    found: dict[str, tuple[list[str], str]] = {}
    problems = error.errors(include_url=False)
    for problem in problems:
        if problem["type"] == "too_short" and _has_bad_items(problem["loc"], problems):
            continue
        owner, key, about = _locate(model, problem["loc"])
        given = problem["input"]
        match problem["type"]:
            case "extra_forbidden":
                said, about = "unknown key", nearest(str(problem["loc"][-1]), list(owner))
            case "missing":
                said, about = "missing", f"add it: {about}" if about else "add it"
            case "model_type":
                said = "should be a group of keys"
            case "string_pattern_mismatch":
                said = f"{given!r} is not allowed"
            case _ if _quoted_number(given):
                said = f"{given!r} is text; write the number without quotes"
            case _:
                said = f"{given!r} is not allowed; {_lower(problem['msg'])}"
        sayings, _ = found.setdefault(key, ([], about))
        rest = said.split("; ", 1)[-1] if sayings else said
        if rest not in sayings and said not in sayings:
            sayings.append(rest)
    return [
        f"{key}: {' or '.join(said)}{f' ({about})' if about else ''}".removeprefix(": ")
        for key, (said, about) in found.items()
    ]


def _has_bad_items(loc: tuple[int | str, ...], problems: Sequence[ErrorDetails]) -> bool:
    """Whether a list is short only because its items were refused, which is said already."""
    return any(other["loc"][: len(loc)] == loc != other["loc"] for other in problems)


def _locate(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[dict[str, Any], str, str]:
    """The fields beside the place `loc`, its dotted key without union tags, its description."""
    owner, path, about = dict(model.model_fields), [str(loc[0])] if loc else [], ""
    inner: type[BaseModel] | None = model
    for place, part in enumerate(loc):
        if inner is None:
            if isinstance(part, int):
                path.append(str(part))
            continue
        owner = dict(inner.model_fields)
        if place:
            path.append(str(part))
        field = owner.get(str(part))
        about = _first_sentence(field.description or "") if field else ""
        inner = _model_in(field.annotation) if field else None
    return owner, ".".join(path), about


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
