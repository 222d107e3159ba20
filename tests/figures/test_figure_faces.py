"""The faces' section: images in their cells, curves of the records, and checked records."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reading import draw_report
from reading import read as read_records

from hw2.figures import faces_plots, faces_records, report, style
from hw2.io.files import load_arrays, save_arrays
from hw2.runtime.errors import UserError

pytestmark = pytest.mark.slow

Paths = dict[str, Path]
Write = Callable[..., Paths]


def read(paths: Paths) -> faces_records.Records:
    return read_records(faces_records, paths)


def pixels(folder: Path, figure: object, dpi: int) -> np.ndarray:
    style.save(figure, folder / "figure.png", dpi)  # type: ignore[arg-type]
    with Image.open(folder / "figure.png") as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("dpi", [60, 150])
def test_tiles_are_the_images_enlarged_and_in_their_place(tmp_path: Path, dpi: int) -> None:
    shape = (2, 3, 16, 16, 3)
    tiles = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    figure = faces_plots.tiles(tiles, ["eta = 0", "eta = 1"], ["00", "01", "02"], "heading", dpi)
    page = pixels(tmp_path, figure, dpi)
    times = round(faces_plots.CELL * dpi / 16)
    present = [
        [
            any(
                (page[y : y + 16 * times, x : x + 16 * times] == enlarged).all()
                for y, x in np.argwhere((page == enlarged[0, 0]).all(2))
            )
            for enlarged in (tile.repeat(times, 0).repeat(times, 1) for tile in row)
        ]
        for row in tiles
    ]
    assert np.all(present)


def test_large_images_are_averaged_over_whole_blocks(tmp_path: Path) -> None:
    small = np.random.default_rng(1).integers(0, 256, (1, 1, 64, 64, 3), dtype=np.uint8)
    large = small.repeat(4, 2).repeat(4, 3)
    names: tuple[list[str], list[str]] = (["row"], ["00"])
    figures = [
        pixels(tmp_path, faces_plots.tiles(tiles, *names, "heading", 75), 75)
        for tiles in (small, large)
    ]
    np.testing.assert_array_equal(*figures)


def test_the_curves_are_the_records(records_in: Write, tmp_path: Path) -> None:
    data = read(records_in(tmp_path))
    figure = faces_plots.interpolation(data)
    for ax, measure in zip(figure.axes, faces_records.MEASURES, strict=True):
        lines = {line.get_label(): line.get_ydata() for line in ax.lines}
        for way in faces_records.INTERPOLATIONS:
            np.testing.assert_allclose(lines[way], data.curves[way][measure].mean(0))
    assert data.curves["lerp"]["norm_ratio"].mean(0)[2] == pytest.approx(0.707)


def test_the_figures_show_the_first_noises_and_repetitions(
    records_in: Write, tmp_path: Path
) -> None:
    paths = records_in(tmp_path)
    arrays = load_arrays(paths["faces_samples"])
    data = read(paths)
    np.testing.assert_array_equal(data.eta_faces, arrays["eta"][:, :, 0])
    np.testing.assert_array_equal(data.interpolated["lerp"], arrays["lerp"][0])
    np.testing.assert_array_equal(data.step_faces["trailing"], arrays["steps"][2])


def test_a_pretrained_model_has_no_training_loss(records_in: Write, tmp_path: Path) -> None:
    paths = records_in(tmp_path)
    paths["faces_history"].write_text("step,loss,lr\n")
    record = json.loads(paths["faces_details"].read_text())
    record["mse"] = {"00": 0.05, "01": 0.07, "mean": 0.06}
    paths["faces_details"].write_text(json.dumps(record))
    section = report.build("faces", read(paths), 60)
    assert "faces_loss.png" not in {figure.name for figure in section.figures}
    assert "pretrained" in section.lead
    (stat,) = [stat for stat in section.stats if "ground truth" in stat.label]
    assert (stat.value, stat.detail) == ("0.06", "mean of 2 images, pixels from 0 to 255")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("interpolation", "'interpolation' is missing"),
        ("spacing_mse", "'spacing_mse' is missing"),
        ("size", "'size' is missing"),
        ("steps", "'steps' is missing"),
    ],
)
def test_a_record_without_a_number_is_a_one_line_error(
    records_in: Write, tmp_path: Path, key: str, message: str
) -> None:
    paths = records_in(tmp_path)
    record = json.loads(paths["faces_details"].read_text())
    del record[key]
    paths["faces_details"].write_text(json.dumps(record))
    with pytest.raises(UserError, match=message) as caught:
        draw_report(paths, dpi=60)
    assert "\n" not in str(caught.value)
    assert not paths["report_figs"].exists()


def test_samples_without_images_are_a_one_line_error(records_in: Write, tmp_path: Path) -> None:
    paths = records_in(tmp_path)
    arrays = load_arrays(paths["faces_samples"])
    save_arrays(paths["faces_samples"], **{**arrays, "lerp": arrays["lerp"] / 255})
    with pytest.raises(UserError, match="'lerp' holds no images"):
        read(paths)
