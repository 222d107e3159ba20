"""The course's grading of generated images, from folders alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw2.io.file_tree import listed
from hw2.personalization import photos
from hw2.personalization.clip_scores import TEXT_WEIGHT, Scorer
from hw2.personalization.prompt_specs import PromptSpec
from hw2.runtime.errors import UserError

IMAGES, BEST = 25, 5
"""How many images of a prompt there are, and how many of them count."""


@dataclass(frozen=True)
class Case:
    """A case of the course's grading: one prompt with its scores and its baseline.

    Attributes:
        key: Key of the concept.
        prompt: Index among the prompts of the concept.
        image: Image score of every image, float (25,).
        text: Text score of every image, float (25,).
        baseline: Minimum (image, text) score.
    """

    key: str
    prompt: int
    image: np.ndarray
    text: np.ndarray
    baseline: tuple[float, float]

    @property
    def best(self) -> np.ndarray:
        """Indices of the five images with the highest image + 2.5 text."""
        return _best(self.image, self.text)

    @property
    def scores(self) -> tuple[float, float]:
        """Mean image and text score of the five best."""
        return best_means(self.image, self.text)

    @property
    def passed(self) -> bool:
        """Whether both scores reach the baseline."""
        return all(
            score >= minimum for score, minimum in zip(self.scores, self.baseline, strict=True)
        )


def folder_of(root: Path, key: str, prompt: int) -> Path:
    """The folder of the images of a prompt."""
    return root / key / str(prompt)


def name_of(key: str, prompt: int, number: int) -> str:
    """The file name of an image."""
    return f"source{key}_prompt{prompt}_{number}.png"


def check(prompt_specs: Sequence[PromptSpec], images: Path) -> None:
    """Check that every prompt has a baseline and its 25 images, before any slow work.

    Raises:
        UserError: naming the first concept or folder that fails.
    """
    for spec in prompt_specs:
        if spec.baselines is None:
            raise UserError(
                f"concept {spec.key}: its baseline is null; write [image, text] for each prompt, or"
                " use the input.json that personalization_train completes"
            )
        for position in range(len(spec.prompts)):
            folder = folder_of(images, spec.key, position)
            count = len(_files(folder))
            if count != IMAGES:
                raise UserError(f"{folder}: {count} images, not {IMAGES}; generate them again")


def grade(
    prompt_specs: Sequence[PromptSpec], references: Path, images: Path, scorer: Scorer
) -> tuple[Case, ...]:
    """Grade every prompt by the course's rule.

    The image score of an image is its mean over all photographs of the concept. Images are ranked
    by image + 2.5 text, and both means over the five best must reach the baseline.

    Raises:
        UserError: if images are missing, too many, or damaged.
    """
    check(prompt_specs, images)
    cases = []
    for spec in prompt_specs:
        photographs = [photos.pixels(path) for path in photos.files_of(references / spec.key)]
        features = scorer.features(photographs)
        baselines = spec.baselines or ()  # not null: checked
        for position, (eval_prompt, baseline) in enumerate(
            zip(spec.eval_prompts, baselines, strict=True)
        ):
            generated = [photos.pixels(p) for p in _files(folder_of(images, spec.key, position))]
            image, text = scorer.image_and_text(generated, features, eval_prompt)
            cases.append(Case(spec.key, position, image, text, baseline))
    return tuple(cases)


def best_means(image: np.ndarray, text: np.ndarray) -> tuple[float, float]:
    """Mean (image, text) score of the five images that count, from the scores of all."""
    best = _best(image, text)
    return float(image[best].mean()), float(text[best].mean())


def _best(image: np.ndarray, text: np.ndarray) -> np.ndarray:
    return np.argsort(-(image + TEXT_WEIGHT * text), kind="stable")[:BEST]


def _files(folder: Path) -> list[Path]:
    """Every file that is not hidden, since the course's grader counts all of them."""
    return sorted(listed(folder), key=lambda path: (len(path.name), path.name))


def table(cases: Sequence[Case]) -> str:
    """The grades as lines of text, followed by the course's summary line."""
    lines = []
    for case in cases:
        image, text = case.scores
        verdict = "pass" if case.passed else "fail"
        lines.append(
            f"concept {case.key}, prompt {case.prompt}: image {image:.2f} (baseline"
            f" {case.baseline[0]:g}), text {text:.2f} (baseline {case.baseline[1]:g}): {verdict}"
        )
    passed = sum(case.passed for case in cases)
    return "\n".join([*lines, f"You have passed {passed}/{len(cases)} cases"])
