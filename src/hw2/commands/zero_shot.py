"""Classify a folder of images by one CLIP, without training on them."""

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
    zeroshot: params.Zeroshot,
    located: Located,
    templates: Sequence[str],
    *,
    folder: Path,
    cache: Path,
    out: Path,
    device: torch.device,
) -> Estimate:
    """Write `out`: a row for each image with its true class, the predicted one and its confidence.

    Returns:
        The accuracy.

    Raises:
        UserError: if the folder is not in the course's form, or an image is not whole; nothing is
            written then.
    """
    with images.opened(folder) as found:
        clip = model.load(located, device)
        kind = features.precision(zeroshot.precision, device)
        encoder = Encoder(clip, Cache(cache, features.__name__), kind, zeroshot.batch)
        classes = encoder.classes(found.classes, templates)
        said = classify(encoder.images(found), classes, found.labels, clip.scale)
        rows = [
            {
                "image_name": file,
                "true": found.classes[label],
                "predicted": found.classes[top[0]],
                "confidence": float(share[0]),
            }
            for file, label, top, share in zip(
                found.files, found.labels, said.top, said.confidence, strict=True
            )
        ]
    files.write_table(out, rows)
    return proportion(said.right)
