"""`hw2 zero-shot`: classify a folder of images with CLIP, without training on them."""

from collections.abc import Sequence
from pathlib import Path

import torch

from hw2.clip import features, images, model
from hw2.clip.classify import classify
from hw2.clip.feature_cache import Cache
from hw2.clip.features import Encoder
from hw2.clip.weights import Located
from hw2.config import params
from hw2.evaluation.intervals import Estimate, proportion
from hw2.io import files


def run(
    zero_shot: params.ZeroShot,
    located: Located,
    templates: Sequence[str],
    *,
    folder: Path,
    cache: Path,
    out: Path,
    device: torch.device,
) -> Estimate:
    """Write the true class, the predicted class and its confidence of each image to `out`.

    Returns:
        The accuracy.

    Raises:
        UserError: if the folder does not have the course's layout, or an image is damaged. Nothing
            is written then.
    """
    with images.opened(folder) as test_set:
        clip = model.load(located, device)
        precision = features.precision(zero_shot.precision, device)
        encoder = Encoder(clip, Cache(cache, features.__name__), precision, zero_shot.batch_size)
        classes = encoder.classes(test_set.classes, templates)
        predictions = classify(encoder.images(test_set), classes, test_set.labels, clip.scale)
        rows = [
            {
                "image_name": file,
                "true": test_set.classes[label],
                "predicted": test_set.classes[top[0]],
                "confidence": float(confidences[0]),
            }
            for file, label, top, confidences in zip(
                test_set.files,
                test_set.labels,
                predictions.top,
                predictions.confidence,
                strict=True,
            )
        ]
    files.write_table(out, rows)
    return proportion(predictions.correct)
