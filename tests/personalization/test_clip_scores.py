"""Scores and the course's rule, on features that are known."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hw2.personalization import clip_scores, grading
from hw2.personalization.prompt_specs import PromptSpec
from hw2.runtime.errors import UserError


class Known:
    """A scorer whose features are the mean colours, and whose text is red."""

    def features(self, images: list[np.ndarray]) -> np.ndarray:
        means = np.stack([image.reshape(-1, 3).mean(0) for image in images])
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    def both(
        self, images: list[np.ndarray], references: np.ndarray, prompt: str
    ) -> tuple[np.ndarray, np.ndarray]:
        found = self.features(images)
        return 100 * (found @ references.T).mean(1), 100 * found[:, 0]


def picture(*color: int) -> np.ndarray:
    return np.full((8, 8, 3), color, np.uint8)


def write(folder: Path, images: list[np.ndarray]) -> None:
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / grading.name_of("0", 0, number))


def asked(baseline: tuple[float, float]) -> PromptSpec:
    return PromptSpec("0", "<new1>", ("a <new1>",), ("a red thing",), (baseline,))


def drawn() -> list[np.ndarray]:
    """Twenty-five, of which number k is k parts red and the rest green."""
    return [picture(10 * k, 250 - 10 * k, 0) for k in range(25)]


def test_the_five_best_of_25_count(tmp_path: Path) -> None:
    write(tmp_path / "out/0/0", drawn())
    write(tmp_path / "in/0", [picture(250, 0, 0), picture(200, 0, 0)])
    (case,) = grading.grade([asked((90, 90))], tmp_path / "in", tmp_path / "out", Known())
    assert sorted(case.best) == [20, 21, 22, 23, 24]
    k = np.arange(20, 25)
    expected = (100 * k / np.hypot(k, 25 - k)).mean()
    assert case.scores == pytest.approx((expected, expected))
    assert case.passed
    (strict,) = grading.grade([asked((90, 100))], tmp_path / "in", tmp_path / "out", Known())
    assert not strict.passed  # both have to reach their baseline
    assert grading.table((case, strict)).endswith("You have passed 1/2 cases")


@pytest.mark.parametrize("count", [24, 26])
def test_other_than_25_images_are_refused(tmp_path: Path, count: int) -> None:
    write(tmp_path / "out/0/0", [picture(9, 9, 9)] * count)
    with pytest.raises(UserError, match=f"0/0: {count} images, not 25") as caught:
        grading.check([asked((1, 1))], tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_two_concepts_are_given_to_the_halves_that_fit() -> None:
    red, blue = picture(250, 0, 0), picture(0, 0, 250)
    straight = np.concatenate([red, blue], 1)[:, ::2]
    both = [straight, straight[:, ::-1], red]
    known = Known()
    first, second = known.features([red]), known.features([blue])
    found = clip_scores.two(known, both, first, second)
    assert found[0] == pytest.approx(found[1])
    assert found[0].min() > 90
    assert found[2] == pytest.approx([100, 0])  # the second concept was dropped
