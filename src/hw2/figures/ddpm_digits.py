"""The figure of accuracy by digit: which generated digits the judge misclassifies."""

from collections.abc import Sequence

from matplotlib import figure

from hw2.figures import formatting, style
from hw2.figures.ddpm_records import Records
from hw2.figures.records import Interval
from hw2.figures.sections import Figure


def accuracy_by_digit(data: Records, dpi: int) -> list[Figure]:
    """The accuracy of generated images of each digit with its interval."""
    counts = formatting.sizes([interval.n for interval in data.digits])
    lowest = min(range(len(data.digits)), key=lambda digit: data.digits[digit].value)
    return [
        Figure(
            name="ddpm_digits.png",
            record="ddpm_details",
            plot=plot(data.digits, data.generated["all"]),
            title="Accuracy by digit",
            caption=(
                "Share of generated images that the judge classifies as the conditioned digit, "
                f"over all domains ({counts} for each digit). Bars are {formatting.LEVEL} "
                "intervals. The dashed line is the accuracy over all digits, "
                f"{formatting.accuracy(data.generated['all'])}."
            ),
            alt=(
                f"Accuracy of the digits 0 to 9 with intervals; the lowest is digit {lowest} with "
                f"{formatting.accuracy(data.digits[lowest])}."
            ),
        )
    ]


@style.house()
def plot(digits: Sequence[Interval], overall: Interval) -> figure.Figure:
    """Draw a point and a 95 % interval for each digit, and the accuracy of all as a dashed line."""
    fig = figure.Figure(figsize=(style.WIDTH, 2.9), layout="constrained")
    ax = fig.subplots()
    for digit, interval in enumerate(digits):
        ax.plot([digit, digit], [interval.low, interval.high], color=style.SKY, linewidth=2.2)
    values = [interval.value for interval in digits]
    ax.plot(range(len(digits)), values, "o", color=style.BLUE, markersize=6)
    ax.axhline(overall.value, color=style.MUTED, linewidth=1.0, linestyle=(0, (4, 2.5)), zorder=1)
    ax.set_xticks(range(len(digits)))
    ax.set_xlabel("conditioned digit")
    style.percent_axis(ax)
    ax.set_title(f"Accuracy in % with {formatting.LEVEL} intervals")
    return fig
