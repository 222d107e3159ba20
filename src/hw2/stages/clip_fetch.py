"""Collect the zero-shot test images in one zip archive, and check that all weights are available.

The weights are checked first, so that missing weights are reported before anything is computed.
"""

from pathlib import Path

from hw2.clip import cifar100, images, weights, zero_shot_set
from hw2.config import params
from hw2.digits import course_zip
from hw2.io.atomic import atomic_path
from hw2.runtime.progress import progress
from hw2.shapes import scenes

SPLIT = "test"


def run(
    clip: params.Clip,
    shapes: params.Shapes,
    data: params.Data,
    *,
    clip_model: Path,
    raw: Path,
    clip_test_set: Path,
) -> None:
    """Write the zero-shot test set to the zip archive `clip_test_set`.

    The archive holds `id2label.json`, `val/{class}_{id}.png` and, if the set has them,
    `groups.json` and `attributes.json`. It is empty if `clip.zero_shot.models` is empty.

    Args:
        clip_model: Folder of the CLIP that this pipeline trains; it need not exist yet.
        raw: Folder of downloads: the course's zip, if `clip.zero_shot.images` is `course`, and the
            archive of CIFAR-100, if it is `cifar100`.

    Raises:
        UserError: if weights are missing, or an image is damaged.
    """
    zero_shot = clip.zero_shot
    for model in zero_shot.models:
        if model.weights != "trained":
            weights.locate(model, clip_model)
    if not zero_shot.models:
        with atomic_path(clip_test_set) as temporary:
            zero_shot_set.write_nothing(temporary)
        return
    if zero_shot.images == "synthetic":
        test_set = scenes.test_set(
            SPLIT, shapes.test_images_per_class, shapes.image_size, shapes.seed
        )
        with atomic_path(clip_test_set) as temporary:
            zero_shot_set.write(temporary, test_set)
        return
    if zero_shot.images == "cifar100":
        with atomic_path(clip_test_set) as temporary:
            zero_shot_set.write_images(temporary, cifar100.CLASSES, cifar100.images(raw))
        return
    course = zero_shot.images == "course"
    path = course_zip.find(data, raw) if course else Path(zero_shot.images)
    with (
        images.opened(path) as labeled_images,
        atomic_path(clip_test_set) as temporary,
        progress(len(labeled_images), "images", unit="image") as bar,
    ):
        zero_shot_set.copy(temporary, labeled_images, bar.update)
