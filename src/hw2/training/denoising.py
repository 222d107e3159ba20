"""Training of a denoising network (Ho et al., 2020, algorithm 1), with labels or without."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from hw2 import rng
from hw2.config import params
from hw2.diffusion.guidance import drop_labels
from hw2.diffusion.objective import Objective
from hw2.diffusion.schedule import Prediction, Schedule
from hw2.pixels import from_uint8
from hw2.training.batch_sampler import Order
from hw2.training.ema import EMA
from hw2.training.loop import finite, train
from hw2.training.microbatches import Shards
from hw2.training.optimizers import adamw_and_muon, trapezoid
from hw2.training.resume import Resume


@dataclass(frozen=True)
class Lesson:
    """What is learnt.

    Attributes:
        images: uint8 (N, H, W, 3), or float (N, C, h, w) where latents are learnt.
        labels: int64 (N,), each replaced by `null_label` with probability `p_uncond`. A model
            without labels is one whose labels are all null.
        weights: float (T,), of the squared error at each time; None for all alike.
        time_power: times are T u ** time_power, with u uniform; below 1 noisy ones come oftener.
    """

    images: np.ndarray | Tensor
    labels: Tensor
    null_label: int
    p_uncond: float
    levels: Schedule
    prediction: Prediction
    weights: Tensor | None = None
    time_power: float = 1.0

    def clean(self, rows: np.ndarray) -> Tensor:
        """What noise is added to: float32 (n, C, H, W)."""
        images = self.images
        return images[rows] if isinstance(images, Tensor) else from_uint8(images[rows])


def train_denoiser(
    network: nn.Module,
    lesson: Lesson,
    settings: params.Denoising,
    *,
    seed: int,
    resume: Resume,
    device: torch.device,
    name: str,
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """Train `network`, a function of (xt, t, labels) that says its `inner_weights()`.

    Args:
        name: of the section of params.yaml, for the progress line and messages.

    Returns:
        The averaged weights and the history (rows of `step`, `loss`, `lr`).
    """
    order = Order(len(lesson.images), seed)
    levels = lesson.levels
    objective = Objective(levels, lesson.prediction, lesson.weights)
    weights = list(network.parameters())
    ema = EMA(network, settings.ema_decay)
    optimizers = adamw_and_muon(
        weights,
        network.inner_weights(),  # type: ignore[operator]
        lr=settings.lr,
        muon_lr=settings.muon_lr,
        weight_decay=settings.weight_decay,
    )
    shards = Shards(settings.microbatches)
    forward = torch.compile(network) if settings.compile else network

    def noisy(step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The inputs xt, t, labels and the target of a step, on the device except for t.

        Everything random comes from the step's own stream, on the CPU: a resumed run, and one on
        another device, sees the same images, times, noises and dropped labels.
        """
        stream = rng.torch_rng(seed, "train", step)
        rows = order.batch(step, settings.batch_size)
        x0 = lesson.clean(rows)
        t = _stratified_times(len(rows), levels.timesteps, lesson.time_power, stream)
        eps = torch.randn(x0.shape, generator=stream).to(x0)
        given = drop_labels(lesson.labels[rows], lesson.p_uncond, lesson.null_label, stream)
        xt, target = levels.add_noise(x0, eps, t), objective.target(x0, eps, t)
        return (
            _on(xt, device, settings),
            t,
            given.to(device),
            _on(target, device, settings),
        )

    def advance(step: int) -> dict[str, float]:
        xt, t, given, target = noisy(step)
        t_device = t.to(device)

        def loss(part: slice) -> Tensor:
            bf16 = settings.precision == "bf16"
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                output = forward(xt[part], t_device[part], given[part])
            return objective.loss(output.float(), target[part], xt[part], t[part])

        factor = trapezoid(
            step,
            settings.steps,
            warmup_steps=settings.warmup_steps,
            decay_start=settings.decay_start,
        )
        value = shards.backward(loss, len(t), weights)
        finite(value, step, f"lower {name}.train.lr (now {factor * settings.lr:.3g})")
        nn.utils.clip_grad_norm_(weights, settings.grad_clip)
        lr = optimizers.step(factor)
        ema.update(network)
        return {"loss": value, "lr": lr}

    history = train(
        advance,
        {"network": network, "ema": ema, "optimizers": optimizers},
        steps=settings.steps,
        resume=resume,
        save_every=settings.save_every,
        desc=name,
    )
    return ema.weights, history


def _stratified_times(count: int, timesteps: int, power: float, stream: torch.Generator) -> Tensor:
    """Times int64 (count,), one from each of `count` strata for less variance."""
    u = (torch.rand(1, generator=stream) + torch.arange(count) / count) % 1
    if power != 1:  # a power of 1 need not give the same bits
        u = u**power
    return (u * timesteps).long().clamp(max=timesteps - 1)


def _on(images: Tensor, device: torch.device, train: params.Denoising) -> Tensor:
    layout = torch.channels_last if train.channels_last else torch.contiguous_format
    return images.to(device, memory_format=layout, non_blocking=True)
