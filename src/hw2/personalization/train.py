"""Training of token embeddings and optionally of the cross-attention's keys and values.

Textual inversion (Gal et al., 2022) trains the embeddings alone; Custom Diffusion (Kumari et al.,
2023) also trains `to_k` and `to_v` of every cross-attention. The rest of the model is frozen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from hw2.config import params
from hw2.diffusion.objective import Objective, min_snr_v_weights
from hw2.diffusion.schedule import Prediction, Schedule
from hw2.personalization import tokens
from hw2.personalization.batches import BatchFunction
from hw2.personalization.tokens import AddedToken
from hw2.runtime import ranks
from hw2.training import processes
from hw2.training.loop import Numbers, finite, train
from hw2.training.microbatches import Microbatches
from hw2.training.optimizers import trapezoid
from hw2.training.precision import grad_scaler
from hw2.training.random_streams import StepStreams
from hw2.training.resume import Resume

_FP16_SCALE = 1024.0  # of the loss at first
_HINT = "lower personalization.train.lr"
_PREDICTIONS: dict[str, Prediction] = {"epsilon": "eps", "v_prediction": "v", "sample": "x0"}


@dataclass
class Snapshots:
    """Validation snapshots: their steps, mean scores, embeddings and images.

    Attributes:
        steps: Steps of the snapshots.
        image: Mean image score of each.
        text: Mean text score of each.
        rows: Embeddings float32 (vectors, width) of each.
        strips: Images uint8 (images, S, S, 3) of each.
    """

    steps: list[int] = field(default_factory=list)
    image: list[float] = field(default_factory=list)
    text: list[float] = field(default_factory=list)
    rows: list[Tensor] = field(default_factory=list)
    strips: list[Tensor] = field(default_factory=list)

    def state_dict(self) -> dict[str, Any]:
        return {name: list(value) for name, value in vars(self).items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, list(value))


SnapshotFunction = Callable[[int, Snapshots], None]
"""Called before step 0, every `validate_every` steps and after the last; adds to the snapshots."""


def train_embeddings(
    pipe: Any,
    added_tokens: tuple[AddedToken, ...],
    batch_function: BatchFunction,
    settings: params.PersonalizationTrain,
    *,
    steps: int,
    lr: float,
    seed: int,
    resume: Resume,
    matrices: dict[str, nn.Parameter] | None = None,
    matrices_lr: float = 0.0,
    snapshot: SnapshotFunction | None = None,
    validate_every: int = 0,
    desc: str,
) -> tuple[Tensor, list[dict[str, float]], Snapshots]:
    """Train the embeddings of `added_tokens`, and `matrices` of the U-Net if given, in place.

    Embeddings have no weight decay, which would pull them to zero regardless of the loss.

    Returns:
        The embeddings float32 (vectors of all, width), the history (`step`, `loss`) and the
        snapshots.
    """
    snapshots = Snapshots()
    trained_matrices = matrices or {}
    with (
        _checkpointing(pipe, settings.gradient_checkpointing),
        tokens.trainable(pipe, added_tokens) as rows,
    ):
        groups: list[dict[str, Any]] = [
            {"params": [rows], "lr": lr, "initial_lr": lr, "weight_decay": 0.0}
        ]
        if trained_matrices:
            for weight in trained_matrices.values():
                weight.requires_grad_()
            trained = list(trained_matrices.values())
            groups.append(
                {
                    "params": trained,
                    "lr": matrices_lr,
                    "initial_lr": matrices_lr,
                    "weight_decay": 0.01,
                }
            )
        device, weights = pipe.unet.device, [rows, *trained_matrices.values()]
        on_gpu = device.type != "cpu"
        optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.999), fused=on_gpu or None)
        scaler = grad_scaler(device, pipe.unet.dtype, initial=_FP16_SCALE)
        microbatches = Microbatches(settings.microbatches, in_turn=on_gpu)
        step_loss = _StepLoss(
            pipe,
            batch_function,
            _Encoder(pipe.vae, remembers=not settings.augment),
            StepStreams(seed, "noise", settings.random_streams, device),
            microbatches,
        )

        def take_snapshot(step: int) -> None:
            if snapshot is None or step in snapshots.steps:
                return
            if ranks.is_first():
                with torch.no_grad():
                    snapshot(step, snapshots)
                snapshots.steps.append(step)
                snapshots.rows.append(rows.detach().cpu().clone())
            processes.share_state(snapshots)

        def advance(step: int) -> Numbers:
            if validate_every and step % validate_every == 0:
                take_snapshot(step)
            loss, size = step_loss.of(step)
            value = finite(microbatches.backward(loss, size, weights, scaler), step, _HINT)
            factor = trapezoid(step, steps, warmup_steps=0, decay_start=settings.decay_start)
            for group in optimizer.param_groups:
                group["lr"] = factor * group["initial_lr"]
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad(set_to_none=True)
            if validate_every and step + 1 == steps:
                take_snapshot(steps)
            return {"loss": value}

        try:
            history = train(
                advance,
                {
                    "rows": _ResumableParameter(rows),
                    "matrices": _ResumableParameters(trained_matrices),
                    "optimizer": optimizer,
                    "scaler": scaler,
                    "snapshots": snapshots,
                },
                steps=steps,
                resume=resume,
                save_every=settings.save_every,
                desc=desc,
                hint=_HINT,
            )
        finally:
            for weight in trained_matrices.values():
                weight.requires_grad_(False)
        result = rows.detach().cpu().clone()
    return result, history, snapshots


class _Encoder:
    """The encoder of images.

    Photographs that are not augmented come again and again, so each is encoded once, and alone: the
    bits do not depend on which images came together, nor on where a training was resumed.
    """

    def __init__(self, vae: Any, *, remembers: bool) -> None:
        self._vae, self._remembers = vae, remembers
        self._known: dict[bytes, tuple[Tensor, Tensor]] = {}

    @torch.no_grad()
    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (N, C, h, w) of the latents of images (N, 3, S, S)."""
        if not self._remembers:
            return self._moments(images)
        moments = []
        for image in images.split(1):
            key = image.numpy().tobytes()
            if key not in self._known:
                self._known[key] = self._moments(image)
            moments.append(self._known[key])
        means, deviations = zip(*moments, strict=True)
        return torch.cat(means), torch.cat(deviations)

    def _moments(self, images: Tensor) -> tuple[Tensor, Tensor]:
        pixels = images.to(self._vae.device, self._vae.dtype, non_blocking=True)
        latents = self._vae.encode(pixels).latent_dist
        return latents.mean, latents.std


