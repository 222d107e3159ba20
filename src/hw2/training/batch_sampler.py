"""The order in which a training sees its images: a function of (seed, step) only."""

import numpy as np

from hw2 import rng


class BatchSampler:
    """Batches of indices below `count`.

    Every epoch is a permutation, and batches run across epochs. No state changes a result:
    `batch(step)` is the same in a resumed run, and an epoch is the same for every batch size.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed = count, seed
        self._epochs: dict[int, np.ndarray] = {}

    def batch(self, step: int, size: int) -> np.ndarray:
        """Indices int64 (size,) of step `step`, counted from 0."""
        positions = np.arange(step * size, (step + 1) * size)
        epochs = positions // self.count
        return np.concatenate(
            [self._epoch(int(e))[positions[epochs == e] % self.count] for e in np.unique(epochs)]
        )

    def _epoch(self, epoch: int) -> np.ndarray:
        if epoch not in self._epochs:
            self._epochs = {e: order for e, order in self._epochs.items() if e == epoch - 1}
            self._epochs[epoch] = rng.numpy_rng(self.seed, "epoch", epoch).permutation(self.count)
        return self._epochs[epoch]
