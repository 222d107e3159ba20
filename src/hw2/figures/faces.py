"""The report's section on faces: figures, tables and captions."""

from itertools import product

import numpy as np

from hw2.figures import faces_plots, faces_text, formatting, losses
from hw2.figures.faces_records import INTERPOLATIONS, SPACINGS, Records
from hw2.figures.records import Interval
from hw2.figures.sections import Figure, Section, Stat, Table

SHOWN_SPACINGS = ("course", "trailing")
SHOWN_NOISES = 2  # with each spacing
SPACING_DESCRIPTIONS = {
    "course": "course (last steps at t = 1 and 0)",
    "leading": "leading (each t one lower than course)",
    "trailing": "trailing (starts at the largest t)",
}


def section(data: Records) -> Section:
    """Write the texts and tables of the section."""
    return Section(
        anchor="faces",
        title="DDIM sampling of faces",
        lead=_lead(data),
        stats=_stats(data),
        introduction=faces_text.introduction(data),
        conclusion=faces_text.conclusion(data),
        tables=(_eta_table(data), _step_table(data)),
    )


def interpolated_faces(data: Records, dpi: int) -> list[Figure]:
    """Faces of interpolated noises, by slerp and by lerp."""
    return [_interpolated(data, method, dpi) for method in INTERPOLATIONS]


def training_loss(data: Records, dpi: int) -> list[Figure]:
    """The loss of the training, if the pipeline trained the model."""
    return (
        []
        if data.history is None
        else [losses.draw(data.history, "faces_loss.png", "faces_history")]
    )


def _lead(data: Records) -> str:
    origin = "trained on synthetic faces" if data.history is not None else "pretrained"
    return (
        "With eta = 0, DDIM adds no fresh noise and a face is a function of its initial noise. The "
        f"model is {origin}; its images are {data.size}x{data.size} pixels. Figures show the "
        "model's output unchanged; the PNG files of the command hw2 faces are stretched from their "
        "smallest to their largest value, as in the course."
    )


def _stats(data: Records) -> tuple[Stat, ...]:
    slerp, lerp = (data.middle[method] for method in INTERPOLATIONS)
    last = data.etas[-1]
    stats = [
        Stat(
            "Norm of the noise at alpha = 0.5, lerp",
            f"{lerp.norm_ratio:.3f}",
            f"relative to the endpoints; slerp {slerp.norm_ratio:.3f}",
        ),
        Stat(
            "Colorfulness of the face at alpha = 0.5, lerp",
            formatting.percent(lerp.color),
            f"relative to the endpoints; slerp {formatting.percent(slerp.color)}",
        ),
        Stat(
            f"Diversity at eta = {last.eta:g}",
            f"{last.diversity.value:.3f}",
            f"RMS distance of faces of one initial noise, {_bounds(last.diversity)}",
        ),
    ]
    if data.mse:
        stats.append(
            Stat(
                "MSE to the ground truth",
                f"{data.mse['mean']:.2f}",
                f"mean of {len(data.mse) - 1} images, pixels from 0 to 255",
            )
        )
    return tuple(stats)


def _bounds(interval: Interval) -> str:
    return f"{formatting.LEVEL} interval {interval.low:.3f}{formatting.DASH}{interval.high:.3f}"


def _eta_table(data: Records) -> Table:
    noises = data.etas[0].distance.n
    return Table(
        title="Effect of eta",
        head=("eta", "Distance to the face with eta = 0", "Distance between repetitions"),
        rows=tuple(
            (f"{row.eta:g}", _distance(row.distance), _distance(row.diversity)) for row in data.etas
        ),
        note=(
            "Root mean square (RMS) difference of pixels in [0, 1], averaged over initial noises. "
            f"In parentheses: {formatting.LEVEL} intervals over the noises, n = {noises}."
        ),
    )


def _distance(interval: Interval) -> str:
    return f"{interval.value:.3f} ({interval.low:.3f}{formatting.DASH}{interval.high:.3f})"


def _step_table(data: Records) -> Table:
    return Table(
        title="Number of steps and timestep spacing",
        head=(
            "Spacing",
            *(f"{count} step{'s' * (count > 1)}" for count in data.step_counts),
            "MSE",
        ),
        rows=tuple(
            (
                SPACING_DESCRIPTIONS[spacing],
                *(f"{value:.3f}" for value in data.step_distances[spacing]),
                f"{data.spacing_mse[spacing]:.2f}" if spacing in data.spacing_mse else "used",
            )
            for spacing in SPACINGS
        ),
        note=(
            "For each number of steps: mean RMS distance to the face with the same spacing and the "
            "most steps. MSE: between saved images and those with the spacing used, pixels from 0 "
            f"to 255, averaged over {data.noises} initial noises. For comparison, the course "
            "accepts an MSE of up to 20 to its ground truth."
        ),
    )


