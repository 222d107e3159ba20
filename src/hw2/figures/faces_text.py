"""What the report says of DDIM on faces: implementation, difficulties, observations."""

from hw2.figures import formatting
from hw2.figures.faces_records import INTERPOLATIONS, Records
from hw2.figures.sections import Text


def introduction(data: Records) -> tuple[Text, ...]:
    """What was implemented, and what was hard."""
    return Text("What was implemented", _IMPLEMENTED), Text("What was hard", _hard(data))


def conclusion(data: Records) -> tuple[Text, ...]:
    """What was observed."""
    return (Text("What was observed", _observed(data)),)


_IMPLEMENTED = (
    "The face model is given; what is implemented is DDIM (Song et al., 2021). Each step predicts "
    "the clean image from the noisy one, and adds the predicted noise of the next level and, for "
    "eta above zero, fresh noise whose size eta scales. The steps are those of the course: equal "
    "intervals that end at the lowest noise level, a clean prediction clipped to the range of "
    "images, and no fresh noise for the graded images.",
    "Noises are interpolated linearly (lerp) and on the sphere (slerp; Shoemake, 1985), and each "
    "interpolated noise is sampled with eta = 0.",
)


def _hard(data: Records) -> tuple[str, ...]:
    texts = [
        "The homework gives the number of steps and the range of noise levels, but not the exact "
        "levels, nor whether the clean prediction is clipped. These conventions change the images."
    ]
    if data.spacing_mse:
        costs = [f"{value:.2f} with “{name}”" for name, value in data.spacing_mse.items()]
        texts.append(
            "Against the images of the spacing in use, the mean squared error on the scale of "
            f"saved pixels is {formatting.listed(costs)}. This is what another convention alone "
            "costs."
        )
    if data.mse:
        texts.append(
            f"With the spacing in use the error to the ground truth is {data.mse['mean']:.2f}."
        )
    return tuple(texts)


def _observed(data: Records) -> tuple[str, ...]:
    slerp, lerp = (data.middle[method] for method in INTERPOLATIONS)
    lowest, highest = data.etas[0], data.etas[-1]
    return (
        f"With eta = {lowest.eta:g}, repetitions of a noise differ by {lowest.diversity.value:.3f} "
        f"(RMS of pixels), so the face is a function of the noise; with eta = {highest.eta:g} by "
        f"{highest.diversity.value:.3f}.",
        f"Halfway between two noises, lerp has {formatting.percent(lerp.norm_ratio)} of the norm "
        f"of its ends and slerp {formatting.percent(slerp.norm_ratio)}. The model was trained on "
        "noise of full norm. What this does to the face is measured by its contrast and "
        f"colorfulness, relative to the ends: {formatting.percent(lerp.contrast)} and "
        f"{formatting.percent(lerp.color)} with lerp, {formatting.percent(slerp.contrast)} and "
        f"{formatting.percent(slerp.color)} with slerp. Reports on real faces describe washed-out "
        "or green faces for lerp; the figures show whether this model does the same.",
    )
