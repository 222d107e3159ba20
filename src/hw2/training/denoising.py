"""Training of a denoising network (Ho et al., 2020, algorithm 1), with labels or without."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

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
from hw2.training.muon import Muon
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
    optimizers = _optimizers(network, settings)
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

        rate = _rate(step, settings)
        value = shards.backward(loss, len(t), weights)
        finite(value, step, f"lower {name}.train.lr (now {rate * settings.lr:.3g})")
        nn.utils.clip_grad_norm_(weights, settings.grad_clip)
        for optimizer, peak in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = peak * rate
            optimizer.step()
        ema.update(network)
        return {"loss": value, "lr": rate * settings.lr}

    history = train(
        advance,
        {
            "network": network,
            "ema": ema,
            **{f"optimizer{i}": o for i, (o, _) in enumerate(optimizers)},
        },
        steps=settings.steps,
        resume=resume,
        save_every=settings.save_every,
        desc=name,
    )
    return ema.weights, history


def _optimizers(network: nn.Module, train: params.Denoising) -> list[tuple[Optimizer, float]]:
    """Optimizers with their peak rates: Muon for inner convolutions if asked for, AdamW else."""
    inner = network.inner_weights() if train.muon_lr > 0 else []  # type: ignore[operator]
    taken = {id(p) for p in inner}
    rest = [p for p in network.parameters() if id(p) not in taken]
    adamw = torch.optim.AdamW(
        rest, lr=train.lr, betas=(0.9, 0.99), weight_decay=train.weight_decay, fused=True
    )
    both: list[tuple[Optimizer, float]] = [(adamw, train.lr)]
    return [*both, (Muon(inner, train.muon_lr), train.muon_lr)] if inner else both


def _rate(step: int, train: params.Denoising) -> float:
    """Share of the peak rate: linear warm-up, constant, linear to zero from `decay_start` on."""
    done = (step + 1) / train.steps
    warm = min(1.0, (step + 1) / max(1, train.warmup_steps))
    fall = 1.0 if done <= train.decay_start else (1 - step / train.steps) / (1 - train.decay_start)
    return warm * min(1.0, fall)


def _stratified_times(count: int, timesteps: int, power: float, stream: torch.Generator) -> Tensor:
    """Times int64 (count,), one from each of `count` strata for less variance."""
    u = (torch.rand(1, generator=stream) + torch.arange(count) / count) % 1
    if power != 1:  # a power of 1 need not give the same bits
        u = u**power
    return (u * timesteps).long().clamp(max=timesteps - 1)


def _on(images: Tensor, device: torch.device, train: params.Denoising) -> Tensor:
    layout = torch.channels_last if train.channels_last else torch.contiguous_format
    return images.to(device, memory_format=layout, non_blocking=True)
