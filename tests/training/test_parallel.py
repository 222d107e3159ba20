"""A parallel map keeps the order of its items, divides the threads, and raises the first error."""

from collections.abc import Iterator

import pytest
import torch

from hw2.training.parallel import ParallelMap, map_batches, split

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("at_once", [1, 2, 9])
def test_results_are_in_the_order_of_the_items(at_once: int) -> None:
    assert list(ParallelMap(at_once)(lambda k: k * k, range(20))) == [k * k for k in range(20)]


def test_the_threads_of_pytorch_are_divided() -> None:
    assert ParallelMap(1).run([torch.get_num_threads]) == [2]
    assert ParallelMap(2).run([torch.get_num_threads] * 4) == [1] * 4
    assert torch.get_num_threads() == 2


def test_the_first_error_is_raised() -> None:
    def fails() -> int:
        raise ValueError("first")

    parallel = ParallelMap(2)
    with pytest.raises(ValueError, match="first"):
        parallel.run([fails, lambda: 2])
    assert parallel.run([lambda: 1, lambda: 2]) == [1, 2]


def test_no_batches_give_no_results() -> None:
    assert list(map_batches(len, [], CPU)) == []


@pytest.mark.parametrize(("count", "parts"), [(4, 2), (7, 3), (3, 9), (1, 1)])
def test_slices_cover_every_row_once(count: int, parts: int) -> None:
    rows = [row for part in split(count, parts) for row in range(count)[part]]
    assert rows == list(range(count))
    sizes = [part.stop - part.start for part in split(count, parts)]
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= 1
