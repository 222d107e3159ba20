"""Digits from a trained model for programs and notebooks: no params.yaml, no working folder.

    model = denoiser.load(Path("results/ddpm/model.safetensors"), torch.device("cpu"))
    images = generate.digits(model, "mnistm", [3, 1, 4], count=2)

Sampler and steps are by default those of the profile `demo`, evenly spaced, the guidance scale is
one of its candidates, and guidance moves the gray value alone, as there. Stages do not use this
module: their values are all in params.yaml.
"""

from collections.abc import Sequence

import numpy as np

from hw2.config import loader, params
from hw2.ddpm.denoiser import Denoiser
from hw2.ddpm.sample import SampleRequest, sample_images
from hw2.diffusion.guidance import Guidance
from hw2.digits.labels import NUM_DIGITS, label_of
from hw2.runtime.errors import UserError

GUIDANCE = Guidance(3.0, color=0.0)
SAMPLER = "dpmpp"
STEPS = 24
_SPACING_EXPONENT = 1.0  # even, as the schedulers of the exported pipeline
_BATCH_SIZE = 100
_SPLIT = "example"  # random streams of their own: no image of the report is repeated


def digits(
    model: Denoiser,
    domain: str,
    digits: Sequence[int],
    *,
    count: int = 1,
    guidance: Guidance = GUIDANCE,
    seed: int = 0,
    sampler: str = SAMPLER,
    steps: int | None = None,
) -> np.ndarray:
    """Sample `count` images of each digit: uint8 (len(digits) * count, 28, 28, 3).

    Images are ordered by digit as given, then by number. Image k of every digit starts from the
    same noise, which depends on the seed and on k only.

    Args:
        model: from `denoiser.load`; its device is used.
        domain: one of `model.domains`.
        digits: each in 0 ... 9.
        count: images of each digit.
        guidance: the guidance scale, the noise levels that it applies to, and its share in colors.
        seed: in [0, 2**31).
        sampler: a name in `hw2.config.choices.SAMPLERS`. `ddim` adds no fresh noise.
        steps: noise levels visited, at most those of the model; None takes `STEPS`, or all if the
            model has fewer.

    Raises:
        UserError: for an argument outside its range.
    """
    _check(model, domain, digits, count)
    levels = model.schedule.timesteps
    values = {
        "seed": seed,
        "sampler": sampler,
        "steps": min(STEPS, levels) if steps is None else steps,
        "spacing_exponent": _SPACING_EXPONENT,
        "eta": 0.0,
        "batch_size": _BATCH_SIZE,
        "images_per_label": count,
    }
    sampling = loader.parse(params.Sampling, values, "generate.digits")
    if sampling.steps > levels:
        raise UserError(f"generate.digits: steps: {steps} is more than the model's {levels} levels")
    labels = np.array([label_of(domain, int(digit)) for digit in digits])
    request = SampleRequest(
        np.repeat(labels, count), np.tile(np.arange(count), len(labels)), shared=count
    )
    return sample_images(model, request, sampling, guidance=guidance, split=_SPLIT)


def _check(model: Denoiser, domain: str, digits: Sequence[int], count: int) -> None:
    if domain not in model.domains:
        trained = ", ".join(model.domains)
        raise UserError(f"generate.digits: domain: the model has no {domain!r}; it has {trained}")
    if len(digits) == 0:
        raise UserError("generate.digits: digits: there is none; name at least one")
    for digit in digits:
        if digit not in range(NUM_DIGITS):
            raise UserError(f"generate.digits: digits: {digit!r} is not in 0 ... {NUM_DIGITS - 1}")
    if count < 1:
        raise UserError(f"generate.digits: count: {count} is less than 1")
