"""Embeddings of styles depend on what a style does, and on nothing else."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from hw2.shapes import styles
from hw2.stable_diffusion.style_embedding import StyleEmbedding, features

DRAWN = styles.random_styles(np.random.default_rng(4), 200)
PATTERNED, FRAMED = DRAWN.pattern != styles.NO_PATTERN, DRAWN.frame > 0


def test_features_are_of_about_unit_size_and_tell_styles_apart() -> None:
    found = features(DRAWN)
    assert found.dtype == torch.float32
    assert found.abs().max() < 3
    assert len(found.unique(dim=0)) == len(DRAWN)


@pytest.mark.parametrize(
    ("changes", "matters"),
    [
        ({"angle": DRAWN.angle + 0.3}, PATTERNED),
        ({"pattern_color": 1 - DRAWN.pattern_color}, PATTERNED),
        ({"frame_color": 1 - DRAWN.frame_color}, FRAMED),
        ({"tone": DRAWN.tone + 0.1}, np.ones(len(DRAWN), bool)),
        ({"angle": DRAWN.angle + np.pi}, np.zeros(len(DRAWN), bool)),
    ],
)
def test_only_what_changes_an_image_changes_the_features(
    changes: dict[str, Any], matters: np.ndarray
) -> None:
    apart = (features(replace(DRAWN, **changes)) - features(DRAWN)).abs().amax(1)
    assert np.array_equal(apart.numpy() > 1e-4, matters)


def test_an_embedding_has_the_width_of_a_token() -> None:
    assert StyleEmbedding(24)(features(DRAWN)).shape == (len(DRAWN), 24)
