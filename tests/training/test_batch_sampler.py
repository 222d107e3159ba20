"""The order of images is a function of (seed, step): there is no state to save."""

import numpy as np
import pytest

from hw2.training.batch_sampler import BatchSampler

COUNT = 23


def stream(size: int, steps: int, seed: int = 1) -> np.ndarray:
    order = BatchSampler(COUNT, seed)
    return np.concatenate([order.batch(step, size) for step in range(steps)])


@pytest.mark.parametrize("size", [1, 4, 23, 30, 64])
def test_every_epoch_is_a_permutation(size: int) -> None:
    epochs = 6
    seen = stream(size, -(-epochs * COUNT // size))[: epochs * COUNT].reshape(epochs, COUNT)
    assert (np.sort(seen, axis=1) == np.arange(COUNT)).all()
    assert len({epoch.tobytes() for epoch in seen}) == epochs


@pytest.mark.parametrize("size", [1, 4, 30, 64])
def test_the_batch_size_does_not_change_the_order(size: int) -> None:
    assert np.array_equal(stream(size, 5), stream(1, 5 * size))


def test_a_batch_runs_across_epochs() -> None:
    batch = BatchSampler(COUNT, 1).batch(0, 3 * COUNT)
    assert np.bincount(batch).tolist() == [3] * COUNT
    assert batch.dtype == np.int64


@pytest.mark.parametrize("step", [1, 5, 40])
def test_a_resumed_run_sees_the_same_batches(step: int) -> None:
    before = BatchSampler(COUNT, 1)
    for k in range(step):
        before.batch(k, 8)
    assert np.array_equal(before.batch(step, 8), BatchSampler(COUNT, 1).batch(step, 8))


def test_an_earlier_step_repeats_its_batch() -> None:
    order = BatchSampler(COUNT, 1)
    first = order.batch(0, 8)
    order.batch(50, 8)
    assert np.array_equal(order.batch(0, 8), first)


def test_another_seed_gives_another_order() -> None:
    assert not np.array_equal(stream(COUNT, 1, seed=1), stream(COUNT, 1, seed=2))
