"""The training loop: means in the history, exact resumption, and no step on a broken loss."""

import math
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from interruptions import crash, terminate
from torch import nn

from hw2.runtime.errors import Interrupted, UserError
from hw2.training.loop import RECORDS, finite, train
from hw2.training.resume import Resume

Hook = Callable[[int], None]


class Toy:
    """A linear fit with Adam, whose data are derived from the step number."""

    def __init__(self, folder: Path, hook: Hook = lambda step: None) -> None:
        self.network = nn.Linear(4, 1)
        nn.init.constant_(self.network.weight, 0.5)
        nn.init.zeros_(self.network.bias)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=0.05)
        self.resume = Resume(folder, {"name": "toy"})
        self.hook = hook

    def advance(self, step: int) -> dict[str, float]:
        self.hook(step)
        x = torch.randn(8, 4, generator=torch.Generator().manual_seed(step))
        loss = (self.network(x) - x.sum(1, keepdim=True)).square().mean()
        value = finite(loss.item(), step, "lower toy.lr")
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": value, "step squared": float(step**2)}

    def train(self, steps: int = 12, save_every: int = 5) -> list[dict[str, float]]:
        parts = {"network": self.network, "optimizer": self.optimizer}
        return train(
            self.advance, parts, steps=steps, resume=self.resume, save_every=save_every, desc="toy"
        )

    @property
    def weights(self) -> torch.Tensor:
        return torch.cat([p.detach().flatten() for p in self.network.parameters()])


def at(step: int, action: Callable[[], None]) -> Hook:
    return lambda now: action() if now == step else None


@pytest.mark.parametrize(("steps", "every"), [(12, 1), (200, 1), (201, 2), (450, 3)])
def test_the_history_holds_means_and_stays_short(tmp_path: Path, steps: int, every: int) -> None:
    rows = Toy(tmp_path).train(steps, save_every=10_000)
    assert len(rows) == math.ceil(steps / every) <= RECORDS
    assert [row["step"] for row in rows] == [*range(every, steps, every), steps]
    for row, before in zip(rows, [0, *(row["step"] for row in rows)], strict=False):
        window = range(int(before), int(row["step"]))
        assert row["step squared"] == pytest.approx(sum(k**2 for k in window) / len(window))


@pytest.mark.parametrize("step", [0, 3, 4, 9, 11])
@pytest.mark.parametrize("stop", [terminate, crash])
def test_a_resumed_training_equals_the_uninterrupted_one(
    tmp_path: Path, step: int, stop: Callable[[], None]
) -> None:
    straight = Toy(tmp_path / "straight")
    history = straight.train()
    broken = Toy(tmp_path / "broken", at(step, stop))
    with pytest.raises((Interrupted, RuntimeError)):
        broken.train()
    resumed = Toy(tmp_path / "broken")
    assert resumed.train() == history
    assert torch.equal(resumed.weights, straight.weights)


def test_a_window_of_the_history_survives_an_interruption(tmp_path: Path) -> None:
    history = Toy(tmp_path / "straight").train(450, save_every=10_000)
    with pytest.raises(Interrupted):
        Toy(tmp_path / "broken", at(3, terminate)).train(450, save_every=10_000)  # 4 of 3 + 3
    assert Toy(tmp_path / "broken").train(450, save_every=10_000) == history


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_training_after_the_step_and_a_save(tmp_path: Path, signum: int) -> None:
    toy = Toy(tmp_path, at(6, lambda: os.kill(os.getpid(), signum)))
    with pytest.raises(Interrupted) as caught:
        toy.train()
    assert caught.value.step == 7
    assert caught.value.exit_code == 128 + signum
    latest = toy.resume.load_latest()
    assert latest is not None
    assert latest[0] == 7
    assert torch.equal(latest[1]["network"]["weight"], toy.network.weight.detach())


def test_a_signal_on_the_last_step_loses_nothing(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        Toy(tmp_path / "broken", at(11, terminate)).train()
    counted: list[int] = []
    resumed = Toy(tmp_path / "broken", counted.append)
    assert resumed.train() == Toy(tmp_path / "straight").train()
    assert counted == []


def test_a_resumed_training_repeats_only_the_missing_steps(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="crash"):
        Toy(tmp_path, at(9, crash)).train()
    counted: list[int] = []
    Toy(tmp_path, counted.append).train()
    assert counted == list(range(5, 12))  # the last save was after five steps


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_row_53_a_loss_that_is_not_finite_stops_before_the_step(
    tmp_path: Path, poison: float
) -> None:
    toy = Toy(tmp_path)
    before: list[torch.Tensor] = []

    def spoil(step: int) -> None:
        if step == 7:
            with torch.no_grad():
                toy.network.weight[0, 0] = poison
            before.append(toy.weights.clone())

    toy.hook = spoil
    with pytest.raises(UserError, match=r"at step 8; .* kept; lower toy\.lr") as caught:
        toy.train()
    assert "\n" not in str(caught.value)
    assert torch.equal(toy.weights[1:], before[0][1:])  # the last good weights, no step on top
    latest = Resume(tmp_path, {"name": "toy"}).load_latest()
    assert latest is not None
    assert latest[0] == 5
    assert latest[1]["network"]["weight"].isfinite().all()


@pytest.mark.parametrize("loss", [0.0, -1.5, 1e30])
def test_a_finite_loss_passes_unchanged(loss: float) -> None:
    assert finite(loss, 3, "hint") == loss


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), float("-inf")])
def test_a_loss_that_is_not_finite_is_refused(loss: float) -> None:
    with pytest.raises(UserError, match=f"the loss is {loss} at step 4"):
        finite(loss, 3, "hint")


def test_signal_handlers_are_restored(tmp_path: Path) -> None:
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    Toy(tmp_path).train(2)
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before
