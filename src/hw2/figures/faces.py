"""The report's section on faces: its figures, its tables and what stands under them."""

from itertools import product

import numpy as np

from hw2.figures import faces_plots, formatting, losses
from hw2.figures.faces_records import GRIDS, WAYS, Records
from hw2.figures.records import Interval
from hw2.figures.sections import Figure, Section, Stat, Table

SHOWN_GRIDS = ("course", "trailing")
SHOWN_NOISES = 2  # of each grid
GRID_WORDS = {
    "course": "course: ends at t = 1, then 0",
    "leading": "leading: one earlier, ends at t = 0, then clean",
    "trailing": "trailing: starts at the noisiest level",
}


def section(data: Records) -> Section:
    """Write the texts and tables of the section."""
    return Section(
        anchor="faces",
        title="DDIM on faces",
        lead=_lead(data),
        stats=_stats(data),
        tables=(_eta_table(data), _step_table(data)),
    )


def interpolated_faces(data: Records, dpi: int) -> list[Figure]:
    """Faces between two noises, on the arc and on the line."""
    return [_way(data, way, dpi) for way in WAYS]


def training_loss(data: Records, dpi: int) -> list[Figure]:
    """The loss of the training, if the pipeline trained the model."""
    return [] if data.history is None else [losses.draw(data.history, "faces_loss.png")]


def _lead(data: Records) -> str:
    origin = "was trained on drawn faces" if data.history is not None else "was given"
    return (
        "A face depends on its noise alone where DDIM adds no fresh noise (eta = 0), so noises "
        f"can be repeated, mixed and compared. The model {origin}; its images are "
        f"{data.size}x{data.size}. Faces are shown as the model gives them; the PNG files of the "
        "course's command are stretched from their darkest to their brightest value."
    )


def _stats(data: Records) -> tuple[Stat, ...]:
    slerp, lerp = (data.middle[way] for way in WAYS)
    last = data.etas[-1]
    stats = [
        Stat(
            "Norm half way, lerp",
            f"{lerp.norm_ratio:.3f}",
            f"of the ends' norm; slerp {slerp.norm_ratio:.3f}",
        ),
        Stat(
            "Color half way, lerp",
            formatting.percent(lerp.color),
            f"of the ends' distance from gray; slerp {formatting.percent(slerp.color)}",
        ),
        Stat(
            f"Diversity at eta = {last.eta:g}",
            f"{last.diversity.value:.3f}",
            f"distance of faces from one noise, {_bounds(last.diversity)}",
        ),
    ]
    if data.mse:
        stats.append(
            Stat(
                "MSE to the ground truth",
                f"{data.mse['mean']:.2f}",
                f"mean of {len(data.mse) - 1} images, scale 0 to 255",
            )
        )
    return tuple(stats)


def _bounds(interval: Interval) -> str:
    return f"{formatting.LEVEL} interval {interval.low:.3f}{formatting.DASH}{interval.high:.3f}"


def _eta_table(data: Records) -> Table:
    noises = data.etas[0].distance.n
    return Table(
        title="What fresh noise does",
        head=("eta", "Distance to the face of eta = 0", "Distance between repetitions"),
        rows=tuple(
            (f"{row.eta:g}", _distance(row.distance), _distance(row.diversity)) for row in data.etas
        ),
        note=(
            f"Root mean square differences of pixels in [0, 1], means over {noises} noises; in "
            f"brackets {formatting.LEVEL} intervals."
        ),
    )


def _distance(interval: Interval) -> str:
    return f"{interval.value:.3f} ({interval.low:.3f}{formatting.DASH}{interval.high:.3f})"


def _step_table(data: Records) -> Table:
    return Table(
        title="Steps and time grids",
        head=("Grid", *(f"{count}" for count in data.counts), "MSE"),
        rows=tuple(
            (
                GRID_WORDS[grid],
                *(f"{value:.3f}" for value in data.step_distances[grid]),
                f"{data.grid_mse[grid]:.2f}" if grid in data.grid_mse else "in use",
            )
            for grid in GRIDS
        ),
        note=(
            "Under each number of steps: the distance to the face of the same grid with the most "
            "steps. MSE: of the saved images to those of the grid in use, from 0 to 255, over "
            f"{data.noises} noises; the course allows 20 to its ground truth."
        ),
    )


