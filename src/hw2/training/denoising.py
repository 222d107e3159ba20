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
from hw2.diffusion.timestep_distribution import Quantiles, uniform
from hw2.pixels import from_uint8
from hw2.runtime.device import one_thread
from hw2.training.batch_sampler import BatchSampler
from hw2.training.ema import EMA
from hw2.training.loop import finite, train
from hw2.training.microbatches import Microbatches
from hw2.training.optimizers import adamw_and_muon, trapezoid
from hw2.training.precision import autocast
from hw2.training.resume import Resume


@dataclass(frozen=True)
class DenoisingDataset:
    """Images with labels, and how noise is added to them.

    Attributes:
        images: uint8 (N, H, W, 3), or float (N, C, h, w) for latents.
        labels: int64 (N,); the labels of a model without labels are all `null_label`.
        null_label: Replaces each label with probability `p_uncond`.
        schedule: The noise schedule.
        prediction: What the network predicts.
        loss_weights: float (T,), of the squared error at each time; None for equal weights.
        quantiles: How often each time is drawn, a function of `timestep_distribution`.
    """

    images: np.ndarray | Tensor
    labels: Tensor
    null_label: int
    p_uncond: float
    schedule: Schedule
    prediction: Prediction
    loss_weights: Tensor | None = None
    quantiles: Quantiles = uniform

    def clean(self, rows: np.ndarray) -> Tensor:
        """The images, in [-1, 1], or latents of these rows: float32 (n, C, H, W)."""
        images = self.images
        return images[rows] if isinstance(images, Tensor) else from_uint8(images[rows])

    def noisy(
        self, rows: np.ndarray, objective: Objective, stream: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """A batch, on the CPU: xt (n, C, H, W), times (n,), labels (n,) and the target of xt."""
        x0 = self.clean(rows)
        t = _stratified_times(len(rows), self.schedule.timesteps, self.quantiles, stream)
        eps = torch.randn(x0.shape, generator=stream).to(x0)
        labels = drop_labels(self.labels[rows], self.p_uncond, self.null_label, stream)
        return self.schedule.add_noise(x0, eps, t), t, labels, objective.target(x0, eps, t)


def train_denoiser(
    network: nn.Module,
    dataset: DenoisingDataset,
    settings: params.Denoising,
    *,
    seed: int,
    resume: Resume,
    device: torch.device,
    name: str,
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """Train a denoising network.

    Args:
        network: A function of (xt, t, labels) with a method `inner_weights()`.
        name: Its section of params.yaml, for the progress line and messages.

    Returns:
        The averaged weights, and the history (rows of `step`, `loss`, `lr`).

    Raises:
        Interrupted: After a save, when the process receives a signal to stop.
        UserError: If the loss is not finite.
    """
    sampler = BatchSampler(len(dataset.images), seed)
    objective = Objective(dataset.schedule, dataset.prediction, dataset.loss_weights)
    weights = list(network.parameters())
    ema = EMA(network, settings.ema_decay)
    optimizers = adamw_and_muon(
        weights,
        network.inner_weights(),  # type: ignore[operator]
        lr=settings.lr,
        muon_lr=settings.muon_lr,
        weight_decay=settings.weight_decay,
    )
    microbatches = Microbatches(settings.microbatches)
    forward = torch.compile(network) if settings.compile else network

    def advance(step: int) -> dict[str, float]:
        # Draw the batch. Everything random comes from the step's own stream, on the CPU, so a
        # resumed run and a run on another device see the same images, times, noise and labels.
        rows = sampler.batch(step, settings.batch_size)
        xt, t, labels, target = dataset.noisy(rows, objective, rng.torch_rng(seed, "train", step))
        xt, target = _on(xt, device, settings), _on(target, device, settings)
        times, labels = t.to(device), labels.to(device)

        # Compute the loss and its gradient, microbatch by microbatch.
        def loss(part: slice) -> Tensor:
            with autocast(device, settings.precision):
                output = forward(xt[part], times[part], labels[part])
            return objective.loss(output.float(), target[part], xt[part], t[part])

        value = microbatches.backward(loss, len(t), weights)

        # Stop before a loss that is not finite spoils the weights.
        factor = trapezoid(
            step,
            settings.steps,
            warmup_steps=settings.warmup_steps,
            decay_start=settings.decay_start,
        )
        finite(value, step, f"lower {name}.train.lr (now {factor * settings.lr:.3g})")

        # Update the weights at the scheduled rate, then their average.
        nn.utils.clip_grad_norm_(weights, settings.grad_clip)
        lr = optimizers.step(factor)
        ema.update(network)
        return {"loss": value, "lr": lr}

    with one_thread():
        history = train(
            advance,
            {"network": network, "ema": ema, "optimizers": optimizers},
            steps=settings.steps,
            resume=resume,
            save_every=settings.save_every,
            desc=name,
        )
    return ema.weights, history


def _stratified_times(
    count: int, timesteps: int, quantiles: Quantiles, stream: torch.Generator
) -> Tensor:
    """Times int64 (count,), one from each of `count` strata for less variance."""
    u = (torch.rand(1, generator=stream) + torch.arange(count) / count) % 1
    return (quantiles(u) * timesteps).long().clamp(max=timesteps - 1)


def _on(images: Tensor, device: torch.device, train: params.Denoising) -> Tensor:
    layout = torch.channels_last if train.channels_last else torch.contiguous_format
    return images.to(device, memory_format=layout, non_blocking=True)
