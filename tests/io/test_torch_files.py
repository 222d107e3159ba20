"""Files that are no tensors are refused in one line that never advises to load them anyway."""

from pathlib import Path
from typing import Any

import pytest
import torch

from hw2.io import torch_files
from hw2.runtime.errors import UserError


class Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("ran",)


def write_code(path: Path) -> None:
    torch.save({"state_dict": Code()}, path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<!DOCTYPE html><html>Quota exceeded</html>", "a web page, not a model"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS"),
        (b"", "damaged, cut or no file of PyTorch"),
        (b"PK\x03\x04 half a zip", "damaged, cut or no file of PyTorch"),
        (None, r"it holds code \(.*print\), which is not run"),
    ],
    ids=["page", "pointer", "empty", "cut", "code"],
)
def test_row_31_63_other_files_are_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, reason: str
) -> None:
    path = tmp_path / "model.ckpt"
    if content is None:
        write_code(path)
    else:
        path.write_bytes(content)
    with pytest.raises(UserError, match=reason) as caught:
        torch_files.load(path, "give the course's file")
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.endswith("give the course's file")
    assert "\n" not in message
    assert not {"\x1b", "Re-running", "you trust"} & set(message.split())
    assert capsys.readouterr().out == ""


def test_tensors_are_read(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(2)}, tmp_path / "model.pt")
    assert torch.equal(torch_files.load(tmp_path / "model.pt", "")["w"], torch.ones(2))
