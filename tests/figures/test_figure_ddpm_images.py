"""The image figures put every image, unchanged, where its labels say."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hw2.figures import ddpm_images, ddpm_samples, image_grids, style
from hw2.io.files import save_arrays
from hw2.runtime.errors import UserError

DPI = 100
Made = Callable[..., dict[str, np.ndarray]]


def test_compose_places_tiles_and_white_gaps() -> None:
    tiles = np.arange(2 * 3 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 3, 4, 5, 3)
    canvas = image_grids.compose(tiles, enlarge=2, gap=3)
    assert canvas.shape == (2 * 8 + 3, 3 * 10 + 2 * 3, 3)
    for row in range(2):
        for column in range(3):
            y, x = row * 11, column * 13
            np.testing.assert_array_equal(canvas[y : y + 8 : 2, x : x + 10 : 2], tiles[row, column])
            np.testing.assert_array_equal(
                canvas[y + 1 : y + 8 : 2, x + 1 : x + 10 : 2], tiles[row, column]
            )
    assert (canvas[8:11] == 255).all()
    assert (canvas[:, 10:13] == 255).all()


@pytest.mark.parametrize("domain", [0, 1])
def test_rows_are_digits_and_columns_noises(made_samples: Made, domain: int) -> None:
    tiles = ddpm_samples.arrange(made_samples(("mnistm", "svhn")), ("mnistm", "svhn")[domain], "x")
    assert tiles.shape == (10, 10, 28, 28, 3)
    for digit in range(10):
        for noise in range(10):
            assert (tiles[digit, noise] == [100 * domain, 20 * digit, 20 * noise]).all()


@pytest.mark.parametrize(("noises", "columns"), [(1, 1), (3, 3), (12, 10)])
def test_columns_are_the_first_noises(made_samples: Made, noises: int, columns: int) -> None:
    tiles = ddpm_samples.arrange(made_samples(("svhn",), noises), "svhn", "x")
    assert tiles.shape[1] == columns
    assert (tiles[4, :, 0, 0, 2] == 20 * np.arange(columns)).all()


def test_the_saved_grid_keeps_every_pixel(made_samples: Made, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tiles = rng.integers(0, 256, (10, 10, 28, 28, 3), dtype=np.uint8)
    style.save(ddpm_images.sample_grid(tiles, "title", DPI), tmp_path / "grid.png", DPI)
    page = np.asarray(Image.open(tmp_path / "grid.png").convert("RGB"))
    canvas = image_grids.compose(tiles, enlarge=2, gap=4)
    left, top = 38, 52
    inside = page[top : top + canvas.shape[0], left : left + canvas.shape[1]]
    np.testing.assert_array_equal(inside, canvas)


def test_strip_shows_all_times(made_samples: Made, tmp_path: Path) -> None:
    save_arrays(tmp_path / "samples.npz", **made_samples(("svhn",)))
    strip = ddpm_samples.read_samples(tmp_path / "samples.npz").strips["svhn"]
    fig = ddpm_images.reverse_strip(strip, DPI)
    assert [text.get_text() for text in fig.texts] == [
        f"t = {t}" for t in (1000, 800, 600, 400, 200, 0)
    ]


def spoil_missing_digit(arrays: dict[str, np.ndarray]) -> None:
    keep = arrays["digits"] != 7
    for name in ("images", "digits", "domains", "index"):
        arrays[name] = arrays[name][keep]


def spoil_missing_array(arrays: dict[str, np.ndarray]) -> None:
    del arrays["index"]


def spoil_type(arrays: dict[str, np.ndarray]) -> None:
    arrays["images"] = arrays["images"] / 255


def spoil_length(arrays: dict[str, np.ndarray]) -> None:
    arrays["digits"] = arrays["digits"][1:]


def spoil_times(arrays: dict[str, np.ndarray]) -> None:
    arrays["reverse_t"] = arrays["reverse_t"][::-1].copy()


def spoil_strip(arrays: dict[str, np.ndarray]) -> None:
    arrays["reverse_domains"] = arrays["reverse_domains"] + 5


def spoil_everything(arrays: dict[str, np.ndarray]) -> None:
    for name in ("images", "digits", "domains", "index"):
        arrays[name] = arrays[name][:0]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_missing_digit, "mnistm has no image 0 of digit 7"),
        (spoil_missing_array, "no array 'index'"),
        (spoil_type, "'images' is float64"),
        (spoil_length, "differ in length"),
        (spoil_times, "'reverse_t' must give a falling time"),
        (spoil_strip, "no reverse process of mnistm"),
        (spoil_everything, "no image of mnistm or svhn"),
    ],
)
def test_bad_samples_are_one_line_errors(
    made_samples: Made,
    tmp_path: Path,
    spoil: Callable[[dict[str, np.ndarray]], None],
    words: str,
) -> None:
    arrays = made_samples(("mnistm", "svhn"))
    spoil(arrays)
    path = tmp_path / "samples.npz"
    save_arrays(path, **arrays)
    with pytest.raises(UserError) as caught:
        ddpm_samples.read_samples(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
