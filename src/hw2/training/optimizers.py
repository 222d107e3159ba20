"""Optimizers that follow one learning-rate schedule, and the schedules."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import AdamW, Optimizer

from hw2.training.muon import Muon

SHORT_TRAINING_BETAS = (0.9, 0.99)
"""AdamW's betas of trainings of a few thousand steps: the default 0.999 averages squared gradients
over the last 1000 steps, half of such a training."""
CLIP_BETAS = (0.9, 0.98)
"""AdamW's betas for CLIP (Radford et al., 2021, table 18)."""


class ScheduledOptimizers:
    """Optimizers, each with its peak learning rate, that follow one schedule.

    Args:
        members: Pairs of an optimizer and its peak learning rate.
    """

    def __init__(self, members: Sequence[tuple[Optimizer, float]]) -> None:
        self.members = tuple(members)

    def unscale(self, scaler: GradScaler) -> None:
        """Divide the gradients by the scale of the loss, if the scaler is enabled."""
        for optimizer, _ in self.members:
            scaler.unscale_(optimizer)

    def step(self, factor: float, scaler: GradScaler | None = None) -> float:
        """Take a step at `factor` times the peak rates; returns the first optimizer's rate.

        An optimizer one of whose gradients overflowed under the scale of `scaler` skips the step.
        """
        for optimizer, peak in self.members:
            for group in optimizer.param_groups:
                group["lr"] = peak * factor
            if scaler is None:
                optimizer.step()
            else:
                scaler.step(optimizer)
        if scaler is not None:
            scaler.update()
        return self.members[0][1] * factor

    def state_dict(self) -> dict[str, Any]:
        return {type(optimizer).__name__: optimizer.state_dict() for optimizer, _ in self.members}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for optimizer, _ in self.members:
            optimizer.load_state_dict(state[type(optimizer).__name__])


def adamw_and_muon(
    weights: Iterable[nn.Parameter],
    inner: Iterable[Tensor],
    *,
    lr: float,
    muon_lr: float,
    weight_decay: float,
    betas: tuple[float, float] = SHORT_TRAINING_BETAS,
    undecayed: Iterable[Tensor] = (),
) -> ScheduledOptimizers:
    """Muon for the weights in `inner`, AdamW for the others.

    Args:
        weights: All weights to train.
        inner: Those of `weights` that map features to features, of two or more dimensions.
        lr: Peak learning rate of AdamW.
        muon_lr: Peak learning rate of Muon; 0 gives all weights to AdamW.
        weight_decay: Decoupled decay of AdamW's weights.
        undecayed: Those of `weights` that AdamW does not decay.
    """
    inner = list(inner) if muon_lr > 0 else []
    undecayed = list(undecayed)
    elsewhere = {id(weight) for weight in (*inner, *undecayed)}
    groups = [
        {
            "params": [weight for weight in weights if id(weight) not in elsewhere],
            "weight_decay": weight_decay,
        }
    ]
    if undecayed:
        groups.append({"params": undecayed, "weight_decay": 0.0})
    members: list[tuple[Optimizer, float]] = [(AdamW(groups, lr, betas, fused=True), lr)]
    if inner:
        members.append((Muon(inner, muon_lr), muon_lr))
    return ScheduledOptimizers(members)


def trapezoid(
    step: int, steps: int, *, warmup_steps: float, decay_start: float, offset: float = 0.0
) -> float:
    """Factor of the peak rate: linear warm-up, constant, linear decay to zero.

    Args:
        step: From 0.
        warmup_steps: Steps until the peak is reached.
        decay_start: Fraction of the training after which the rate decays; 1 is no decay.
        offset: Where within a step the decay is evaluated, from 0 (its start) to 1 (its end).
    """
    warmup = min(1.0, (step + 1) / max(1.0, warmup_steps))
    remaining = 1 - (step + offset) / steps
    return warmup * min(1.0, remaining / max(1e-9, 1 - decay_start))


def half_cosine(step: int, steps: int, *, warmup_fraction: float) -> float:
    """Factor of the peak rate: linear warm-up, then half a cosine to zero.

    Args:
        step: From 0.
        warmup_fraction: Fraction of the training in which the rate rises.
    """
    progress = step / steps
    if progress < warmup_fraction:
        return (progress + 1 / steps) / (warmup_fraction + 1 / steps)
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup_fraction) / (1 - warmup_fraction)))
