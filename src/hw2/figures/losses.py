"""The figure of a training loss and its caption."""

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
        title="Training loss",
        caption=(
            f"Training loss of {history.step[-1]:.0f} steps (light) and its running mean over "
            f"{window} logged values (dark). The last value of the mean is {mean:.4f}."
        ),
        alt="Training loss and its running mean by step.",
    )