def fresh_noise(data: Records, dpi: int) -> list[Figure]:
    """Faces of the same noises by eta."""
    names = [f"{k:02d}" for k in range(data.eta_faces.shape[1])]
    rows = [f"eta = {row.eta:g}" for row in data.etas]
    last = data.etas[-1]
    return [
        Figure(
            name="faces_eta.png",
            plot=faces_plots.tiles(data.eta_faces, rows, names, "row: eta, column: noise", dpi),
            title="The same noises with more and more fresh noise",
            caption=(
                f"Noises {names[0]} to {names[-1]}. With eta = 0 a noise always gives the "
                "same face; "
                f"fresh noise replaces what it says, and at eta = {last.eta:g} faces are "
                f"{last.distance.value:.3f} away from those of eta = 0, and repetitions "
                f"{last.diversity.value:.3f} from each other."
            ),
            alt=f"Grid of faces: {len(rows)} rows of rising eta, {len(names)} columns of noises.",
        )
    ]


def _way(data: Records, way: str, dpi: int) -> Figure:
    middle = data.middle[way]
    names = [f"{alpha:g}" for alpha in np.round(data.alphas, 3).tolist()]
    says = {
        "slerp": "The arc keeps the length that noises have",
        "lerp": "The line passes through noises that are too short, which no training showed",
    }
    return Figure(
        name=f"faces_{way}.png",
        plot=faces_plots.tiles(
            data.ways[way][None], [way], names, "alpha, from noise 00 to noise 01", dpi
        ),
        title=f"From one noise to another by {way}",
        caption=(
            f"{says[way]}. Half way the norm is {middle.norm_ratio:.3f} of the ends', the face's "
            f"contrast {formatting.percent(middle.contrast)} and its color "
            f"{formatting.percent(middle.color)} of the ends'; the largest step between "
            "neighbours is "
            f"{middle.smoothness:.2f} times the mean step. Means over {data.pairs} pairs; the "
            "first is shown."
        ),
        alt=f"{len(names)} faces in a row, from noise 00 to noise 01 by {way}.",
    )


def interpolation_curves(data: Records, dpi: int) -> list[Figure]:
    """Measures of the noise and of the face along the interpolation."""
    slerp, lerp = (data.middle[way] for way in WAYS)
    return [
        Figure(
            name="faces_interpolation.png",
            plot=faces_plots.interpolation(data),
            title="Why slerp: what happens to the noise, and to the face",
            caption=(
                f"Lerp's variance leaves 1 and is {lerp.variance:.3f} half way (slerp: "
                f"{slerp.variance:.3f}), a noise that is weaker than any in training. What "
                "this model "
                f"makes of it: contrast {formatting.percent(lerp.contrast)} of the ends' (slerp: "
                f"{formatting.percent(slerp.contrast)}), distance from gray "
                f"{formatting.percent(lerp.color)} "
                f"(slerp: {formatting.percent(slerp.color)})."
            ),
            alt=(
                "Four panels along alpha, slerp and lerp: norm and variance of the noise, contrast "
                "and color of the face."
            ),
        )
    ]


def step_counts(data: Records, dpi: int) -> list[Figure]:
    """Faces of the same noises by the number of steps."""
    shown = list(product(range(SHOWN_NOISES), SHOWN_GRIDS))
    faces = np.stack([data.step_faces[grid][noise] for noise, grid in shown])
    return [
        Figure(
            name="faces_steps.png",
            plot=faces_plots.tiles(
                faces,
                [f"{noise:02d} {grid}" for noise, grid in shown],
                [f"{count}" for count in data.counts],
                "row: noise and time grid, column: network calls",
                dpi,
            ),
            title="How many steps a face needs",
            caption=(
                f"From {data.counts[0]} to {data.counts[-1]} steps. The course's grid starts below "
                "the noisiest level, further below with fewer steps, so few steps leave noise; the "
                "trailing one starts there for any number."
            ),
            alt=f"Faces of two noises and two time grids with {data.counts[0]} to "
            f"{data.counts[-1]} steps.",
        )
    ]
