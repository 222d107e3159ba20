"""Training of the conditional DDPM (Ho & Salimans, 2022, algorithm 1)."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from hw2 import params, rng
from hw2.diffusion import schedule
from hw2.diffusion.guidance import drop_labels
from hw2.digits import packed as arrays
from hw2.generation import denoiser
from hw2.labels import NUM_LABELS, label_of
from hw2.tensors import from_uint8
from hw2.training.checkpoint import Resume
from hw2.training.ema import EMA
from hw2.training.loop import finite, train
from hw2.training.muon import Muon
from hw2.training.order import Order
from hw2.training.shards import Shards


def fit(
    ddpm: params.Ddpm, packed: Path, checkpoints: Path, device: torch.device
) -> tuple[dict[str, Tensor], list[dict[str, float]], Resume]:
    """Train on the train part of `ddpm.domains`.

    Returns:
        The averaged weights, the history (rows of `step`, `loss`, `lr`), and the resume files,
        which the caller finishes once its outputs are written.
    """
    resume = Resume(checkpoints, _identity(ddpm, packed))
    settings, diffusion = ddpm.train, ddpm.diffusion
    images, labels = _images_and_labels(ddpm.domains, packed)
    order = Order(len(images), ddpm.seed)
    levels = schedule.make(diffusion.schedule, diffusion.timesteps)
    network = _new_network(ddpm, device)
    weights = list(network.parameters())
    ema = EMA(network, settings.ema)
    optimizers = _optimizers(network, settings)
    shards = Shards(settings.shards)
    forward = torch.compile(network) if settings.compile else network

    def noisy(step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The inputs xt, t, labels and the target of a step, on the device.

        Everything random comes from the step's own stream, on the CPU: a resumed run, and one on
        another device, sees the same images, times, noises and dropped labels.
        """
        stream = rng.torch_rng(ddpm.seed, "train", step)
        rows = order.batch(step, settings.batch)
        x0 = from_uint8(images[rows])
        t = _stratified_times(len(rows), levels.timesteps, stream)
        eps = torch.randn(x0.shape, generator=stream).to(x0)
        given = drop_labels(labels[rows], settings.p_uncond, NUM_LABELS, stream)
        xt, target = levels.add_noise(x0, eps, t), levels.target(x0, eps, t, diffusion.prediction)
        return (
            _on(xt, device, settings),
            t.to(device),
            given.to(device),
            _on(target, device, settings),
        )

    def advance(step: int) -> dict[str, float]:
        xt, t, given, target = noisy(step)

        def loss(part: slice) -> Tensor:
            bf16 = settings.precision == "bf16"
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                output = forward(xt[part], t[part], given[part])
            return F.mse_loss(output.float(), target[part])

        rate = _rate(step, settings)
        value = shards.backward(loss, len(t), weights)
        finite(value, step, f"lower ddpm.train.lr (now {rate * settings.lr:.3g})")
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
        desc="ddpm",
    )
    return ema.weights, history, resume


def _identity(ddpm: params.Ddpm, packed: Path) -> dict[str, Any]:
    """What makes it this training and no other; how often it is saved does not."""
    described = ddpm.model_dump(mode="json", exclude={"train": {"save_every"}})
    return {"ddpm": described, "data": arrays.fingerprint(packed, ddpm.domains, "train")}


def _images_and_labels(domains: tuple[str, ...], packed: Path) -> tuple[np.ndarray, Tensor]:
    """Images uint8 (N, 28, 28, 3) and labels int64 (N,) of the train part of all domains."""
    parts = [(domain, arrays.load(packed, domain, "train")) for domain in domains]
    labels = [part.digits + label_of(domain, 0) for domain, part in parts]
    images = np.concatenate([part.rgb for _, part in parts])
    return images, torch.from_numpy(np.concatenate(labels))


def _new_network(ddpm: params.Ddpm, device: torch.device) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.derive(ddpm.seed, "initial weights"))
        network = denoiser.build(ddpm.network, ddpm.diffusion.timesteps)
    layout = torch.channels_last if ddpm.train.channels_last else torch.contiguous_format
    return network.to(device).to(memory_format=layout)


def _optimizers(network: nn.Module, train: params.Train) -> list[tuple[Optimizer, float]]:
    """Optimizers with their peak rates: Muon for inner convolutions if asked for, AdamW else."""
    inner = network.inner_weights() if train.muon_lr > 0 else []  # type: ignore[operator]
    taken = {id(p) for p in inner}
    rest = [p for p in network.parameters() if id(p) not in taken]
    adamw = torch.optim.AdamW(
        rest, lr=train.lr, betas=(0.9, 0.99), weight_decay=train.weight_decay, fused=True
    )
    both: list[tuple[Optimizer, float]] = [(adamw, train.lr)]
    return [*both, (Muon(inner, train.muon_lr), train.muon_lr)] if inner else both


def _rate(step: int, train: params.Train) -> float:
    """Share of the peak rate: linear warm-up, constant, linear to zero from `decay_from` on."""
    done = (step + 1) / train.steps
    warm = min(1.0, (step + 1) / max(1, train.warmup))
    fall = 1.0 if done <= train.decay_from else (1 - step / train.steps) / (1 - train.decay_from)
    return warm * min(1.0, fall)


def _stratified_times(count: int, timesteps: int, stream: torch.Generator) -> Tensor:
    """Uniform times int64 (count,), one from each of `count` strata for less variance."""
    u = (torch.rand(1, generator=stream) + torch.arange(count) / count) % 1
    return (u * timesteps).long().clamp(max=timesteps - 1)


def _on(images: Tensor, device: torch.device, train: params.Train) -> Tensor:
    layout = torch.channels_last if train.channels_last else torch.contiguous_format
    return images.to(device, memory_format=layout, non_blocking=True)
