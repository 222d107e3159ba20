"""Update the generated parts of the README: overview image, pipeline diagram and results table.

Run `python docs/front_page.py` in the repository's root after a run of the pipeline. It writes
docs/overview.jpg from the report's figures and records, docs/pipeline.svg from dvc.yaml, and the
table between the markers in README.md from results/details and docs/reported_results.yaml.
`--check` only reports whether the table is up to date. `--no-overview` keeps docs/overview.jpg, for
runs without figures.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image
from pydantic import Field, PositiveInt, Strict

from hw2.config import loader, paths
from hw2.figures import personalization_plots, personalization_records
from hw2.figures.personalization_records import Concept
from hw2.pipeline import stage_graph
from hw2.runtime.errors import UserError

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
PANELS = (  # rows of the overview: file and title of each figure
    (
        ("ddpm_grid_mnistm.png", "Conditional DDPM: MNIST-M"),
        ("ddpm_grid_svhn.png", "Conditional DDPM: SVHN"),
    ),
    (
        ("faces_eta.png", "DDIM faces: eta by row"),
        ("new1.png", "Textual inversion: an object"),
        ("new2.png", "Textual inversion: a style"),
    ),
    (
        ("dann_tsne_svhn_class.png", "DANN: features before and after"),
        ("clip_successes.png", "Zero-shot CLIP"),
        ("multi_concept_0+2.png", "Two learned concepts"),
    ),
)
WIDTH, TITLE, GAP = 12.0, 0.34, 0.12  # inches: of the overview, height of a title, around figures
REPORTED = Path(__file__).with_name("reported_results.yaml")
ADAPTATION = "self_training"  # fixed in advance: no method is selected by its test accuracy
LANES = {  # first word of a stage's name -> lane of the diagram and color
    **{"digits": (0, "#d8dee4"), "judge": (0, "#d8dee4"), "ddpm": (1, "#cfe3f3")},
    **{"dann": (2, "#f9ddc9"), "faces": (3, "#cdebdf"), "clip": (4, "#ecd8ea")},
    **{"stable": (5, "#fbeec1"), "personalization": (6, "#d9eefb"), "shape": (6, "#d9eefb")},
}
BOX = (2.6, 0.56)  # width and height of a stage, in the units of the diagram
STEP = (3.2, 0.86)  # from one column, or row, to the next
SPANNING = ("headline", "report_figs")  # they read outputs of every lane, so they span all of them


Text = Annotated[str, Field(min_length=1)]


class Result(loader.Section):
    """An accuracy that others report, and who does."""

    percent: float = Field(gt=0, le=100)
    year: int = Field(ge=2010, le=2100)
    source: Text


class BestResult(Result):
    """The best public accuracy; `note` says how it was reached."""

    note: Text


class Reported(loader.Section):
    """The results of others for a row of the table.

    Attributes:
        method: What the students trained or used.
        n: Number of images of each student's result, if it is known.
        students: One result for each report.
        best: The best public result.
    """

    method: Text
    n: PositiveInt | None = None
    students: Annotated[tuple[Result, ...], Strict(False)] = Field(min_length=1)
    best: BestResult


class ReportedResults(loader.Section):
    """docs/reported_results.yaml: a field for each row of the table, in their order."""

    ddpm_mnistm: Reported
    ddpm_svhn: Reported
    dann_svhn: Reported
    dann_usps: Reported
    clip: Reported


def overview(figures: Path, concepts: Sequence[Concept], target: Path) -> None:
    """Compose figures of the report, and short forms of those of two concepts, into one JPEG.

    The figures of a row have one height, so that they fill the width.
    """
    with tempfile.TemporaryDirectory() as folder:
        for number, concept in enumerate(concepts[:2], start=1):
            name = Path(folder, f"new{number}.png")
            personalization_plots.concept(_shortened(concept), 150).savefig(name)
        rows = [
            [(_pixels(Path(folder), figures, name), title) for name, title in row] for row in PANELS
        ]
    heights = [
        (WIDTH - GAP * (len(row) + 1)) / sum(image.width / image.height for image, _ in row)
        for row in rows
    ]
    full = sum(heights) + len(rows) * (TITLE + GAP)
    fig = Figure(figsize=(WIDTH, full), dpi=100)
    y = full
    for row, height in zip(rows, heights, strict=True):
        x, y = GAP, y - TITLE - height
        for image, title in row:
            wide = height * image.width / image.height
            ax = fig.add_axes((x / WIDTH, y / full, wide / WIDTH, height / full))
            ax.imshow(image, interpolation="antialiased", aspect="auto")
            ax.set_title(title, loc="left", fontsize=12, fontweight="bold")
            ax.set_axis_off()
            x += wide + GAP
        y -= GAP
    # Without subsampling of colors, so that text and thin lines stay sharp.
    fig.savefig(target, pil_kwargs={"quality": 88, "subsampling": 0, "optimize": True})


def _concepts() -> Sequence[Concept]:
    files, read = paths.load(Path()), personalization_records.read
    return read(**{name: getattr(files, name) for name in signature(read).parameters}).concepts


def _pixels(*folders_and_name: Path | str) -> Image.Image:
    """The image of this name in the first folder that has it."""
    *folders, name = folders_and_name
    path = next(p for p in (Path(folder, name) for folder in folders) if p.exists())
    return Image.open(path).convert("RGB")


def _shortened(concept: Concept) -> Concept:
    """The concept with its first and its selected snapshot, and one prompt."""
    kept = [0, *(k for k, snapshot in enumerate(concept.snapshots) if snapshot.chosen and k > 0)]
    return replace(
        concept,
        snapshots=tuple(concept.snapshots[k] for k in kept),
        strips=concept.strips[kept],
        learned_images=concept.learned_images[:1],
        initializer_images=concept.initializer_images[:1],
    )


def layout(graph: stage_graph.Graph) -> dict[str, tuple[float, float]]:
    """The centers of the stages: columns by dependency, lanes by capability."""
    column: dict[str, int] = {}
    while len(column) < len(graph):
        for name, before in graph.items():
            if name not in column and all(b in column for b in before):
                column[name] = 1 + max((column[b] for b in before), default=-1)
    top, position = 0, {}
    for lane in sorted({lane for lane, _ in LANES.values()}):
        height: dict[int, int] = {}  # stages in a column of this lane
        for name in (name for name in graph if name not in SPANNING and _lane(name)[0] == lane):
            row = height.get(column[name], 0)
            height[column[name]] = row + 1
            position[name] = (STEP[0] * column[name], -STEP[1] * (top + row))
        top += max(height.values(), default=0)
    for name in SPANNING:
        position[name] = (STEP[0] * column[name], -STEP[1] * (top - 1) / 2)
    return position


def _lane(name: str) -> tuple[int, str]:
    return LANES[name.split("_")[0]]


def diagram(graph: stage_graph.Graph, target: Path) -> None:
    """Draw the stages as an SVG, without the arrows into the stages that read every lane."""
    position = layout(graph)
    width, height = BOX
    xs, ys = zip(*position.values(), strict=True)
    depth = max(ys) - min(ys)
    fig = Figure(figsize=(0.62 * (max(xs) + 2.6), 0.62 * (depth + 1)))
    ax = fig.add_axes((0, 0, 1, 1))
    arrow = {"arrowstyle": "-|>", "color": "#8c959f", "lw": 0.8, "shrinkA": 0, "shrinkB": 0}
    for name, before in graph.items():
        for start in before:
            (x0, y0), (x1, y1) = position[start], position[name]
            if name not in SPANNING:
                ends = (x1 - width / 2, y1), (x0 + width / 2, y0)
                ax.annotate("", *ends, arrowprops=arrow, zorder=1)
    for name, (x, y) in position.items():
        tall = depth if name in SPANNING else 0
        color = "#ffffff" if name in SPANNING else _lane(name)[1]
        corner = (x - width / 2, y - (height + tall) / 2)
        box = Rectangle(
            corner, width, height + tall, facecolor=color, edgecolor="#57606a", zorder=2
        )
        ax.add_patch(box)
        ax.text(x, y, _label(name), ha="center", va="center", fontsize=8, zorder=3)
    ax.set_xlim(min(xs) - 1.6, max(xs) + 1.6)
    ax.set_ylim(min(ys) - 0.5, max(ys) + 0.5)
    ax.set_axis_off()
    fig.set_facecolor("white")
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "hw2"}):
        fig.savefig(target, format="svg", metadata={"Date": None, "Creator": None})


def _label(name: str) -> str:
    return f"{name}\n\nreads the results\nof every lane" if name in SPANNING else name


def read_reported(path: Path = REPORTED) -> ReportedResults:
    """The results of others, validated.

    Raises:
        UserError: if a row or a source is missing, or a value is out of its range.
    """
    return loader.parse(ReportedResults, loader.read_yaml(path), path)


def table(metrics: Path, reported: Path = REPORTED) -> str:
    """The headline results as Markdown, beside those of `reported`.

    Raises:
        UserError: if `reported` is not valid.
    """
    ddpm, dann, clip = (json.loads((metrics / f"{name}.json").read_text())
                        for name in ("ddpm", "dann", "clip"))  # fmt: skip
    model, prompt_sets = next(iter(clip.items()))
    first = next(scores for scores in prompt_sets.values() if scores["position"] == 0)
    ours = {
        "ddpm_mnistm": ("DDPM, generated MNIST-M digits", _share(ddpm["mnistm"])),
        "ddpm_svhn": ("DDPM, generated SVHN digits", _share(ddpm["svhn"])),
        "dann_svhn": ("MNIST-M to SVHN, self-training", _share(dann["mnistm->svhn"][ADAPTATION])),
        "dann_usps": ("MNIST-M to USPS, self-training", _share(dann["mnistm->usps"][ADAPTATION])),
        "clip": (f"Zero-shot classification, {model}", _share(first, "acc1")),
    }
    others = read_reported(reported)
    lines = [
        "| task | here, synthetic images | student reports, course's images | best public |",
        "|---|---|---|---|",
    ]
    for key in ReportedResults.model_fields:
        row: Reported = getattr(others, key)
        lines.append(f"| {' | '.join((*ours[key], _students(row), _best(row.best)))} |")
    return "\n".join(lines)


def _students(row: Reported) -> str:
    values = [result.percent for result in row.students]
    years = sorted({result.year for result in row.students})
    span = f"{years[0]} to {years[-1]}" if len(years) > 1 else str(years[0])
    count = "" if row.n is None else f", n = {row.n} each"
    details = f"{row.method}, {len(values)} reports, {span}{count}"
    return f"{min(values):.1f} to {max(values):.1f} % ({details})"


def _best(result: BestResult) -> str:
    return f"{result.percent:.1f} % ({result.note}, {result.source})"


def _share(scores: dict[str, Any], key: str = "accuracy") -> str:
    value, low, high = (100 * scores[key + end] for end in ("", "_low", "_high"))
    return f"{value:.1f} % ({low:.1f} to {high:.1f}, n = {scores['n']})"


def with_table(readme: str, text: str) -> str:
    """The README with `text` between its markers."""
    return re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{text}\n{END}", readme, flags=re.DOTALL)


def main() -> None:
    """Write, or check, the generated parts of the README."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="fail if the table is out of date")
    parser.add_argument("--no-overview", action="store_true", help="keep docs/overview.jpg")
    parser.add_argument("--figures", type=Path, default=Path("results/report_figs"))
    options = parser.parse_args()
    readme = Path("README.md")
    old = readme.read_text(encoding="utf-8")
    try:
        new = with_table(old, table(Path("results/details")))
    except UserError as error:
        sys.exit(str(error))
    if options.check:
        sys.exit("README.md: results are out of date; run docs/front_page.py" if old != new else 0)
    readme.write_text(new, encoding="utf-8")
    diagram(stage_graph.read("dvc.yaml"), Path("docs/pipeline.svg"))
    if not options.no_overview:
        overview(options.figures, _concepts(), Path("docs/overview.jpg"))


if __name__ == "__main__":
    main()
