"""A malicious file in every place where a file of the user is read: nothing runs, nothing escapes.

Each file would make a folder if its code ran or its names were followed. It is refused in one line,
or read as the plain text that it is.
"""

import hashlib
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from diffusers import DDIMScheduler, UNet2DModel
from matplotlib.figure import Figure as Plot
from PIL import Image

from hw2.clip import images as clip_images
from hw2.clip import model, weights
from hw2.config import grids, loader, params, paths, profiles
from hw2.digits import archive, arrays, course
from hw2.evaluation import claims, judge
from hw2.faces import course as course_unet
from hw2.faces import hub, noises
from hw2.figures import page, sections
from hw2.io import checkpoints, files
from hw2.personalization import prompt_specs, tokens
from hw2.pipeline import declared
from hw2.runtime.errors import UserError
from hw2.stable_diffusion import load
from hw2.training.resume import Resume

CPU = torch.device("cpu")
Read = Callable[[Path], object]


class Code:
    """Makes a folder when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = str(mark)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self._mark,)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The folder that malicious content makes."""
    return tmp_path / "mark"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "given" / "files"
    path.mkdir(parents=True)
    return path


def refused(read: Callable[[], object], mark: Path) -> str:
    """The message of the error, after a check that nothing else happened."""
    with pytest.raises(UserError) as caught:
        read()
    message = str(caught.value)
    assert not mark.exists()
    assert "\n" not in message
    assert "weights_only=False" not in message
    return message


def test_the_code_of_these_tests_would_run(mark: Path) -> None:
    pickle.loads(pickle.dumps(Code(mark)))
    assert mark.is_dir()


# --- weights, noises, embeddings ------------------------------------------------------------------


def pickled(path: Path, mark: Path) -> None:
    path.write_bytes(pickle.dumps({"state_dict": Code(mark)}))


def saved_by_torch(path: Path, mark: Path) -> None:
    torch.save({"state_dict": Code(mark)}, path)


def saved_by_old_torch(path: Path, mark: Path) -> None:
    torch.save({"state_dict": Code(mark)}, path, _use_new_zipfile_serialization=False)


def read_stable_diffusion(path: Path) -> object:
    section = params.load(Path(__file__).parents[1] / "params.yaml").stable_diffusion
    settings = section.model_copy(update={"weights": str(path)})
    return load.load(settings, path.parent / "absent", CPU)


def read_clip(path: Path) -> object:
    config = open_clip.get_model_config("ViT-B-32")
    small = {"width": 32, "layers": 1, "image_size": 32, "patch_size": 32, "head_width": 32}
    config["vision_cfg"] = config["vision_cfg"] | small
    config["text_cfg"] = config["text_cfg"] | {"width": 32, "layers": 1, "heads": 1}
    record = {"model_cfg": config, "preprocess_cfg": {}}
    (path.parent / weights.CONFIG).write_text(json.dumps(record))
    values = {"weights": str(path.parent), "architecture": None, "revision": None, "sha256": None}
    return model.load(weights.locate(params.ClipModel(name="a", **values), Path("absent")), CPU)


def read_faces(path: Path) -> object:
    small = {"block_out_channels": (8,), "norm_num_groups": 4, "layers_per_block": 1}
    network = UNet2DModel(
        16, down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",), **small
    )
    network.save_config(path.parent)
    DDIMScheduler().save_pretrained(path.parent)
    return hub.read(str(path.parent), None)


def read_checkpoint(path: Path) -> object:
    return checkpoints.load(path, "model", lambda _, weights: weights, stage="ddpm_train")


READERS_OF_WEIGHTS: dict[str, Read] = {
    "UNet.pt": course_unet.read,
    "Classifier.pth": judge.load_course_classifier,
    "v1.ckpt": read_stable_diffusion,
    "v1.safetensors": read_stable_diffusion,
    "00.pt": lambda path: noises.read(path.parent, 8),
    "new1.safetensors": tokens.read,
    "model.safetensors": read_checkpoint,
    "open_clip_pytorch_model.bin": read_clip,
    "open_clip_model.safetensors": read_clip,
    "diffusion_pytorch_model.bin": read_faces,
    "diffusion_pytorch_model.safetensors": read_faces,
}


@pytest.mark.parametrize("write", [pickled, saved_by_torch, saved_by_old_torch])
@pytest.mark.parametrize("name", READERS_OF_WEIGHTS)
def test_row_63_code_in_a_model_is_refused(
    folder: Path, mark: Path, name: str, write: Callable[[Path, Path], None]
) -> None:
    write(folder / name, mark)
    refused(lambda: READERS_OF_WEIGHTS[name](folder / name), mark)


def test_row_63_code_in_a_resume_file_is_not_run(folder: Path, mark: Path) -> None:
    resume = Resume(folder, {"seed": 1})
    for step in (10, 20):
        resume.save(step, {"step": torch.tensor(step)})
    state = resume.folder / "step-20.pt"
    saved_by_torch(state, mark)
    manifest = state.with_suffix(".json")  # with the right hash of the malicious file
    old = json.loads(manifest.read_text())
    new = {
        key: hashlib.sha256(state.read_bytes()).hexdigest() if key == "sha256" else value
        for key, value in old.items()
    }
    assert new != old
    manifest.write_text(json.dumps(new))
    latest = resume.load_latest()
    assert latest is not None
    assert latest[0] == 10
    assert not mark.exists()


