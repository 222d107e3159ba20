"""The figure of a training: its loss and what stands under it."""

from hw2.figures import curves
from hw2.figures.records import History
from hw2.figures.sections import Figure


def draw(history: History, name: str) -> Figure:
    """Draw the loss as the file `name`."""
    window = curves.smoothing_window(len(history.loss))
    mean = curves.running_mean(history.loss, window)[-1]
    return Figure(
        name=name,
        plot=curves.loss(history),
        title="Training",
        caption=(
            f"Loss over {history.step[-1]:.0f} steps and its mean over {window} logged values, "
            f"which ends at {mean:.4f}."
        ),
        alt="Training loss over steps on a log scale, with its running mean.",
    )
