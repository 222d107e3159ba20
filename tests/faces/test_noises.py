"""Noise files have the course's format, and anything else is refused in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hw2.faces import noises
from hw2.runtime.errors import UserError

Write = Callable[..., Path]


def test_noises_are_read_as_they_were_written(noise_folder: Write) -> None:
    folder = noise_folder(16)
    loaded = noises.read(folder, 16)
    assert list(loaded) == [f"{k:02d}" for k in range(10)]
    for name, noise in noises.draw(3, 16).items():
        assert torch.equal(loaded[name], noise)
        assert torch.load(folder / f"{name}.pt", weights_only=True).shape == (1, 3, 16, 16)


def test_found_06_hidden_files_beside_noises_are_skipped(noise_folder: Write) -> None:
    folder = noise_folder(16)
    (folder / "._00.pt").write_bytes(b"a resource fork of macOS")
    assert list(noises.read(folder, 16)) == [f"{k:02d}" for k in range(10)]


def test_the_same_noises_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        noises.write(tmp_path / name, noises.draw(3, 8))
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_noises_are_standard_normal_and_uncorrelated() -> None:
    flat = torch.stack(list(noises.draw(1, 64).values())).flatten(1)
    assert flat.mean(1).abs().max() < 0.04
    assert flat.std(1).sub(1).abs().max() < 0.04
    assert torch.corrcoef(flat).fill_diagonal_(0).abs().max() < 0.05


class Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("ran",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (torch.zeros(3, 16, 16), r"shape \(3, 16, 16\), not \(1, 3, 16, 16\)"),
        (torch.zeros(1, 1, 16, 16), r"shape \(1, 1, 16, 16\), not \(1, 3, 16, 16\)"),
        (torch.zeros(1, 3, 32, 32), r"shape \(1, 3, 32, 32\), not \(1, 3, 16, 16\)"),
        (torch.zeros(1, 3, 16, 16).half(), "torch.float16, not torch.float32"),
        (torch.full((1, 3, 16, 16), torch.nan), "not finite"),
        ({"noise": torch.zeros(1)}, "a dict, not a tensor"),
        (Code(), "it holds code"),
        (b"<!doctype html>", "a web page, not a model"),
        (b"", "no file of PyTorch"),
    ],
)
def test_other_files_are_refused(
    noise_folder: Write, capsys: pytest.CaptureFixture[str], content: Any, message: str
) -> None:
    folder = noise_folder(16)
    if isinstance(content, bytes):
        (folder / "04.pt").write_bytes(content)
    else:
        torch.save(content, folder / "04.pt")
    with pytest.raises(UserError, match=rf"04\.pt: .*{message}") as caught:
        noises.read(folder, 16)
    assert "\n" not in str(caught.value)
    assert "ran" not in capsys.readouterr().out


def test_without_a_model_all_noises_must_have_the_size_of_the_first(noise_folder: Write) -> None:
    folder = noise_folder(16)
    torch.save(torch.zeros(1, 3, 8, 8), folder / "05.pt")
    with pytest.raises(UserError, match=r"05\.pt.* not \(1, 3, 16, 16\)"):
        noises.read(folder)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no noise files"):
        noises.read(tmp_path)
