"""Scores and the course's grading, with features that are easy to compute."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hw2.personalization import clip_scores, grading
from hw2.personalization.prompt_specs import PromptSpec
from hw2.runtime.errors import UserError


class MeanColorScorer:
    """A scorer whose features are mean colors, and whose text feature is red."""

    def features(self, images: list[np.ndarray]) -> np.ndarray:
        means = np.stack([image.reshape(-1, 3).mean(0) for image in images])
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    def image_and_text(
        self, images: list[np.ndarray], references: np.ndarray, prompt: str
    ) -> tuple[np.ndarray, np.ndarray]:
        features = self.features(images)
        return 100 * (features @ references.T).mean(1), 100 * features[:, 0]


def plain_image(*color: int) -> np.ndarray:
    return np.full((8, 8, 3), color, np.uint8)


def write(folder: Path, images: list[np.ndarray]) -> None:
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / grading.name_of("0", 0, number))


def prompt_spec(baseline: tuple[float, float]) -> PromptSpec:
    return PromptSpec("0", "<new1>", ("a <new1>",), ("a red thing",), (baseline,))


def generated_images() -> list[np.ndarray]:
    """25 images; the share of red in image k is k / 25, the rest is green."""
    return [plain_image(10 * k, 250 - 10 * k, 0) for k in range(25)]


def test_the_five_best_of_25_images_are_graded(tmp_path: Path) -> None:
    write(tmp_path / "out/0/0", generated_images())
    write(tmp_path / "in/0", [plain_image(250, 0, 0), plain_image(200, 0, 0)])
    (case,) = grading.grade(
        [prompt_spec((90, 90))], tmp_path / "in", tmp_path / "out", MeanColorScorer()
    )
    assert sorted(case.best) == [20, 21, 22, 23, 24]
    k = np.arange(20, 25)
    expected = (100 * k / np.hypot(k, 25 - k)).mean()
    assert case.scores == pytest.approx((expected, expected))
    assert case.passed
    (strict,) = grading.grade(
        [prompt_spec((90, 100))], tmp_path / "in", tmp_path / "out", MeanColorScorer()
    )
    assert not strict.passed  # both scores have to reach their baseline
    assert grading.table((case, strict)).endswith("You have passed 1/2 cases")


@pytest.mark.parametrize("count", [24, 26])
def test_other_than_25_images_are_refused(tmp_path: Path, count: int) -> None:
    write(tmp_path / "out/0/0", [plain_image(9, 9, 9)] * count)
    with pytest.raises(UserError, match=f"0/0: {count} images, not 25") as error:
        grading.check([prompt_spec((1, 1))], tmp_path / "out")
    assert "\n" not in str(error.value)


def test_halves_are_assigned_to_the_concepts_that_match_best() -> None:
    red, blue = plain_image(250, 0, 0), plain_image(0, 0, 250)
    straight = np.concatenate([red, blue], 1)[:, ::2]
    images = [straight, straight[:, ::-1], red]
    scorer = MeanColorScorer()
    first, second = scorer.features([red]), scorer.features([blue])
    scores = clip_scores.pair_image_scores(scorer, images, first, second)
    assert scores[0] == pytest.approx(scores[1])
    assert scores[0].min() > 90
    assert scores[2] == pytest.approx([100, 0])  # the second concept is missing
