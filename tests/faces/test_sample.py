"""A face depends on its noise and the setting alone; images are scaled as in the course."""

import math
from collections.abc import Callable, Iterator

import pytest
import torch
from torchvision.utils import save_image

from hw2.faces import noises
from hw2.faces.model import FaceModel
from hw2.faces.sample import Setting, sample, stretched
from hw2.training.parallel import PARTS, even_slices

NOISES = noises.draw(1, 16)
NAMES = list(NOISES)
STACK = torch.stack(list(NOISES.values()))
CPU = torch.device("cpu")


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    """`threads(3)` lets PyTorch use three threads, until the end of the test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("eta", [0.0, 0.7])
@pytest.mark.parametrize("batch", [1, 3, 10])
def test_a_face_does_not_depend_on_the_others_in_the_batch(
    face: FaceModel, eta: float, batch: int
) -> None:
    setting = Setting(6, "course", eta)
    together = sample(face, STACK, NAMES, setting, seed=4, batch=10)
    part = sample(face, STACK[2:9], NAMES[2:9], setting, seed=4, batch=batch)
    torch.testing.assert_close(part, together[2:9], rtol=0, atol=1e-4)
    alone = sample(face, STACK[4:5], ["04"], setting, seed=4, batch=batch)
    torch.testing.assert_close(alone, together[4:5], rtol=0, atol=1e-4)
    assert (together[4] - together[5]).abs().max() > 0.1


def test_fresh_noise_depends_on_the_name_and_the_seed(face: FaceModel) -> None:
    same = STACK[:1].expand(3, -1, -1, -1)
    faces = sample(face, same, ["a", "a", "b"], Setting(6, "course", 1.0), seed=4, batch=3)
    assert torch.equal(faces[0], faces[1])
    assert (faces[0] - faces[2]).abs().max() > 0.01
    other = sample(face, same[:1], ["a"], Setting(6, "course", 1.0), seed=5, batch=3)
    assert (faces[0] - other[0]).abs().max() > 0.01
    deterministic = sample(face, same, ["a", "b", "c"], Setting(6, "course", 0.0), seed=4, batch=3)
    assert torch.equal(deterministic[0], deterministic[2])


def test_progress_counts_the_images_of_each_finished_batch(face: FaceModel) -> None:
    ticks: list[int] = []
    sample(face, STACK, NAMES, Setting(2, "trailing", 0.0), seed=1, batch=4, tick=ticks.append)
    assert sum(ticks) == 10
    assert max(ticks) <= 4


@pytest.mark.parametrize("count", [1, 3, 10])
def test_row_60_any_number_of_threads_gives_the_same_faces(
    face: FaceModel, threads: Callable[[int], None], count: int
) -> None:
    faces = []
    for number in (1, 2, 3, 8):
        threads(number)
        setting = Setting(3, "course", 0.5)
        faces.append(sample(face, STACK[:count], NAMES[:count], setting, seed=4, batch=10))
    assert all(torch.equal(others, faces[0]) for others in faces[1:])


@pytest.mark.parametrize("number", [1, 2, 8])
@pytest.mark.parametrize(("count", "limit"), [(10, 5), (10, 100), (3, 2), (1, 7), (11, 4)])
def test_slices_are_even_and_the_same_for_any_number_of_threads(
    threads: Callable[[int], None], number: int, count: int, limit: int
) -> None:
    threads(number)
    slices = even_slices(count, limit, CPU)
    assert [k for rows in slices for k in range(count)[rows]] == list(range(count))
    sizes = [rows.stop - rows.start for rows in slices]
    assert max(sizes) <= limit
    assert max(sizes) - min(sizes) <= 1
    assert len(slices) == max(math.ceil(count / limit), min(PARTS, count))


def test_images_are_scaled_as_by_torchvision(tmp_path_factory: pytest.TempPathFactory) -> None:
    import numpy as np
    from PIL import Image

    folder = tmp_path_factory.mktemp("png")
    faces = 0.4 * STACK + 0.1
    pixels = stretched(faces)
    assert pixels.dtype == torch.uint8
    for k, face in enumerate(faces):
        save_image(face, folder / "torchvision.png", normalize=True)
        with Image.open(folder / "torchvision.png") as image:
            assert np.abs(np.asarray(image).astype(int) - pixels[k].numpy()).max() <= 1
        assert (pixels[k].min(), pixels[k].max()) == (0, 255)
