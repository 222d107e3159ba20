"""Several processes train as one does: same curve, clean stops, one writer, any number resumes."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from in_processes import Raised, in_processes
from torch import Tensor, nn

from hw2.config import params
from hw2.diffusion import schedule
from hw2.runtime import ranks
from hw2.runtime.errors import Interrupted, LostProcess, UserError
from hw2.training import processes
from hw2.training.denoising import DenoisingDataset, train_denoiser
from hw2.training.session import Session

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
Fitted = tuple[dict[str, Tensor], list[dict[str, float]]]


class Denoiser(nn.Module):
    """A small network with times and labels, and a hook before each of its forward passes."""

    def __init__(self, before: Callable[[], None]) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 3, 3, padding=1)
        self.times, self.labels = nn.Embedding(50, 8), nn.Embedding(4, 8)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for weight in self.parameters():
                weight.copy_(torch.randn(weight.shape, generator=generator) / 4)
        self.before = before

    def inner_weights(self) -> list[Tensor]:
        return [self.last.weight]

    def forward(self, xt: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        self.before()
        shift = (self.times(t) + self.labels(labels))[:, :, None, None]
        return self.last((self.first(xt) + shift).tanh())


def fit(
    mini: params.Params,
    folder: Path,
    microbatches: int = 1,
    before: Callable[[], None] = lambda: None,
    batch_size: int = 6,
) -> Fitted:
    """Train for 12 steps with a resume file every third step."""
    stream = np.random.Generator(np.random.PCG64(1))
    dataset = DenoisingDataset(
        stream.integers(0, 256, (20, 8, 8, 3), dtype=np.uint8),
        torch.arange(20) % 3,
        null_label=3,
        p_uncond=0.3,
        schedule=schedule.make("cosine", 50),
        prediction="eps",
    )
    settings = mini.faces.train.model_copy(
        update={"steps": 12, "batch_size": batch_size, "microbatches": microbatches}
        | {"save_every": 3, "lr": 0.01, "precision": "fp32"}
    )
    with Session(folder) as session:
        resume = session.resume({"name": "test"})
        fitted = train_denoiser(
            Denoiser(before), dataset, settings, seed=3, resume=resume, device=CPU, name="faces"
        )
        processes.end_all_but_first()
        return fitted


def alone(mini: params.Params, folder: Path) -> Fitted:
    return fit(mini, folder / "alone")


def assert_same(first: Fitted, second: Fitted) -> None:
    for a, b in zip(first[1], second[1], strict=True):
        assert a == pytest.approx(b, rel=1e-5)
    for name, weight in first[0].items():
        torch.testing.assert_close(weight, second[0][name], rtol=1e-4, atol=1e-5)


def at_call(number: int, action: Callable[[], None]) -> Callable[[], None]:
    """Does something before the forward pass of that number, from 1."""
    calls = 0

    def before() -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            action()

    return before


def send(signum: int) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), signum)


@pytest.mark.parametrize(("count", "microbatches"), [(2, 1), (2, 4), (3, 2)])
def test_the_loss_curve_is_that_of_one_process(
    mini: params.Params, tmp_path: Path, count: int, microbatches: int
) -> None:
    results = in_processes(count, lambda rank: fit(mini, tmp_path / "a", microbatches), tmp_path)
    assert_same(results[0], alone(mini, tmp_path))
    assert results[1:] == [Raised(SystemExit, "0")] * (count - 1)


def test_two_processes_with_a_microbatch_each_give_the_bits_of_two_microbatches(
    mini: params.Params, tmp_path: Path
) -> None:
    several, _ = in_processes(2, lambda rank: fit(mini, tmp_path / "a", 2), tmp_path)
    weights, history = fit(mini, tmp_path / "b", 2)
    assert several[1] == history
    assert all(torch.equal(several[0][name], weight) for name, weight in weights.items())


@pytest.mark.parametrize(("lost", "resumed_by"), [(0, 2), (1, 3), (1, 1)])
def test_a_training_that_lost_a_process_goes_on_with_any_number(
    mini: params.Params, tmp_path: Path, lost: int, resumed_by: int
) -> None:
    def broken(rank: int) -> Fitted:
        hook = at_call(8, send(signal.SIGKILL)) if rank == lost else lambda: None
        return fit(mini, tmp_path / "a", before=hook)

    results = in_processes(2, broken, tmp_path)
    assert results[lost] is None
    assert results[1 - lost].kind is LostProcess
    steps = {path.name for path in (tmp_path / "a").glob("*/step-*.pt")}
    assert steps == {"step-3.pt", "step-6.pt"}

    calls = []
    again = lambda rank: (  # noqa: E731
        fit(mini, tmp_path / "a", before=lambda: calls.append(rank)),
        len(calls),
    )
    fitted, forward_passes = in_processes(resumed_by, again, tmp_path)[0]
    assert forward_passes == 6
    assert_same(fitted, alone(mini, tmp_path))


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_one_process_stops_all_of_them_at_the_same_step(
    mini: params.Params, tmp_path: Path, signum: int
) -> None:
    def stopped(rank: int) -> Fitted:
        hook = at_call(5, send(signum)) if rank == 1 else lambda: None
        return fit(mini, tmp_path / "a", before=hook)

    results = in_processes(2, stopped, tmp_path)
    assert results == [Raised(Interrupted, str(Interrupted(5, signum)))] * 2
    assert [path.name for path in (tmp_path / "a").glob("*/step-5.pt")] == ["step-5.pt"]
    assert_same(fit(mini, tmp_path / "a"), alone(mini, tmp_path))


def test_only_the_first_process_writes(mini: params.Params, tmp_path: Path) -> None:
    def interrupted(rank: int) -> Fitted:
        return fit(mini, tmp_path / str(rank), before=at_call(5, send(signal.SIGTERM)))

    in_processes(2, interrupted, tmp_path)
    assert list((tmp_path / "0").glob("*/step-5.pt"))
    assert not (tmp_path / "1").exists()


def test_a_batch_that_is_too_small_is_refused(mini: params.Params, tmp_path: Path) -> None:
    results = in_processes(3, lambda rank: fit(mini, tmp_path / "a", batch_size=2), tmp_path)
    assert {result.kind for result in results} == {UserError}
    assert results[0].text.startswith("runtime.processes: 3 processes cannot share a batch of 2;")


def test_values_of_one_process_reach_all(tmp_path: Path) -> None:
    def talk(rank: int) -> dict[str, Any]:
        layout = torch.full((2, 3, 4, 4), float(rank)).to(memory_format=torch.channels_last)
        tensors = [torch.tensor(rank, dtype=torch.float64), layout]
        processes.add_up(tensors)
        part = nn.Linear(1, 1)
        nn.init.constant_(part.weight, rank)
        processes.share_state(part)
        return {
            "sums": [tensor.unique().item() for tensor in tensors],
            "strides": layout.is_contiguous(memory_format=torch.channels_last),
            "shared": processes.shared({"rank": rank}, 2),
            "first": processes.from_first(lambda: rank),
            "state": part.weight.item(),
            "agreed": [processes.agreed(None), processes.agreed(2 if rank == 1 else None)],
            "dealt": processes.dealt("abcdefgh"),
        }

    results = in_processes(3, talk, tmp_path)
    dealt = [result.pop("dealt") for result in results]
    assert [letter for items in dealt for letter in items] == list("abcdefgh")
    assert {len(items) for items in dealt} == {2, 3}
    expected = {"sums": [3.0, 3.0], "strides": True, "shared": {"rank": 2}, "first": 0}
    assert results == [expected | {"state": 0.0, "agreed": [None, 2]}] * 3


def test_one_process_is_the_first_of_one() -> None:
    tensor = torch.ones(2)
    processes.add_up([tensor])
    assert tensor.tolist() == [1, 1]
    assert processes.dealt("ab") == ["a", "b"]
    assert processes.from_first(lambda: 5) == processes.shared(5) == 5
    assert processes.agreed(15) == 15
    assert ranks.is_first()
    processes.end_all_but_first()
