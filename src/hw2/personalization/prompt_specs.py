"""The course's input.json: the prompts that images are generated from, by concept."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw2.io import files
from hw2.runtime.errors import UserError

_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")  # used as a folder name
_TOKEN = re.compile(r"<[A-Za-z0-9_-]{1,30}>")
_FIELDS = ("token_name", "prompt", "prompt_4_clip_eval", "baseline")
TEXT_KEPT = 0.9
"""The share of the initializer's text score that a learned token should keep."""


@dataclass(frozen=True)
class PromptSpec:
    """A concept's prompts.

    Attributes:
        key: Name of the folder of its images.
        token: Its token.
        prompts: Prompts of the images; each contains the token.
        eval_prompts: Texts of the text score, one for each prompt.
        baselines: Minimum (image score, text score) for each prompt; None if training sets them.
    """

    key: str
    token: str
    prompts: tuple[str, ...]
    eval_prompts: tuple[str, ...]
    baselines: tuple[tuple[float, float], ...] | None


def read(path: Path) -> tuple[PromptSpec, ...]:
    """Read and check an input.json with any number of concepts and prompts.

    Prompts are only passed to the tokenizer. Keys and tokens become file names, so they may contain
    only letters, digits, _ and -.

    Raises:
        UserError: naming the entry that is wrong.
    """
    entries = files.read_json(path)
    if not isinstance(entries, dict) or not entries:
        raise UserError(f'{path}: should be {{"0": {{"token_name": ...}}, ...}}; correct it')
    prompt_specs = tuple(_entry(path, key, entry) for key, entry in entries.items())
    tokens = [spec.token for spec in prompt_specs]
    if len(set(tokens)) < len(tokens):
        raise UserError(f"{path}: two entries have the same token_name; make them differ")
    return prompt_specs


def completed(path: Path, scores: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, Any]:
    """The content of an input.json in which no baseline is null.

    A missing baseline is set from the graded images of the same prompt with the initializer in the
    place of the token: the image score should be above theirs, so that a token that learned
    nothing fails, and the text score should reach `TEXT_KEPT` of theirs.

    Args:
        path: An input.json that `read` accepts.
        scores: By token, the graded (image, text) score of its initializer for each prompt.
    """
    entries: dict[str, Any] = files.read_json(path)
    for spec in read(path):
        if spec.baselines is None:
            entries[spec.key]["baseline"] = [
                [(math.floor(10 * image) + 1) / 10, round(TEXT_KEPT * text, 1)]
                for image, text in scores[spec.token]
            ]
    return entries


def _entry(path: Path, key: str, entry: Any) -> PromptSpec:
    if not _KEY.fullmatch(key):
        raise UserError(
            f"{path}: key {key!r} becomes a folder name; use letters, digits, _ and - only"
        )
    where = f"{path}: entry {key!r}"
    if not isinstance(entry, dict) or any(name not in entry for name in _FIELDS):
        raise UserError(f"{where}: should have {', '.join(_FIELDS)}; complete it")
    token, prompts, eval_prompts = entry["token_name"], entry["prompt"], entry["prompt_4_clip_eval"]
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise UserError(f"{where}: token_name {token!r} should have the form <new1>; correct it")
    for name, texts in (("prompt", prompts), ("prompt_4_clip_eval", eval_prompts)):
        if not isinstance(texts, list) or not texts:
            raise UserError(f"{where}: {name} should be a list of lines of text; correct it")
        for number, text in enumerate(texts, start=1):
            if problem := _problem(text):
                raise UserError(f"{where}: {name}, line {number} {problem}; correct it")
    without_token = [text for text in prompts if token not in text]
    if without_token:
        raise UserError(
            f"{where}: prompt {without_token[0]!r} does not contain {token}; correct one of them"
        )
    baselines = entry["baseline"]
    if baselines is None and len(prompts) == len(eval_prompts):
        return PromptSpec(key, token, tuple(prompts), tuple(eval_prompts), None)
    valid = isinstance(baselines, list) and all(map(_is_pair, baselines))
    if not valid or not len(prompts) == len(eval_prompts) == len(baselines):
        raise UserError(
            f"{where}: {len(prompts)} prompts, {len(eval_prompts)} for the evaluation, and a"
            " different number of baselines [image, text]; give as many of each"
        )
    pairs = tuple((float(image), float(text)) for image, text in baselines)
    return PromptSpec(key, token, tuple(prompts), tuple(eval_prompts), pairs)


def _problem(text: Any) -> str | None:
    """Why a value is not a line of text, if it is not."""
    if not isinstance(text, str):
        return f"is of type {type(text).__name__}, not a text"
    if not text.strip():
        return "is empty"
    bad = next((letter for letter in text if not letter.isprintable()), None)
    if bad is None:
        return None
    return f"has the character U+{ord(bad):04X} after {text[: text.index(bad)][-20:]!r}"


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(x, int | float) and not isinstance(x, bool) for x in value)
    )
