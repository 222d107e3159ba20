"""McNemar's exact test against values by hand."""

import numpy as np
import pytest

from hw2.evaluation.mcnemar import mcnemar


def outcomes(both: int, gained: int, lost: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    right = [True] * both + [True] * gained + [False] * lost + [False] * neither
    base = [True] * both + [False] * gained + [True] * lost + [False] * neither
    return np.array(right), np.array(base)


@pytest.mark.parametrize(
    ("gained", "lost", "p"),
    [
        (0, 0, 1.0),
        (5, 0, 2 * 0.5**5),
        (0, 5, 2 * 0.5**5),
        (3, 3, 1.0),
        (8, 2, 2 * (1 + 10 + 45) / 1024),  # P(X <= 2) of 10 fair coins, twice
    ],
)
def test_only_discordant_images_count(gained: int, lost: int, p: float) -> None:
    for both, neither in ((0, 0), (100, 7)):
        assert mcnemar(*outcomes(both, gained, lost, neither)) == pytest.approx(p)


def test_the_p_value_is_not_too_small_under_the_null_hypothesis() -> None:
    stream = np.random.Generator(np.random.PCG64(2))
    small = np.mean([mcnemar(*(stream.random((2, 200)) < 0.7)) <= 0.05 for _ in range(400)])
    assert small <= 0.06


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="not paired"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))
