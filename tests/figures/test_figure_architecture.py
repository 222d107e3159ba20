"""Drawings of networks show every layer and every skip connection of the record."""

from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.patches import FancyArrowPatch, Rectangle

from hw2.figures import architecture
from hw2.io.files import read_json
from hw2.runtime.errors import UserError

Write = Callable[..., dict[str, Path]]


def test_every_layer_of_a_u_net_has_a_box_at_its_resolution(
    records_in: Write, tmp_path: Path
) -> None:
    path = records_in(tmp_path)["ddpm_network"]
    layers = architecture.layers(read_json(path), str(path))
    (ax,) = architecture.u_net(layers).axes
    boxes = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert len(boxes) == len(layers) == 5
    assert [text.get_text() for text in ax.texts] == [
        *("label\n16", "down 1\n8 x 28 x 28", "down 2\n8 x 14 x 14"),
        *("up 1\n8 x 28 x 28", "up 2\n3 x 28 x 28"),
    ]
    assert [text.get_position()[1] for text in ax.texts] == [-1, 1, 0, 1, 1]
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == 3 + 1  # between the four layers of the path, and the skip


def test_dann_has_three_parts_and_a_gradient_reversal(records_in: Write, tmp_path: Path) -> None:
    record = read_json(records_in(tmp_path)["dann_network"])
    parts = {name: architecture.layers(layers, name) for name, layers in record.items()}
    (ax,) = architecture.dann(parts).axes
    heights: dict[float, list[str]] = {}
    for text in ax.texts:
        heights.setdefault(text.get_position()[1], []).append(text.get_text().partition("\n")[0])
    assert heights == {
        1.0: ["down 1", "down 2"], 2.0: ["linear"], 0.0: ["reversal", "linear"],
    }  # fmt: skip


@pytest.mark.parametrize("content", [None, {"name": 1}, [{"name": "enter"}], [3]])
def test_another_record_is_an_error_of_one_line(content: object) -> None:
    with pytest.raises(UserError, match=r"network.json: no list of layers; rerun the stage"):
        architecture.layers(content, "network.json")
