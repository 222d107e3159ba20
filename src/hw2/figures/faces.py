"""The report's section on faces: its figures, its tables and what stands under them."""

from itertools import product

import numpy as np

from hw2.figures import faces_plots, formatting, losses
from hw2.figures.faces_records import GRIDS, WAYS, Records
from hw2.figures.records import Interval
from hw2.figures.sections import Plate, Section, Stat, Table

SHOWN_GRIDS = ("course", "trailing")
SHOWN_NOISES = 2  # of each grid
GRID_WORDS = {
    "course": "course: ends at t = 1, then 0",
    "leading": "leading: one earlier, ends at t = 0, then clean",
    "trailing": "trailing: starts at the noisiest level",
}


def section(found: Records, dpi: int) -> Section:
    """Draw every figure of the section for saving at `dpi` and write its words."""
    plates = [
        _etas(found, dpi),
        *(_way(found, way, dpi) for way in WAYS),
        _interpolation(found),
        _steps(found, dpi),
    ]
    if found.history is not None:
        plates.append(losses.plate(found.history, "faces_loss.png"))
    return Section(
        anchor="faces",
        title="DDIM on faces",
        lead=_lead(found),
        stats=_stats(found),
        tables=(_eta_table(found), _step_table(found)),
        plates=tuple(plates),
    )


def _lead(found: Records) -> str:
    origin = "was trained on drawn faces" if found.history is not None else "was given"
    return (
        "A face depends on its noise alone where DDIM adds no fresh noise (eta = 0), so noises "
        f"can be repeated, mixed and compared. The model {origin}; its images are "
        f"{found.size}x{found.size}. Faces are shown as the model gives them; the PNG files of the "
        "course's command are stretched from their darkest to their brightest value."
    )


def _stats(found: Records) -> tuple[Stat, ...]:
    slerp, lerp = (found.middle[way] for way in WAYS)
    last = found.etas[-1]
    stats = [
        Stat(
            "Norm half way, lerp",
            f"{lerp.norm_ratio:.3f}",
            f"of the ends' norm; slerp {slerp.norm_ratio:.3f}",
        ),
        Stat(
            "Colour half way, lerp",
            formatting.percent(lerp.colour),
            f"of the ends' distance from grey; slerp {formatting.percent(slerp.colour)}",
        ),
        Stat(
            f"Diversity at eta = {last.eta:g}",
            f"{last.diversity.value:.3f}",
            f"distance of faces from one noise, {_bounds(last.diversity)}",
        ),
    ]
    if found.mse:
        stats.append(
            Stat(
                "MSE to the ground truth",
                f"{found.mse['mean']:.2f}",
                f"mean of {len(found.mse) - 1} images, scale 0 to 255",
            )
        )
    return tuple(stats)


def _bounds(found: Interval) -> str:
    return f"{formatting.LEVEL} interval {found.low:.3f}{formatting.DASH}{found.high:.3f}"


def _eta_table(found: Records) -> Table:
    noises = found.etas[0].distance.n
    return Table(
        title="What fresh noise does",
        head=("eta", "Distance to the face of eta = 0", "Distance between repetitions"),
        rows=tuple(
            (f"{row.eta:g}", _distance(row.distance), _distance(row.diversity))
            for row in found.etas
        ),
        note=(
            f"Root mean square differences of pixels in [0, 1], means over {noises} noises; in "
            f"brackets {formatting.LEVEL} intervals."
        ),
    )


def _distance(found: Interval) -> str:
    return f"{found.value:.3f} ({found.low:.3f}{formatting.DASH}{found.high:.3f})"


def _step_table(found: Records) -> Table:
    return Table(
        title="Steps and time grids",
        head=("Grid", *(f"{count}" for count in found.counts), "MSE"),
        rows=tuple(
            (
                GRID_WORDS[grid],
                *(f"{value:.3f}" for value in found.step_distances[grid]),
                f"{found.grid_mse[grid]:.2f}" if grid in found.grid_mse else "in use",
            )
            for grid in GRIDS
        ),
        note=(
            "Under each number of steps: the distance to the face of the same grid with the most "
            "steps. MSE: of the saved images to those of the grid in use, from 0 to 255, over "
            f"{found.noises} noises; the course allows 20 to its ground truth."
        ),
    )


