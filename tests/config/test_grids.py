"""Grids of experiments: what grids.yaml may hold, and the points of a grid."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from hw2.config import grids
from hw2.config.grids import Grid
from hw2.runtime.errors import UserError

REPO = Path(__file__).parents[2]
ENTRY: dict[str, Any] = {
    "description": "A grid",
    "stages": ["train"],
    "numbers": ["a.*"],
    "seeds": {"keys": ["a.seed", "b.seed"], "values": [1, 2, 3]},
    "parameters": {"a.scale": [1.0, 2.0], "b.scale": [[1], "two"]},
}


def write(folder: Path, entry: Any) -> Path:
    path = folder / "grids.yaml"
    YAML().dump({"grid": entry}, path)
    return path


def test_points_are_all_combinations_and_both_keys_get_the_seed(tmp_path: Path) -> None:
    grid = grids.get("grid", write(tmp_path, ENTRY))
    points = list(grids.combinations(grid.axes))
    assert len(points) == grid.count == 12
    assert points[0].values == {"a.scale": 1.0, "b.scale": [1], "a.seed": 1, "b.seed": 1}
    assert points[0].name == "a.scale-1.0_b.scale-1_seed-1"
    assert points[-1].by_axis == {"a.scale": 2.0, "b.scale": "two", "seed": 3}
    assert points[-1].on(grid.axes[2:]).name == "seed-3"
    assert points[-1].on([]).name == "shared"
    assert len({point.name for point in points}) == 12


def test_grids_of_this_repository_are_valid() -> None:
    read = grids.read(REPO / grids.FILE)
    assert all(isinstance(grid, Grid) for grid in read.values())
    assert "guidance" in read


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": {}}, "parameters"),
        ({"parameters": {"a.seed": [1]}}, "a.seed: named more than once"),
        ({"parameters": {"a.scale": [1, 1]}}, "a value is listed twice"),
        ({"stages": []}, "stages"),
        ({"seed": 1}, "seed: unknown key"),
    ],
)
def test_an_entry_that_is_no_grid_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        grids.read(write(tmp_path, ENTRY | change))


def test_an_unknown_grid_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no grid 'grd'; did you mean 'grid'\?"):
        grids.get("grd", write(tmp_path, ENTRY))


def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    (tmp_path / "grids.yaml").write_text("- 1\n")
    with pytest.raises(UserError, match="should map names to grids"):
        grids.read(tmp_path / "grids.yaml")
