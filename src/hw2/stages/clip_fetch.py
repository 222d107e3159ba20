"""Get the images of the zero-shot exam into one zip, and see that the weights are there.

The weights come first: what is missing is said before anything is computed.
"""

from pathlib import Path

from hw2.clip import images, weights, zero_shot_set
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
    """Write `clip_test_set`: a zip of id2label.json, val/{class}_{id}.png and, where there are,
    groups.json.

    Args:
        own: The folder of the project's own model, which need not be there yet.
        raw: Where the course's zip is downloaded to, if `clip.zero_shot.images` is "course".

    Where `clip.zero_shot.models` is empty, the zip is empty.

    Raises:
        UserError: if weights are missing, or an image is not whole.
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
        drawn = scenes.test_set(SPLIT, shapes.test_images_per_class, shapes.image_size, shapes.seed)
        with atomic_path(clip_test_set) as temporary:
            zero_shot_set.write(temporary, drawn)
        return
    course = zero_shot.images == "course"
    path = course_zip.find(data, raw) if course else Path(zero_shot.images)
    with (
        images.opened(path) as result,
        atomic_path(clip_test_set) as temporary,
        progress(len(result), "images", unit="image") as bar,
    ):
        zero_shot_set.copy(temporary, result, bar.update)
