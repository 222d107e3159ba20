"""Prompt alignment of the small Stable Diffusion, measured by an independent classifier.

The classifier is trained on labeled synthetic images. It shares neither weights nor training images
with the CLIP whose text tower the model uses.
"""

from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from hw2 import rng
from hw2.config import params
from hw2.evaluation.intervals import Estimate, proportion
from hw2.models.shape_classifier import ShapeJudge
from hw2.pixels import from_uint8
from hw2.runtime.progress import progress
from hw2.shapes import scenes, vocabulary
from hw2.stable_diffusion.sample import SampleRequest, draw_all
from hw2.training.batch_sampler import BatchSampler

_EPOCHS, _BATCH, _LR = 6, 64, 3e-3


def judge_train(shapes: params.Shapes, seed: int, per_class: int) -> ShapeJudge:
    """Train a classifier of color and shape on synthetic images from a separate random stream."""
    taught = scenes.test_set("judge", per_class, shapes.image_size, shapes.seed)
    colors, kinds = (torch.from_numpy(x) for x in np.divmod(taught.classes, len(vocabulary.SHAPES)))
    with rng.seeded_init(seed, "judge"):
        judge = ShapeJudge(len(vocabulary.TEST_COLORS), len(vocabulary.SHAPES)).train()
        steps = max(1, _EPOCHS * len(colors) // _BATCH)
        optimizer = torch.optim.AdamW(judge.parameters(), _LR, weight_decay=1e-2)
        rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LR, total_steps=steps + 1)
        order = BatchSampler(len(colors), seed)
        with progress(steps, "shape classifier") as bar:
            for step in range(steps):
                rows = order.batch(step, min(_BATCH, len(colors)))
                color, kind = judge(from_uint8(taught.images[rows]))
                loss = F.cross_entropy(color, colors[rows]) + F.cross_entropy(kind, kinds[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                rate.step()
                bar.update(1, loss=loss.item())
    return judge.eval()


@torch.no_grad()
def right(judge: ShapeJudge, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Whether images are classified correctly: bool (N,).

    Args:
        judge: The classifier.
        images: uint8 (N, S, S, 3).
        classes: int (N,), indices into `vocabulary.CLASSES`.
    """
    color, kind = judge(from_uint8(images))
    answer = color.argmax(1) * len(vocabulary.SHAPES) + kind.argmax(1)
    return answer.numpy() == classes


def measure(
    pipe: Any,
    shapes: params.Shapes,
    how: params.PersonalizationSampling,
    settings: params.Alignment,
    *,
    seed: int,
) -> tuple[dict[str, Estimate], np.ndarray]:
    """Shares of images in which the classifier recognizes the prompt's color and shape.

    Returns:
        The shares and the sampled images, uint8 (48, images, S, S, 3). The shares are `drawn`, of
        samples of "a photo of a {color} {shape}", `settings.images` for each of 48 prompts;
        `unseen`, of the pairs that no training image shows; and `real`, of plain synthetic images
        that neither model was trained on, as a reference.
    """
    judge = judge_train(shapes, seed, settings.judge_images)
    each = settings.images
    requests = [
        SampleRequest(
            f"a photo of {vocabulary.with_article(color)} {shape}",
            f"alignment {color} {shape}",
            k,
        )
        for color, shape in vocabulary.CLASSES
        for k in range(each)
    ]
    with progress(len(requests), "alignment", unit="image") as bar:
        images = draw_all(pipe, requests, how, seed=seed, tick=bar.update)
    images = images.reshape(len(vocabulary.CLASSES), each, *images.shape[1:])
    classes = np.repeat(np.arange(len(vocabulary.CLASSES)), each)
    hits = right(judge, images.reshape(-1, *images.shape[2:]), classes)
    new = np.array([pair in vocabulary.HELD_OUT for pair in vocabulary.CLASSES])[classes]
    real = scenes.test_set("alignment", max(2, each), shapes.image_size, shapes.seed)
    plain = real.textures == 0
    result = {
        "drawn": proportion(hits),
        "unseen": proportion(hits[new]),
        "real": proportion(right(judge, real.images[plain], real.classes[plain])),
    }
    return result, images
