"""Damaged and invented input of every reader: an error of one line, never a traceback.

A few examples of each with every run of the tests; HW2_TEST_DEEP=1 tries thousands of new ones.
"""

import io
import json
import os
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from hw2.clip import images as clip_images
from hw2.config import loader, params
from hw2.digits import archive, label_tables
from hw2.faces import noises
from hw2.io import checkpoints, files, torch_files
from hw2.personalization import prompt_specs, tokens
from hw2.runtime.errors import UserError
from hw2.training.resume import Resume

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
DEEP = os.environ.get("HW2_TEST_DEEP") == "1"
# The same examples in every run, so that a failure is one of the change that was made.
fuzzed = settings(
    max_examples=3000 if DEEP else 40,
    derandomize=not DEEP,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from(["", "-1", "1e400", "null", "{}", "$x", "../a", "<new1>", "a\nb", "\ud800"]),
)  # fmt: skip
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """The content with a few bytes replaced, inserted or cut off."""
    result = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(result)))
        length = draw(st.sampled_from([0, 1, 1, 2, 8, 64]))
        result[start : start + length] = draw(st.binary(max_size=8))
    if draw(st.booleans()):
        del result[draw(st.integers(0, len(result))) :]
    return bytes(result)


@st.composite
def with_one_changed(draw: st.DrawFn, tree: Any) -> Any:
    """A copy of nested dicts and lists, in which one value or key is another."""
    if isinstance(tree, dict) and tree and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(tree)))
        if not draw(st.integers(0, 9)):
            return {k: v for k, v in tree.items() if k != key} | {draw(st.text(max_size=8)): 0}
        return tree | {key: draw(with_one_changed(tree[key]))}
    if isinstance(tree, list) and tree and draw(st.booleans()):
        index = draw(st.integers(0, len(tree) - 1))
        return [*tree[:index], draw(with_one_changed(tree[index])), *tree[index + 1 :]]
    return draw(trees)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzed")


def read_or_refuse(path: Path, content: bytes, read: Callable[[Path], object]) -> None:
    """Read a file with this content; a UserError of one line is the only way to fail."""
    path.write_bytes(content)
    try:
        read(path)
    except UserError as error:
        message = str(error)
    else:
        return
    assert "\n" not in message
    assert str(path.parent) in message or path.name in message


def bytes_of(write: Callable[[Path], object], path: Path) -> bytes:
    write(path)
    return path.read_bytes()


PARAMETERS = loader.read_yaml(ROOT / "params.yaml")
SOME_YAML = b"judge: {seed: 11, lr: 4.0e-3, x: [1, null, 'a']}\nddpm:\n- &a b\n- *a # c\n"
RECORD = {"accuracy": 0.5, "n": 20, "rows": [{"step": 1, "name": "svhn"}], "none": None}
PROMPTS = {
    "0": {
        "token_name": "<new1>",
        "prompt": ["a photo of <new1>", "<new1> on the moon"],
        "prompt_4_clip_eval": ["a photo of a dog", "a dog on the moon"],
        "baseline": [[70.0, 30.0], [60.5, 25]],
    }
}


@fuzzed
@given(content=damaged(SOME_YAML) | st.text().map(str.encode) | st.binary())
def test_the_reader_of_yaml(folder: Path, content: bytes) -> None:
    read_or_refuse(folder / "params.yaml", content, loader.read_yaml)


@fuzzed
@given(values=with_one_changed(PARAMETERS))
def test_the_parameters(values: Any) -> None:
    with suppress(UserError):
        params.parse(values)


@fuzzed
@given(content=damaged(json.dumps(RECORD).encode()) | trees.map(json.dumps).map(str.encode))
def test_the_reader_of_json(folder: Path, content: bytes) -> None:
    read_or_refuse(folder / "record.json", content, files.read_json)


@fuzzed
@given(content=damaged(b'step,loss\n1,0.5\n2,"a ""b"""\n3,\n') | st.binary())
def test_the_reader_of_tables(folder: Path, content: bytes) -> None:
    read_or_refuse(folder / "history.csv", content, files.read_table)


@fuzzed
@given(content=damaged(b"image_name,label\n0.png,3\r\n1.png,10\n") | st.binary())
def test_the_tables_of_labels(content: bytes) -> None:
    table = label_tables.parse(content, "train.csv")
    assert all("\n" not in str(fault) for fault in table.faults)
    assert len(table.names) == len(table.digits)


