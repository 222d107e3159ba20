"""Sentences that a concept is learned in; `{}` stands for its token."""

from collections.abc import Sequence

from hw2.shapes import vocabulary

_KINDS = ("photo", "rendering", "cropped photo", "close-up photo", "bright photo", "dark photo")
OBJECT = (
    *(f"a {kind} of {article} {{}}" for kind in _KINDS for article in ("a", "the", "my")),
    *("a good photo of the {}", "a photo of one {}", "a depiction of a {}", "a nice {}"),
)
"""For objects, after those of Gal et al. (2022), "An image is worth one word", appendix."""
STYLE = (
    *(f"a {kind} in the style of {{}}" for kind in ("painting", "rendering", "picture", "drawing")),
    *(
        f"a {adjective} painting in the style of {{}}"
        for adjective in ("small", "large", "dark", "bright")
    ),
    *("a cropped painting in the style of {}", "a painting of a place in the style of {}"),
)
"""For styles, after theirs."""
SYNTHETIC_OBJECT = tuple(f"{prefix} a {{}}".strip() for prefix in vocabulary.PREFIXES)
SYNTHETIC_STYLE = tuple(
    f"{prefix} {vocabulary.with_article(word)} in the style of {{}}".strip()
    for prefix in vocabulary.PREFIXES
    for word in vocabulary.GENERIC
)
"""For objects and styles in the words of the synthetic images' captions."""
_SETS = {
    ("object", "course"): OBJECT,
    ("style", "course"): STYLE,
    ("object", "synthetic"): SYNTHETIC_OBJECT,
    ("style", "synthetic"): SYNTHETIC_STYLE,
}


def for_kind(kind: str, wording: str) -> tuple[str, ...]:
    """The sentences for a kind of concept, in the wording of a model's captions."""
    return _SETS[kind, wording]


def for_pair(wording: str) -> tuple[str, ...]:
    """Sentences for two concepts in one image, the first of them on the left."""
    prefixes: Sequence[str] = vocabulary.PREFIXES if wording == "synthetic" else ("a photo of",)
    return tuple(
        f"{prefix} a {{}} {conjunction} a {{}}".strip()
        for prefix in prefixes
        for conjunction in ("and", "next to")
    )
