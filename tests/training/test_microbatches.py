"""A batch in parts gives the gradient of the whole, the same bits on any number of threads."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hw2.training.microbatches import Microbatches


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def gradients(count: int, size: int, threads: int) -> tuple[float, list[Tensor]]:
    torch.set_num_threads(threads)
    generator = torch.Generator().manual_seed(size)
    network = nn.Conv2d(3, 5, 3)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator))
    x = torch.randn(size, 3, 6, 6, generator=generator)
    weights = list(network.parameters())
    loss = Microbatches(count).backward(
        lambda part: F.mse_loss(network(x[part]).tanh(), 0 * network(x[part])), size, weights
    )
    return loss.item(), [weight.grad for weight in weights if weight.grad is not None]


@pytest.mark.parametrize("count", [1, 2, 3, 9])
@pytest.mark.parametrize("size", [4, 7])
def test_microbatches_add_up_to_the_gradient_of_the_batch(count: int, size: int) -> None:
    loss, parts = gradients(count, size, threads=2)
    whole_loss, whole = gradients(1, size, threads=1)
    assert loss == pytest.approx(whole_loss, rel=1e-6)  # a few float32 roundings
    for of_parts, of_whole in zip(parts, whole, strict=True):
        torch.testing.assert_close(of_parts, of_whole)


def test_a_gradient_has_the_layout_of_its_parameter() -> None:
    """A fused optimizer walks both by address: with other strides it would mix up the weights."""
    network = nn.Conv2d(3, 5, 3).to(memory_format=torch.channels_last)
    x = torch.randn(4, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    Microbatches(2).backward(
        lambda part: network(x[part]).square().mean(), 4, list(network.parameters())
    )
    for parameter in network.parameters():
        assert parameter.grad is not None
        assert parameter.grad.stride() == parameter.stride()


def test_row_60_gradients_do_not_depend_on_the_number_of_threads() -> None:
    results = [gradients(4, 16, threads) for threads in (1, 2, 4)]
    for loss, parts in results[1:]:
        assert loss == results[0][0]
        assert all(torch.equal(a, b) for a, b in zip(parts, results[0][1], strict=True))