def _etas(found: Records, dpi: int) -> Plate:
    names = [f"{k:02d}" for k in range(found.eta_faces.shape[1])]
    rows = [f"eta = {row.eta:g}" for row in found.etas]
    last = found.etas[-1]
    return Plate(
        name="faces_eta.png",
        figure=faces_plots.tiles(found.eta_faces, rows, names, "row: eta, column: noise", dpi),
        title="The same noises with more and more fresh noise",
        caption=(
            f"Noises {names[0]} to {names[-1]}. With eta = 0 a noise always gives the same face; "
            f"fresh noise replaces what it says, and at eta = {last.eta:g} faces are "
            f"{last.distance.value:.3f} away from those of eta = 0, and repetitions "
            f"{last.diversity.value:.3f} from each other."
        ),
        alt=f"Grid of faces: {len(rows)} rows of rising eta, {len(names)} columns of noises.",
    )


def _way(found: Records, way: str, dpi: int) -> Plate:
    middle = found.middle[way]
    names = [f"{alpha:g}" for alpha in np.round(found.alphas, 3).tolist()]
    says = {
        "slerp": "The arc keeps the length that noises have",
        "lerp": "The line passes through noises that are too short, which no training showed",
    }
    return Plate(
        name=f"faces_{way}.png",
        figure=faces_plots.tiles(
            found.ways[way][None], [way], names, "alpha, from noise 00 to noise 01", dpi
        ),
        title=f"From one noise to another by {way}",
        caption=(
            f"{says[way]}. Half way the norm is {middle.norm_ratio:.3f} of the ends', the face's "
            f"contrast {formatting.percent(middle.contrast)} and its colour "
            f"{formatting.percent(middle.colour)} of the ends'; the largest step between "
            "neighbours is "
            f"{middle.smoothness:.2f} times the mean step. Means over {found.pairs} pairs; the "
            "first is shown."
        ),
        alt=f"{len(names)} faces in a row, from noise 00 to noise 01 by {way}.",
    )


def _interpolation(found: Records) -> Plate:
    slerp, lerp = (found.middle[way] for way in WAYS)
    return Plate(
        name="faces_interpolation.png",
        figure=faces_plots.interpolation(found),
        title="Why slerp: what happens to the noise, and to the face",
        caption=(
            f"Lerp's variance leaves 1 and is {lerp.variance:.3f} half way (slerp: "
            f"{slerp.variance:.3f}), a noise that is weaker than any in training. What this model "
            f"makes of it: contrast {formatting.percent(lerp.contrast)} of the ends' (slerp: "
            f"{formatting.percent(slerp.contrast)}), distance from grey "
            f"{formatting.percent(lerp.colour)} "
            f"(slerp: {formatting.percent(slerp.colour)})."
        ),
        alt="Four panels along alpha, slerp and lerp: norm and variance of the noise, contrast and "
        "colour of the face.",
    )


def _steps(found: Records, dpi: int) -> Plate:
    shown = list(product(range(SHOWN_NOISES), SHOWN_GRIDS))
    faces = np.stack([found.step_faces[grid][noise] for noise, grid in shown])
    return Plate(
        name="faces_steps.png",
        figure=faces_plots.tiles(
            faces,
            [f"{noise:02d} {grid}" for noise, grid in shown],
            [f"{count}" for count in found.counts],
            "row: noise and time grid, column: network calls",
            dpi,
        ),
        title="How many steps a face needs",
        caption=(
            f"From {found.counts[0]} to {found.counts[-1]} steps. The course's grid starts below "
            "the noisiest level, further below with fewer steps, so few steps leave noise; the "
            "trailing one starts there for any number."
        ),
        alt=f"Faces of two noises and two time grids with {found.counts[0]} to "
        f"{found.counts[-1]} steps.",
    )
