"""Training of a small classifier in seconds, for the judges that are trained on renderings."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from hw2.runtime.device import one_thread
from hw2.runtime.progress import progress
from hw2.training.batch_sampler import BatchSampler

Network = TypeVar("Network", bound=nn.Module)
_BATCH_SIZE = 64
_WEIGHT_DECAY = 1e-2


def train_classifier(
    network: Network,
    loss: Callable[[Any], Tensor],
    count: int,
    *,
    epochs: int,
    peak_lr: float,
    seed: int,
    desc: str,
) -> Network:
    """Train by AdamW with one cycle of the learning rate (Smith & Topin, 2018).

    Args:
        network: The classifier, which is trained in place.
        loss: The mean loss, a scalar, of training examples with these indices, int (batch,).
        count: Number of training examples.
        epochs: How often each of them is seen.
        peak_lr: The highest learning rate.
        seed: Seed of the order of the examples.
        desc: Text of the progress line.

    Returns:
        The network, in evaluation mode.
    """
    network.train()
    steps = max(1, epochs * count // _BATCH_SIZE)
    optimizer = torch.optim.AdamW(network.parameters(), peak_lr, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak_lr, total_steps=steps + 1)
    order = BatchSampler(count, seed)
    with one_thread(), progress(steps, desc) as bar:
        for step in range(steps):
            value = loss(order.batch(step, min(_BATCH_SIZE, count)))
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            bar.update(1, loss=value.item())
    return network.eval()
