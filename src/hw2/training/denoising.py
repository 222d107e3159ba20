"""Training of a denoising network (Ho et al., 2020, algorithm 1), with labels or without."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from hw2.config import params
from hw2.diffusion.guidance import drop_labels
from hw2.diffusion.objective import Objective
from hw2.diffusion.schedule import Prediction, Schedule
from hw2.diffusion.timestep_distribution import Quantiles, uniform
from hw2.runtime.device import one_thread
from hw2.training.batch_sampler import BatchSampler
from hw2.training.ema import EMA
from hw2.training.image_batches import ImageBatches, Images
from hw2.training.loop import Numbers, finite, train
from hw2.training.microbatches import Microbatches
from hw2.training.optimizers import adamw_and_muon, trapezoid
from hw2.training.precision import autocast, dtype, grad_scaler
from hw2.training.random_streams import StepStreams
from hw2.training.resume import Resume


@dataclass(frozen=True)
class DenoisingDataset:
    """Images with labels, and how noise is added to them.

    Attributes:
        images: uint8 (N, H, W, 3), or float (N, C, h, w) for latents; on the CPU.
        labels: int64 (N,); the labels of a model without labels are all `null_label`.
        null_label: Replaces each label with probability `p_uncond`.
        schedule: The noise schedule.
        prediction: What the network predicts.
        loss_weights: float (T,), of the squared error at each time; None for equal weights.
        quantiles: How often each time is drawn, a function of `timestep_distribution`.
        epoch: int64 (M,), the indices of the images of an epoch; None for each image once.
    """

    images: Images
    labels: Tensor
    null_label: int
    p_uncond: float
    schedule: Schedule
    prediction: Prediction
    loss_weights: Tensor | None = None
    quantiles: Quantiles = uniform
    epoch: np.ndarray | None = None

    def to(self, device: torch.device) -> "DenoisingDataset":
        """The same, with everything but the images on `device`."""
        weights = None if self.loss_weights is None else self.loss_weights.to(device)
        return replace(
            self,
            labels=self.labels.to(device),
            schedule=self.schedule.to(device),
            loss_weights=weights,
        )

    def noisy(
        self, x0: Tensor, rows: Tensor, objective: Objective, stream: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Draw noise, times and dropped labels of a batch.

        Args:
            x0: Images or latents float32 (n, C, H, W), on the device of the dataset.
            rows: Their indices int64 (n,), on the same device.
            objective: Gives the target of the loss.
            stream: Draws on its own device.

        Returns:
            xt (n, C, H, W), times (n,), labels (n,) and the target of xt.
        """
        t = _stratified_times(len(x0), self.schedule.timesteps, self.quantiles, stream)
        t = t.to(x0.device)
        eps = torch.randn(x0.shape, generator=stream, device=stream.device).to(x0)
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

    Everything random comes from a stream for each step, so a resumed training repeats what an
    uninterrupted one does. On a GPU nothing within a step waits for it.

    Args:
        network: A function of (xt, t, labels) with a method `inner_weights()`.
        name: Its section of params.yaml, for the progress line and messages.

    Returns:
        The averaged weights, and the history (rows of `step`, `loss`, `lr`).

    Raises:
        Interrupted: After a save, when the process receives a signal to stop.
        UserError: If the loss is not finite.
    """
    epoch = np.arange(len(dataset.images)) if dataset.epoch is None else dataset.epoch
    sampler = BatchSampler(len(epoch), seed)
    batches = ImageBatches(
        dataset.images, lambda step: epoch[sampler.batch(step, settings.batch_size)], device
    )
    streams = StepStreams(seed, "train", settings.random_streams, device)
    dataset = dataset.to(device)
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
    microbatches = Microbatches(settings.microbatches, in_turn=device.type != "cpu")
    scaler = grad_scaler(device, dtype(device, settings.precision))
    hint = f"lower {name}.train.lr"
    forward = torch.compile(network) if settings.compile else network

    def advance(step: int) -> Numbers:
        # Draw the batch.
        rows, clean = batches.at(step)
        xt, t, labels, target = dataset.noisy(clean, rows, objective, streams.at(step))
        xt, target = _laid_out(xt, settings), _laid_out(target, settings)

        # Compute the loss and its gradient, microbatch by microbatch.
        def loss(part: slice) -> Tensor:
            with autocast(device, settings.precision):
                output = forward(xt[part], t[part], labels[part])
            return objective.loss(output.float(), target[part], xt[part], t[part])

        mean_loss = microbatches.backward(loss, len(t), weights, scaler)

        # Stop before a loss that is not finite spoils the weights.
        factor = trapezoid(
            step,
            settings.steps,
            warmup_steps=settings.warmup_steps,
            decay_start=settings.decay_start,
        )
        value = finite(mean_loss, step, f"{hint} (now {factor * settings.lr:.3g})")

        # Update the weights at the scheduled rate, then their average.
        optimizers.unscale(scaler)
        nn.utils.clip_grad_norm_(weights, settings.grad_clip)
        lr = optimizers.step(factor, scaler)
        ema.update(network)
        return {"loss": value, "lr": lr}

    with one_thread():
        history = train(
            advance,
            {"network": network, "ema": ema, "optimizers": optimizers, "scaler": scaler},
            steps=settings.steps,
            resume=resume,
            save_every=settings.save_every,
            desc=name,
            hint=hint,
        )
    return ema.weights, history


def _stratified_times(
    count: int, timesteps: int, quantiles: Quantiles, stream: torch.Generator
) -> Tensor:
    """Times int64 (count,), one from each of `count` strata for less variance."""
    where = stream.device
    shift = torch.rand(1, generator=stream, device=where)
    u = (shift + torch.arange(count, device=where) / count) % 1
    return (quantiles(u) * timesteps).long().clamp(max=timesteps - 1)


def _laid_out(images: Tensor, train: params.Denoising) -> Tensor:
    layout = torch.channels_last if train.channels_last else torch.contiguous_format
    return images.contiguous(memory_format=layout)