def small_checkpoint(path: Path) -> None:
    checkpoints.save(path, "model", {"width": 4}, {"weight": torch.zeros(4, 4)})


def load_checkpoint(path: Path) -> torch.nn.Module:
    def build(record: dict[str, Any], weights: dict[str, torch.Tensor]) -> torch.nn.Module:
        network = torch.nn.Linear(record["width"], 4, bias=False)
        network.load_state_dict(weights)
        return network

    return checkpoints.load(path, "model", build, stage="ddpm_train")


@fuzzed
@given(data=st.data())
def test_checkpoints(folder: Path, data: st.DataObject) -> None:
    path = folder / "model.safetensors"
    content = data.draw(damaged(bytes_of(small_checkpoint, path)))
    read_or_refuse(path, content, load_checkpoint)


@fuzzed
@given(
    header=with_one_changed(
        {
            "__metadata__": {"model": '{"width": 4}'},
            "weight": {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 64]},
        }
    ),
    size=st.none() | st.integers(0, 2**64 - 1),
)
def test_headers_of_safetensors(folder: Path, header: Any, size: int | None) -> None:
    text = json.dumps(header).encode()
    length = (len(text) if size is None else size).to_bytes(8, "little")
    read_or_refuse(folder / "model.safetensors", length + text + bytes(64), load_checkpoint)


@fuzzed
@given(data=st.data())
def test_given_files_of_pytorch(folder: Path, data: st.DataObject) -> None:
    buffer = io.BytesIO()
    torch.save({"model": {"weight": torch.zeros(3)}, "step": 4}, buffer)
    content = data.draw(damaged(buffer.getvalue()))
    read_or_refuse(folder / "UNet.pt", content, lambda p: torch_files.load(p, "download it"))


@fuzzed
@given(data=st.data())
def test_noises_and_embeddings(folder: Path, data: st.DataObject) -> None:
    given_files = folder / "noise"
    given_files.mkdir(exist_ok=True)
    noises.write(given_files, {"00": torch.zeros(1, 3, 8, 8)})
    path = given_files / "00.pt"
    content = data.draw(damaged(path.read_bytes()))
    read_or_refuse(path, content, lambda p: noises.read(p.parent, 8))
    path = folder / "new1.safetensors"
    content = data.draw(
        damaged(bytes_of(lambda p: tokens.save(p, "<new1>", torch.zeros(1, 8)), path))
    )
    read_or_refuse(path, content, tokens.read)


@fuzzed
@given(data=st.data())
def test_resume_files_fall_back(folder: Path, data: st.DataObject) -> None:
    resume = Resume(folder / "resume", {"seed": 1})
    for step in (10, 20):
        resume.save(step, {"network": {"weight": torch.full((3,), float(step))}})
    name = data.draw(st.sampled_from(["step-20.pt", "step-20.json"]))
    path = resume.folder / name
    path.write_bytes(data.draw(damaged(path.read_bytes())))
    latest = resume.load_latest()
    assert latest is not None
    step, state = latest
    assert step in (10, 20)
    assert torch.equal(state["network"]["weight"], torch.full((3,), float(step)))


@fuzzed
@given(data=st.data())
def test_arrays(folder: Path, data: st.DataObject) -> None:
    path = folder / "arrays.npz"
    content = data.draw(damaged(bytes_of(lambda p: files.save_arrays(p, a=np.eye(3), b=[1]), path)))
    read_or_refuse(path, content, files.load_arrays)


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def png(side: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), 99, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


DIGITS = zipped(
    {
        "digits/mnistm/data/00000.png": png(28),
        "digits/mnistm/train.csv": b"image_name,label\n00000.png,3\n",
    }
)
CLASSES = zipped({"id2label.json": b'{"0": "a", "1": "b"}', "val/0_1.png": png(8)})


@fuzzed
@given(content=damaged(DIGITS))
def test_archives_of_digits(folder: Path, content: bytes) -> None:
    read_or_refuse(folder / "digits.zip", content, lambda p: list(archive.read(p)))


def read_classes(path: Path) -> None:
    with clip_images.opened(path) as labeled:
        assert labeled.classes


@fuzzed
@given(content=damaged(CLASSES))
def test_archives_of_labeled_images(folder: Path, content: bytes) -> None:
    read_or_refuse(folder / "images.zip", content, read_classes)


@fuzzed
@given(entries=with_one_changed(PROMPTS))
def test_prompts(folder: Path, entries: Any) -> None:
    read_or_refuse(folder / "input.json", json.dumps(entries).encode(), prompt_specs.read)