def fresh_noise(data: Records, dpi: int) -> list[Figure]:
    """Faces of the same initial noises by eta."""
    names = [f"{k:02d}" for k in range(data.eta_faces.shape[1])]
    rows = [f"eta = {row.eta:g}" for row in data.etas]
    last = data.etas[-1]
    return [
        Figure(
            name="faces_eta.png",
            record="faces_samples",
            plot=faces_plots.tiles(
                data.eta_faces, rows, names, "row: eta, column: initial noise", dpi
            ),
            title="Faces by eta",
            caption=(
                f"Faces of the initial noises {names[0]} to {names[-1]}, one repetition. A higher "
                "eta adds more fresh noise, so the face depends less on the initial noise. At "
                f"eta = {last.eta:g}, the RMS distance to the face with eta = 0 is "
                f"{last.distance.value:.3f} and that between repetitions is "
                f"{last.diversity.value:.3f}."
            ),
            alt=f"Grid of faces: {len(rows)} rows by eta, {len(names)} columns by initial noise.",
        )
    ]


def _interpolated(data: Records, method: str, dpi: int) -> Figure:
    middle = data.middle[method]
    names = [f"{alpha:g}" for alpha in np.round(data.alphas, 3).tolist()]
    explanations = {
        "slerp": "Spherical interpolation keeps the norm of the noise",
        "lerp": "Linear interpolation reduces the norm of the noise below that of training noises",
    }
    return Figure(
        name=f"faces_{method}.png",
        record="faces_samples",
        plot=faces_plots.tiles(
            data.interpolated[method][None],
            [method],
            names,
            "alpha, from initial noise 00 to 01",
            dpi,
        ),
        title=f"Interpolation by {method}",
        caption=(
            f"{explanations[method]}. At alpha = 0.5, relative to the endpoints: norm "
            f"{middle.norm_ratio:.3f}, contrast of the face {formatting.percent(middle.contrast)}, "
            f"colorfulness {formatting.percent(middle.color)}. The largest difference between "
            f"neighboring faces is {middle.smoothness:.2f} times the mean difference. Values are "
            f"means over {data.pairs} pairs of noises; the first pair is shown."
        ),
        alt=f"{len(names)} faces, from initial noise 00 to 01 by {method}.",
    )


def interpolation_curves(data: Records, dpi: int) -> list[Figure]:
    """Measures of the noise and of the face by alpha."""
    slerp, lerp = (data.middle[method] for method in INTERPOLATIONS)
    return [
        Figure(
            name="faces_interpolation.png",
            record="faces_interpolation",
            plot=faces_plots.interpolation(data),
            title="Noise and face by alpha, for slerp and lerp",
            caption=(
                "Noises in training have a variance of 1. At alpha = 0.5, the variance is "
                f"{lerp.variance:.3f} with lerp and {slerp.variance:.3f} with slerp. Relative to "
                "the endpoints, the contrast of the face is "
                f"{formatting.percent(lerp.contrast)} (slerp {formatting.percent(slerp.contrast)}) "
                f"and its colorfulness {formatting.percent(lerp.color)} (slerp "
                f"{formatting.percent(slerp.color)}). Thick lines are means over {data.pairs} "
                "pairs, thin lines are single pairs."
            ),
            alt=(
                "Four panels by alpha with lines for slerp and lerp: norm and variance of the "
                "noise, contrast and colorfulness of the face."
            ),
        )
    ]


def step_counts(data: Records, dpi: int) -> list[Figure]:
    """Faces of the same initial noises by the number of steps."""
    shown = list(product(range(SHOWN_NOISES), SHOWN_SPACINGS))
    faces = np.stack([data.step_faces[spacing][noise] for noise, spacing in shown])
    return [
        Figure(
            name="faces_steps.png",
            record="faces_samples",
            plot=faces_plots.tiles(
                faces,
                [f"{noise:02d} {spacing}" for noise, spacing in shown],
                [f"{count}" for count in data.step_counts],
                "row: noise and spacing, column: steps",
                dpi,
            ),
            title="Faces by number of steps",
            caption=(
                f"Faces with {data.step_counts[0]} to {data.step_counts[-1]} steps. The spacing "
                "“course” starts below the largest t, and lower the fewer the steps, so noise "
                "remains with few steps; “trailing” always starts at the largest t."
            ),
            alt=f"Faces of two initial noises with two timestep spacings, {data.step_counts[0]} to "
            f"{data.step_counts[-1]} steps.",
        )
    ]
