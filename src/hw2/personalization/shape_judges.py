"""The classifiers that judge images of shapes, and their files.

They share nothing with the models that they judge, and nothing of a run goes into them. So they can
be given, as the models are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn

from hw2.config import params
from hw2.io import checkpoints, manifest
from hw2.models.shape_classifier import ConceptJudge, ShapeJudge
from hw2.personalization import concept_judge
from hw2.personalization.synthetic import KEYS
from hw2.runtime.errors import UserError
from hw2.shapes import vocabulary
from hw2.stable_diffusion import alignment

SHAPE, CONCEPT = "shape.safetensors", "concept.safetensors"
_KIND = "shape judge"  # key of the record
_STAGE = "shape_judges_train"
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class ShapeJudges:
    """Both classifiers, in evaluation mode.

    Attributes:
        shape: Reads the color and the shape of the object in an image.
        concept: Says which of the synthetic concepts an image shows.
        image_size: Height and width in pixels of the images that they learned from.
    """

    shape: ShapeJudge
    concept: ConceptJudge
    image_size: int


def obtain(settings: params.ShapeJudges, shapes: params.Shapes, alignment_seed: int) -> ShapeJudges:
    """Train the classifiers, or read the given ones.

    Raises:
        UserError: if given ones are missing, damaged, or for images of another size.
    """
    if settings.weights == "trained":
        return ShapeJudges(
            alignment.train_judge(shapes, alignment_seed, settings.shape_images),
            concept_judge.train_judge(settings.concept_images, shapes.image_size, shapes.seed),
            shapes.image_size,
        )
    folder = Path(settings.weights)
    if not folder.is_dir():
        raise UserError(f"personalization.judges.weights: no folder {folder}; write trained")
    manifest.check(folder)
    judges = load(folder)
    if judges.image_size != shapes.image_size:
        raise UserError(
            f"personalization.judges.weights: {folder} is for images of {judges.image_size} pixels,"
            f" shapes.image_size is {shapes.image_size}; write trained"
        )
    return judges


def save(folder: Path, judges: ShapeJudges) -> None:
    """Write the classifiers into `folder`, which exists."""
    record = {"image_size": judges.image_size}
    for name, network in ((SHAPE, judges.shape), (CONCEPT, judges.concept)):
        checkpoints.save(folder / name, _KIND, record, network.state_dict())


def load(folder: Path) -> ShapeJudges:
    """Read the classifiers that `save` wrote.

    Raises:
        UserError: if a file is missing or damaged, or does not fit.
    """
    colors, forms = len(vocabulary.TEST_COLORS), len(vocabulary.TEST_SHAPES)
    shape, image_size = _read(folder / SHAPE, lambda: ShapeJudge(colors, forms))
    concept, _ = _read(folder / CONCEPT, lambda: ConceptJudge(len(KEYS)))
    return ShapeJudges(shape, concept, image_size)


def _read(path: Path, make: Callable[[], Network]) -> tuple[Network, int]:
    def build(record: dict[str, Any], weights: dict[str, Tensor]) -> tuple[Network, int]:
        network = make()
        network.load_state_dict(weights)
        return network.eval(), int(record["image_size"])

    return checkpoints.load(path, _KIND, build, stage=_STAGE)