def test_row_69_code_in_arrays_is_refused(folder: Path, mark: Path) -> None:
    objects = np.array([Code(mark)], dtype=object)
    np.savez(folder / "samples.npz", images=objects)
    refused(lambda: files.load_arrays(folder / "samples.npz"), mark)
    for name in ("images", "digits"):
        (folder / "train").mkdir(exist_ok=True)
        np.save(folder / "train" / f"mnistm_{name}.npy", objects, allow_pickle=True)
    refused(lambda: arrays.load(folder, "mnistm", "train"), mark)


# --- archives -------------------------------------------------------------------------------------


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (28, 28)).save(buffer, "PNG")
    return buffer.getvalue()


def escaping(members: dict[str, bytes]) -> dict[str, bytes]:
    """The members of an archive with names outside, a link, and a name of another system."""
    return members | {"../../mark/a": b"x", "/mark/b": b"x", "..\\..\\mark\\c": b"x"}


def zipped(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in escaping(members).items():
            file.writestr(name, content)
        link = zipfile.ZipInfo("digits/mnistm/data/link.png")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")


def test_row_67_names_outside_an_archive_are_not_followed(folder: Path, mark: Path) -> None:
    digits = {
        "digits/mnistm/data/00000.png": png(),
        "digits/mnistm/train.csv": b"image_name,label\n00000.png,3\n",
    }
    zipped(folder / "digits.zip", digits)
    before = sorted(folder.parent.rglob("*"))
    course.check(folder / "digits.zip", None, test_labels=False)
    list(archive.read(folder / "digits.zip"))
    classes = {"id2label.json": b'{"0": "a", "1": "b"}', "val/0_1.png": png(), "val/1_1.png": png()}
    zipped(folder / "images.zip", classes)
    with clip_images.opened(folder / "images.zip") as labeled:
        assert labeled.files == ("0_1.png", "1_1.png")
    (folder / "images.zip").unlink()
    assert sorted(folder.parent.rglob("*")) == before
    assert not mark.exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd"])
def test_a_table_of_labels_names_no_file_outside(folder: Path, name: str) -> None:
    data = folder / "mnistm" / "data"
    data.mkdir(parents=True)
    (data / "0.png").write_bytes(png())
    (data.parent / "train.csv").write_text(f"image_name,label\n0.png,3\n{name},4\n")
    report = course.check(folder, None, test_labels=False)
    assert any(name.rsplit("/", 1)[-1] in str(fault) for fault in report.faults)


# --- text -----------------------------------------------------------------------------------------

YAML = "x: !!python/object/apply:os.mkdir ['{mark}']\n"
READERS_OF_YAML: dict[str, Read] = {
    "params.yaml": params.load,
    "paths.yaml": lambda path: paths.load(path.parent),
    "profiles.yaml": profiles.names,
    "grids.yaml": grids.read,
    "claims.yaml": claims.read,
    "dvc.yaml": lambda path: declared.entry("train", path),
    "dvc.lock": loader.read_yaml,
}


@pytest.mark.parametrize("name", READERS_OF_YAML)
def test_code_in_yaml_is_refused(folder: Path, mark: Path, name: str) -> None:
    (folder / name).write_text(YAML.format(mark=mark))
    assert name in refused(lambda: READERS_OF_YAML[name](folder / name), mark)


@pytest.mark.parametrize("path", ["../outside", "/outside", "a/../../outside"])
def test_a_table_of_paths_names_nothing_outside(folder: Path, mark: Path, path: str) -> None:
    (folder / "paths.yaml").write_text(json.dumps({"path": {"model": path}}))
    refused(lambda: paths.load(folder), mark)


@pytest.mark.parametrize(
    ("key", "token"),
    [
        ("../../mark", "<new1>"),
        ("/mark", "<new1>"),
        ("0", "<../mark>"),
        ("0", "<new1>; mkdir mark"),
    ],
)
def test_a_concept_becomes_no_path_outside(folder: Path, mark: Path, key: str, token: str) -> None:
    entry = {
        "token_name": token,
        "prompt": [f"a photo of {token}"],
        "prompt_4_clip_eval": ["a photo of a dog"],
        "baseline": [[70.0, 30.0]],
    }
    (folder / "input.json").write_text(json.dumps({key: entry}))
    refused(lambda: prompt_specs.read(folder / "input.json"), mark)


# --- the page -------------------------------------------------------------------------------------

HOSTILE = """<script>alert(1)</script><img src=x onerror='a()'>" onload="a()" `<b>` &lt;"""


class Tags(HTMLParser):
    """The tags of a page, each with the names of its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attributes]))


def page_of(text: str) -> str:
    """A page on which every text that may hold a class name, prompt or file name is this one."""
    texts = (sections.Text(text, (text,)),)
    section = sections.Section(
        text,
        text,
        text,
        (sections.Stat(text, text, text),),
        (sections.Table(text, (text, text), ((text, text),), text),),
        texts,
        (sections.Figure(text, "record", Plot(), text, text, text),),
        texts,
    )
    return page.render([section, section], {text: b""}, {"record": text})


def test_class_names_prompts_and_file_names_are_text_on_the_page() -> None:
    hostile, harmless = Tags(page_of(HOSTILE)), Tags(page_of("a `b` c"))
    assert hostile.found == harmless.found
