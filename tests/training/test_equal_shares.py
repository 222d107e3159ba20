"""Groups of different size are drawn equally often."""

import numpy as np
import pytest

from hw2.training.equal_shares import equal_shares


@pytest.mark.parametrize("counts", [(5, 5), (7,), (4, 9, 2)])
def test_every_group_has_the_images_of_the_largest(counts: tuple[int, ...]) -> None:
    drawn = equal_shares(counts)
    groups = np.searchsorted(np.cumsum(counts), drawn, side="right")
    assert np.bincount(groups).tolist() == [max(counts)] * len(counts)
    times = np.bincount(drawn, minlength=sum(counts))
    for start, n in zip(np.cumsum((0, *counts)), counts, strict=False):
        of_group = times[start : start + n]
        assert of_group.min() >= 1
        assert of_group.max() - of_group.min() <= 1


def test_equal_groups_are_drawn_as_without_groups() -> None:
    assert equal_shares((6, 6)).tolist() == list(range(12))
