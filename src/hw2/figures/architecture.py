"""Drawings of networks from the records of `hw2.models.architecture`."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib import figure
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle

from hw2.figures import records, style
from hw2.runtime.errors import UserError

Kinds = Mapping[str, tuple[str, str]]
Point = tuple[float, float]
U_NET_KINDS: Kinds = {
    "Block": ("residual block", style.BLUE),
    "ConvPair": ("two convolutions", style.BLUE),
    "Conv2d": ("convolution", style.ORANGE),
    "Up": ("upsampling", style.GREEN),
    "GroupNorm": ("group normalization", style.MUTED),
    "Embedding": ("embedding", style.PURPLE),
    "Sequential": ("several layers", style.INK),
}
DANN_KINDS: Kinds = {
    "Block": ("convolution, normalization, ReLU", style.BLUE),
    "Linear": ("linear", style.ORANGE),
    "ReLU": ("ReLU", style.MUTED),
}
"""Classes of layers: name in the legend and color; others are in the color of OTHER."""
DANN_PARTS = ("features", "digit", "domain")
OTHER = ("other layers", style.YELLOW)
REVERSAL = ("gradient reversal", style.PURPLE)
_SIZE = (0.8, 0.84)  # width and height of a box; a layer and a resolution are 1 apart
_ARROW: dict[str, Any] = {
    "arrowstyle": "-|>",
    "color": style.MUTED,
    "mutation_scale": 9,
    "linewidth": 1.0,
}


@dataclass(frozen=True)
class Layer:
    """A layer of a network; shapes are without the batch.

    Attributes:
        name: Its name in the network.
        kind: Its class.
        input, output: Shapes, (channels, height, width) or (features,).
        parameters: Number of its weights.
        skips: Names of earlier layers whose outputs are concatenated to its input.
    """

    name: str
    kind: str
    input: tuple[int, ...]
    output: tuple[int, ...]
    parameters: int
    skips: tuple[str, ...]

    @property
    def is_condition(self) -> bool:
        """Whether the layer embeds a time or a label rather than an image."""
        return len(self.input) < 2


def layers(content: Any, where: str) -> tuple[Layer, ...]:
    """The layers of a record, which stands at `where`.

    Raises:
        UserError: if it is not a list of layers.
    """
    try:
        return tuple(
            Layer(
                str(item["name"]), str(item["kind"]), tuple(map(int, item["input"])),
                tuple(map(int, item["output"])), int(item["parameters"]), tuple(item["skips"]),
            )
            for item in content
        )  # fmt: skip
    except (TypeError, KeyError, ValueError) as error:
        raise UserError(f"{where}: no list of layers; {records.REMAKE}") from error


@style.house()
def u_net(network: Sequence[Layer]) -> figure.Figure:
    """Draw a U-Net: layers from left to right in the order in which they run, resolution as height.

    Arrows above the boxes are skip connections; layers that embed time and label are at the bottom.
    """
    path = [layer for layer in network if not layer.is_condition]
    conditions = [layer for layer in network if layer.is_condition]
    sides = sorted({layer.output[-1] for layer in path})
    size = (max(style.WIDTH, 1 + 0.45 * len(path)), 2.1 + 1.1 * len(sides))
    fig = figure.Figure(figsize=size, layout="constrained")
    ax = fig.subplots()
    place = {layer.name: (float(k), float(sides.index(layer.output[-1])))
             for k, layer in enumerate(path)}  # fmt: skip
    place |= {layer.name: ((k + 0.5) * len(path) / len(conditions) - 0.5, -1.0)
              for k, layer in enumerate(conditions)}  # fmt: skip
    for before, after in itertools.pairwise(path):
        _arrow(ax, place[before.name], place[after.name])
    for layer in path:
        for name in layer.skips:
            _arc(ax, place[name], place[layer.name])
    _boxes(ax, place, network, U_NET_KINDS)
    names = [f"{side} x {side}" for side in sides]
    rows = [
        *([("conditions", -1)] if conditions else []),
        *zip(names, range(len(sides)), strict=True),
    ]
    _finish(ax, len(path), rows, top=0.35)
    return fig


@style.house()
def dann(parts: Mapping[str, Sequence[Layer]]) -> figure.Figure:
    """Draw DANN: features, digit classifier, and domain classifier behind the gradient reversal.

    Args:
        parts: The layers of the parts `features`, `digit` and `domain`.
    """
    features, count = parts["features"], len(parts["features"])
    reversal = Layer("reversal", "reversal", (), (), 0, ())
    branches = {"digit": (2.0, parts["digit"]), "domain": (0.0, (reversal, *parts["domain"]))}
    fig = figure.Figure(figsize=(style.WIDTH, 4.4), layout="constrained")
    ax = fig.subplots()
    kinds = {**DANN_KINDS, "reversal": REVERSAL}
    _row(ax, features, 0, 1.0, kinds)
    for height, branch in branches.values():
        _arrow(ax, (count - 1.0, 1.0), (float(count), height))
        _row(ax, branch, count, height, kinds)
    rows = [("features", 1.0), *((name, height) for name, (height, _) in branches.items())]
    _finish(ax, count + max(len(branch) for _, branch in branches.values()), rows, top=0.0)
    return fig


def _row(ax: Axes, network: Sequence[Layer], start: int, height: float, kinds: Kinds) -> None:
    """Layers side by side, from the position `start` on."""
    places = {layer.name: (float(start + k), height) for k, layer in enumerate(network)}
    for before, after in itertools.pairwise(places.values()):
        _arrow(ax, before, after)
    _boxes(ax, places, network, kinds)


def _boxes(ax: Axes, places: Mapping[str, Point], network: Sequence[Layer], kinds: Kinds) -> None:
    """A box for each layer with its name and the shape of its output, in the color of its kind."""
    width, height = _SIZE
    for layer in network:
        x, y = places[layer.name]
        label, color = kinds.get(layer.kind, OTHER)
        corner = (x - width / 2, y - height / 2)
        ax.add_patch(
            Rectangle(corner, width, height, facecolor="white", edgecolor=color, linewidth=1.6,
                      zorder=3, label=label)
        )  # fmt: skip
        shape = " x ".join(map(str, layer.output))
        text = "\n".join(filter(None, (layer.name, shape)))
        ax.text(x, y, text, ha="center", va="center", rotation=90, fontsize=9, zorder=4)


def _arrow(ax: Axes, start: Point, end: Point) -> None:
    ax.add_patch(FancyArrowPatch(start, end, shrinkA=0, shrinkB=0, zorder=1, **_ARROW))


def _arc(ax: Axes, start: Point, end: Point) -> None:
    """A skip connection, above the boxes."""
    bend = f"arc3,rad={-0.12 - 0.1 / abs(end[0] - start[0]):.3f}"
    top = _SIZE[1] / 2
    ax.add_patch(
        FancyArrowPatch(
            (start[0], start[1] + top), (end[0], end[1] + top), connectionstyle=bend, zorder=2,
            **{**_ARROW, "color": style.SKY},
        )
    )  # fmt: skip


def _finish(ax: Axes, columns: int, rows: Sequence[tuple[str, float]], top: float) -> None:
    """Limits, names of the rows, and a legend of the kinds."""
    heights = [height for _, height in rows]
    ax.set_xlim(-0.55, columns - 0.45)
    ax.set_ylim(min(heights) - 0.5, max(heights) + 0.5 + top)
    ax.set_xticks([])
    ax.set_yticks(heights, [name for name, _ in rows])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    ax.legend(unique.values(), unique.keys(), loc="upper center", bbox_to_anchor=(0.5, 0),
              ncols=3, handlelength=1.0, handleheight=1.0)  # fmt: skip
