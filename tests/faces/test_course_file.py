"""The course's UNet.pt is read with or without a wrapper; other content is refused in one line."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from hw2.faces import course, load
from hw2.models.course_unet import CourseUNet
from hw2.runtime.errors import UserError

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def state() -> State:
    """Zeros that take no memory: every tensor repeats a single number."""
    with torch.device("meta"):
        shapes = {k: v.shape for k, v in CourseUNet().state_dict().items()}
    return {name: torch.zeros(1).expand(shape) for name, shape in shapes.items()}


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def raw(state: State) -> State:
    """Other weights, which are not those to sample with."""
    return {name: torch.ones(1).expand(value.shape) for name, value in state.items()}


WRAPPERS = {
    "plain": lambda s: s,
    "state_dict": lambda s: {"state_dict": s, "epoch": 3},
    "training file": lambda s: {"model": s, "optimizer": {"lr": 0.1}},
    "DataParallel": lambda s: {f"module.{k}": v for k, v in s.items()},
    "Lightning": lambda s: {"state_dict": {f"unet.{k}": v for k, v in s.items()}},
    "averaged beside raw weights": lambda s: {"model": raw(s), "ema": s},
    "ema-pytorch": lambda s: {
        "model": raw(s),
        "ema": {f"ema_model.{k}": v for k, v in s.items()}
        | {f"online_model.{k}": v for k, v in raw(s).items()}
        | {"initted": torch.tensor(True), "step": torch.tensor(7)},
    },
    "compiled in DataParallel": lambda s: {f"module._orig_mod.{k}": v for k, v in s.items()},
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_row_30_weights_and_schedule_are_read_from_every_wrapper(
    tmp_path: Path, state: State, wrapper: str
) -> None:
    weights, schedule = course.read(saved(tmp_path / "UNet.pt", WRAPPERS[wrapper](state)))
    assert list(weights) == list(state)
    assert not any(value.any() for value in weights.values())
    assert sum(v.numel() for k, v in weights.items() if k != "time.0.inv_freq") == 113_673_219
    betas = torch.linspace(1e-4, 2e-2, 1000, dtype=torch.float64)
    torch.testing.assert_close(schedule.abar, (1 - betas).cumprod(0))


def one_channel(state: State) -> Any:
    return state | {"down1.weight": torch.zeros(128, 1, 3, 3)}


class Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("ran",)


WRONG = {
    "one channel": (one_channel, r"down1\.weight is \(128, 1, 3, 3\), not \(128, 3, 3, 3\)"),
    "one entry less": (
        lambda s: {k: v for k, v in s.items() if k != "mid1.attention.out.bias"},
        r"426 of 427 entries.* without mid1\.attention\.out\.bias",
    ),
    "one entry more": (lambda s: s | {"ema": torch.zeros(1)}, "427 of 427 entries.* with ema"),
    "not finite": (lambda s: s | {"out.2.bias": torch.full((3,), torch.nan)}, "not finite"),
    "a list": (lambda s: [1, 2], "a list, not a state dict"),
    "code": (lambda s: {"state_dict": Code()}, "code.* which is not run"),
}


@pytest.mark.parametrize("case", WRONG)
def test_row_29_wrong_content_is_refused(
    tmp_path: Path, state: State, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    make, message = WRONG[case]
    with pytest.raises(UserError, match=message) as caught:
        course.read(saved(tmp_path / "UNet.pt", make(state)))
    assert "\n" not in str(caught.value)
    assert "UNet.pt" in str(caught.value)
    assert "ran" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html><html>Quota exceeded</html>", "a web page, not a model"),
        (b"  <html>", "a web page, not a model"),
        (b"", "damaged, cut or no file of PyTorch"),
        (b"PK\x03\x04 half a zip", "damaged, cut or no file of PyTorch"),
    ],
)
def test_wrong_bytes_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "UNet.pt").write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        course.read(tmp_path / "UNet.pt")
    assert "\n" not in str(caught.value)


def test_a_truncated_file_is_refused(tmp_path: Path, state: State) -> None:
    path = saved(tmp_path / "UNet.pt", state)
    for share in (0.3, 0.9, 0.999):
        cut = tmp_path / "cut.pt"
        cut.write_bytes(path.read_bytes()[: math.floor(share * path.stat().st_size)])
        with pytest.raises(UserError, match="damaged, cut") as caught:
            course.read(cut)
        assert "\n" not in str(caught.value)


def test_a_file_with_raw_and_averaged_weights_says_which_are_used(
    tmp_path: Path, state: State, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        course.read(saved(tmp_path / "UNet.pt", {"model": raw(state), "ema": state}))
    assert "UNet.pt: holds ema and model; ema is used" in caplog.text


def test_the_course_s_weights_may_be_a_safetensors_file(tmp_path: Path, state: State) -> None:
    path = tmp_path / "UNet.safetensors"
    names = ("time.0.inv_freq", "out.2.bias")
    save_file({f"module.{name}": torch.ones(state[name].shape) for name in names}, path)
    message = r"2 of 427 entries of the course's UNet, without .*; give the course's UNet\.pt"
    for read in (course.read, lambda file: load.load(str(file), torch.device("cpu"))):
        with pytest.raises(UserError, match=message):
            read(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match="damaged or cut"):
        course.read(path)


def test_a_safetensors_file_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = nn.Conv2d(3, 2, 3)  # the course's network would make a file of 455 MB
    monkeypatch.setattr(course, "COURSE", SimpleNamespace(build=lambda: nn.Conv2d(3, 2, 3)))
    state = {f"module.{name}": value.detach() for name, value in small.state_dict().items()}
    save_file(state, tmp_path / "UNet.safetensors")
    weights, schedule = course.read(tmp_path / "UNet.safetensors")
    assert schedule.timesteps == 1000
    for name, value in small.state_dict().items():
        assert torch.equal(weights[name], value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no such file; give UNet\.pt"):
        load.load(str(tmp_path / "UNet.pt"), torch.device("cpu"))
