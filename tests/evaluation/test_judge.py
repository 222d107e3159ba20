"""The judge: each domain is read by its own network, and only files that are a judge are taken."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from hw2.digits.labels import LABELED_DOMAINS
from hw2.evaluation.judge import Judge, load_course_classifier, load_judge, save_judge
from hw2.models.judge import CourseClassifier, DigitNet
from hw2.runtime.errors import UserError

CPU = torch.device("cpu")
REAL = Path(__file__).resolve().parents[3] / "shared" / "real_data" / "course" / "Classifier.pth"
needs_course_file = pytest.mark.skipif(not REAL.exists(), reason=f"the course's {REAL} is not here")


class Constant(nn.Module):
    """Reads every image as one digit."""

    def __init__(self, digit: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.eye(10)[digit])

    def forward(self, images: Tensor) -> Tensor:
        return self.logits.expand(len(images), 10)


class Brightness(nn.Module):
    """Reads an image as the tenth of the gray levels that its mean is in."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = nn.Parameter(torch.ones(()))

    def forward(self, images: Tensor) -> Tensor:
        digit = ((images.mean((1, 2, 3)) + 1) * 5).long().clamp(0, 9)
        return nn.functional.one_hot(digit, 10) * self.unit


def pixels(count: int) -> np.ndarray:
    """Even gray images, from black to white."""
    gray = np.linspace(0, 255, count).astype(np.uint8)
    return np.broadcast_to(gray[:, None, None, None], (count, 28, 28, 3)).copy()


def test_a_domain_without_its_own_network_is_read_by_the_shared_one() -> None:
    judge = Judge(Constant(3), {"mnistm": Constant(5)})
    digits, domains = np.array([3, 5, 3, 5]), np.array([0, 0, 1, 1])
    right = judge.right(pixels(4), digits, domains, LABELED_DOMAINS)
    assert right.tolist() == [False, True, True, False]


@pytest.mark.parametrize("count", [1, 499, 1001])
def test_every_image_is_read_in_order(count: int) -> None:
    digits = Judge(Brightness(), {}).read(pixels(count), "svhn")
    expected = np.clip((pixels(count)[:, 0, 0, 0] / 25.5).astype(int), 0, 9)
    # A gray level on the edge of two tenths may round either way.
    assert (np.abs(digits - expected) <= 1).all()
    assert (digits == expected).mean() > 0.9
    assert (np.diff(digits) >= 0).all()


def test_accuracy_is_a_share_with_its_n() -> None:
    accuracy = Judge(Constant(3), {}).accuracy(pixels(4), np.array([3, 3, 3, 1]), "svhn")
    assert (accuracy.value, accuracy.n) == (0.75, 4)


@pytest.mark.parametrize("course", [False, True])
def test_a_loaded_judge_reads_like_the_saved_one(tmp_path: Path, course: bool) -> None:
    shared, own = DigitNet().eval(), CourseClassifier() if course else None
    save_judge(tmp_path, shared, own)
    loaded = load_judge(tmp_path, CPU)
    noise = np.random.Generator(np.random.PCG64(1)).integers(0, 256, (50, 28, 28, 3), np.uint8)
    before = Judge(shared, {"mnistm": own} if own else {})
    for domain in LABELED_DOMAINS:
        assert np.array_equal(loaded.read(noise, domain), before.read(noise, domain))
    assert set(loaded.own) == ({"mnistm"} if course else set())
    assert not any(p.requires_grad for p in loaded.shared.parameters())


@pytest.mark.parametrize("damage", ["absent", "cut", "text", "other"])
def test_a_folder_that_is_not_a_judge_is_refused(tmp_path: Path, damage: str) -> None:
    save_judge(tmp_path, DigitNet(), None)
    path = tmp_path / "judge.safetensors"
    if damage == "absent":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "text":
        path.write_text("<!DOCTYPE html>")
    else:
        save_judge(tmp_path, CourseClassifier(), None)
    with pytest.raises(
        UserError, match=r"not a checkpoint of judge_train .* run `dvc repro judge_train`"
    ) as caught:
        load_judge(tmp_path, CPU)
    assert "\n" not in str(caught.value)


@needs_course_file
def test_the_real_classifier_loads() -> None:
    network = load_course_classifier(REAL)
    assert isinstance(network, CourseClassifier)
    assert all(p.isfinite().all() for p in network.parameters())


@needs_course_file
def test_the_real_classifier_reads_the_real_mnistm() -> None:
    folder = REAL.parents[1] / "mnistm"
    digits = np.load(folder / "labels.npz")["y_test"]
    with Image.open(folder / "test_0.webp") as file:
        sheet = np.asarray(file.convert("RGB"))  # of 100 columns
    images = sheet.reshape(-1, 28, 100, 28, 3).swapaxes(1, 2).reshape(-1, 28, 28, 3)[: len(digits)]
    judge = Judge(nn.Identity(), {"mnistm": load_course_classifier(REAL).eval()})
    accuracy = judge.accuracy(images, digits, "mnistm")
    # 95.15 %, as the README there reports; one or two images may lie on an edge.
    assert accuracy.n == 9001
    assert accuracy.value == pytest.approx(0.9515, abs=2 / accuracy.n)


class Evil:
    """A pickle that runs code where code is allowed to run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def course_file(kind: str, sentinel: Path) -> bytes:
    """Files that are not `Classifier.pth`."""
    buffer = io.BytesIO()
    good = CourseClassifier().state_dict()
    match kind:
        case "html":
            return b"<!DOCTYPE html><html>"
        case "empty":
            return b""
        case "zip":
            with zipfile.ZipFile(buffer, "w") as archive:
                archive.writestr("a.txt", "a")
        case "cut":
            torch.save({"state_dict": good}, buffer)
            return buffer.getvalue()[:3000]
        case "bare":
            torch.save(good, buffer)
        case "list":
            torch.save([1, 2], buffer)
        case "shape":
            torch.save({"state_dict": good | {"conv1.weight": torch.zeros(6, 1, 5, 5)}}, buffer)
        case "key":
            torch.save({"state_dict": {f"module.{k}": v for k, v in good.items()}}, buffer)
        case "code":
            torch.save({"state_dict": good, "optimizer": Evil(sentinel)}, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "kind", ["html", "empty", "zip", "cut", "bare", "list", "shape", "key", "code"]
)
def test_a_file_that_is_no_course_classifier_is_a_one_line_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "Classifier.pth"
    path.write_bytes(course_file(kind, tmp_path / "sentinel"))
    with pytest.raises(UserError, match=r"Classifier\.pth: .*judge\.course_classifier") as caught:
        load_course_classifier(path)
    assert "\n" not in str(caught.value)
    assert "weights_only=False" not in str(caught.value)
    assert not (tmp_path / "sentinel").exists()


def test_an_absent_course_classifier_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.pth: .*judge\.course_classifier"):
        load_course_classifier(tmp_path / "absent.pth")


def test_the_optimizer_state_in_the_course_file_is_ignored(tmp_path: Path) -> None:
    network = CourseClassifier()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)
    saved = {"state_dict": network.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(saved, tmp_path / "c.pth")
    loaded = load_course_classifier(tmp_path / "c.pth")
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
