"""The figure of a training loss and its caption."""

import matplotlib.figure
import numpy as np
from numpy.typing import NDArray

from hw2.figures import style
from hw2.figures.records import History
from hw2.figures.sections import Figure

LOG_FROM = 3  # the loss axis is logarithmic where the loss fell to less than 1 / LOG_FROM
SMOOTH_SHARE = 50  # the running mean covers 1 / SMOOTH_SHARE of the logged values


def draw(history: History, name: str, record: str) -> Figure:
    """Draw the loss of the history `record` as the file `name`."""
    window = smoothing_window(len(history.loss))
    mean = running_mean(history.loss, window)[-1]
    return Figure(
        name=name,
        record=record,
        plot=_plot(history),
        title="Training loss",
        caption=(
            f"Training loss of {history.step[-1]:.0f} steps (light) and its running mean over "
            f"{window} logged values (dark). The last value of the mean is {mean:.4f}."
        ),
        alt="Training loss and its running mean by step.",
    )


@style.house()
def _plot(history: History) -> matplotlib.figure.Figure:
    """Draw the training loss of each logged step and its running mean."""
    fig = matplotlib.figure.Figure(figsize=(style.WIDTH, 3.0), layout="constrained")
    ax = fig.subplots()
    ax.plot(history.step, history.loss, color=style.SKY, alpha=0.55, linewidth=0.8, label="loss")
    window = smoothing_window(len(history.loss))
    if window > 1:
        steps, mean = running_mean(history.step, window), running_mean(history.loss, window)
        ax.plot(steps, mean, color=style.BLUE, linewidth=1.8, label="running mean")
    if history.loss.max() > LOG_FROM * history.loss.min() > 0:
        ax.set_yscale("log")
        style.plain_log(ax.yaxis)
    ax.set_title("Training loss")
    ax.set_xlabel("step")
    ax.margins(x=0.01)
    ax.legend(loc="upper right")
    return fig


def smoothing_window(entries: int) -> int:
    """Return the number of logged losses in one point of the running mean."""
    return max(1, entries // SMOOTH_SHARE)


def running_mean(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the means of `window` neighbours: (N,) becomes (N - window + 1,)."""
    return np.convolve(values, np.full(window, 1 / window), mode="valid")
