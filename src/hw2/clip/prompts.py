"""Prompt sets: names to templates, in which `{}` stands for the name of a class."""

import re
from collections.abc import Mapping, Sequence

from hw2.runtime.errors import UserError

COURSE = ("A photo of {}.",)
"""The single prompt of the course's assignment."""

_CIFAR = (
    *("a photo of a {}.", "a blurry photo of a {}.", "a black and white photo of a {}."),
    *("a low contrast photo of a {}.", "a high contrast photo of a {}."),
    *("a bad photo of a {}.", "a good photo of a {}."),
    *("a photo of a small {}.", "a photo of a big {}."),
)
CIFAR = (*_CIFAR, *(template.replace("of a", "of the") for template in _CIFAR))
"""OpenAI's 18 for CIFAR-10 and CIFAR-100: github.com/openai/CLIP, data/prompts.md (MIT)."""

ARTICLE = ("a photo of a {}",)
"""The form of the synthetic images' captions."""
TEXTURES = tuple(f"a photo of a {texture} {{}}" for texture in ("plain", "striped", "dotted"))
"""The same for each texture of the synthetic images."""
SHAPES = tuple(
    f"{prefix} {texture} {{}}{position}"
    for prefix in ("a photo of a", "a picture of a", "a")
    for texture in ("plain", "striped", "dotted")
    for position in ("", *(f" on a {b} background" for b in ("gray", "pink", "brown", "cyan")))
)
"""Every form of the synthetic images' captions: prefix, texture and background."""


def built_in() -> dict[str, tuple[str, ...]]:
    """The built-in prompt sets; the 80 templates for ImageNet are constants of open_clip."""
    from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES  # slow to import

    return {
        "course": COURSE,
        "article": ARTICLE,
        "cifar18": CIFAR,
        "imagenet80": tuple(template("{}") for template in OPENAI_IMAGENET_TEMPLATES),
        "textures": TEXTURES,
        "shapes": SHAPES,
    }


def select(names: Sequence[str], custom: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The prompt sets `names`, in order; sets in `custom` take precedence over built-in ones.

    Raises:
        UserError: if a name is in neither.
    """
    available = built_in() | {name: tuple(templates) for name, templates in custom.items()}
    for name in names:
        if name not in available:
            raise UserError(
                f"clip.zero_shot.prompts: no prompt set {name!r}; choose from"
                f" {', '.join(available)}, or write its templates into"
                " clip.zero_shot.custom_prompts"
            )
    return {name: available[name] for name in names}


def words() -> tuple[str, ...]:
    """Every word of the built-in sets, which the small CLIP's tokenizer keeps as single tokens."""
    text = " ".join(template for templates in built_in().values() for template in templates)
    plain = re.sub(r"[^a-z]", " ", text.lower())
    return tuple(sorted(set(plain.split())))