class _StepLoss:
    """The loss of the batches of a training, on the device of the U-Net.

    For a model that predicts x0, the loss is that of `hw2.stable_diffusion.train`.

    Args:
        pipe: The pipeline.
        batch_function: The images and sentences of each step.
        encoder: Encodes the images.
        streams: Streams of the latents, the noise and the times of each step.
        microbatches: Tell which images this process encodes.
    """

    def __init__(
        self,
        pipe: Any,
        batch_function: BatchFunction,
        encoder: _Encoder,
        streams: StepStreams,
        microbatches: Microbatches,
    ) -> None:
        self._pipe, self._batch_function = pipe, batch_function
        self._encoder, self._streams, self._microbatches = encoder, streams, microbatches
        levels = Schedule(pipe.scheduler.alphas_cumprod.double().to(pipe.unet.device))
        prediction = _PREDICTIONS[pipe.scheduler.config.prediction_type]
        weights = min_snr_v_weights(levels) if prediction == "x0" else None
        self._objective = Objective(levels, prediction, weights)

    def of(self, step: int) -> tuple[Callable[[slice], Tensor], int]:
        """The mean loss of a slice of the batch of a step, and the number of its images."""
        images, texts = self._batch_function(step)
        own = self._microbatches.own(len(texts))
        mean, deviation = self._moments(images, slice(own[0].start, own[-1].stop))
        pipe, objective, stream = self._pipe, self._objective, self._streams.at(step)
        where, levels = stream.device, objective.schedule
        vae_noise = torch.randn(mean.shape, generator=stream, device=where).to(mean)
        latents = (mean + deviation * vae_noise).float() * pipe.vae.config.scaling_factor
        noise = torch.randn(mean.shape, generator=stream, device=where).to(latents)
        shape = (len(texts),)
        times = torch.randint(0, levels.timesteps, shape, generator=stream, device=where)
        times = times.to(latents.device)
        noisy = levels.add_noise(latents, noise, times)
        target, ids = objective.target(latents, noise, times), encoded(pipe, texts)

        def loss(rows: slice) -> Tensor:
            states = pipe.text_encoder(ids[rows])[0]
            inputs = noisy[rows].to(pipe.unet.dtype)
            output = pipe.unet(inputs, times[rows], encoder_hidden_states=states).sample.float()
            return objective.loss(output, target[rows], noisy[rows], times[rows])

        return loss, len(texts)

    def _moments(self, images: Tensor, own: slice) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (N, C, h, w) of the latents; 0 of images that are not own."""
        moments = self._encoder(images[own])
        if ranks.count() == 1:
            return moments
        whole = [values.new_zeros(len(images), *values.shape[1:]) for values in moments]
        for values, place in zip(moments, whole, strict=True):
            place[own] = values
        return whole[0], whole[1]


def encoded(pipe: Any, texts: list[str]) -> Tensor:
    """Token ids int64 (N, context), on the device of the U-Net."""
    return token_ids(pipe, texts).to(pipe.unet.device)


def token_ids(pipe: Any, texts: Sequence[str]) -> Tensor:
    """Token ids int64 (N, context), on the CPU."""
    ids: Tensor = pipe.tokenizer(
        list(texts),
        padding="max_length",
        max_length=pipe.tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    ).input_ids
    return ids


class _checkpointing:  # noqa: N801 - used like a function: `with _checkpointing(...)`
    """Gradient checkpointing of the U-Net within the `with` block, if enabled."""

    def __init__(self, pipe: Any, enabled: bool) -> None:
        self._unet, self._enabled = pipe.unet, enabled

    def __enter__(self) -> None:
        if self._enabled:
            self._unet.train()  # diffusers checkpoints in training mode; there is no dropout
            self._unet.enable_gradient_checkpointing()

    def __exit__(self, *_: object) -> None:
        if self._enabled:
            self._unet.disable_gradient_checkpointing()
            self._unet.eval()


class _ResumableParameter:
    """A parameter in a resume file."""

    def __init__(self, weight: nn.Parameter) -> None:
        self._weight = weight

    def state_dict(self) -> dict[str, Tensor]:
        return {"value": self._weight.detach().clone()}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self._weight.copy_(state["value"])


class _ResumableParameters:
    """Named parameters in a resume file."""

    def __init__(self, weights: dict[str, nn.Parameter]) -> None:
        self._weights = weights

    def state_dict(self) -> dict[str, Tensor]:
        return {name: weight.detach().clone() for name, weight in self._weights.items()}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        for name, value in state.items():
            self._weights[name].copy_(value)
