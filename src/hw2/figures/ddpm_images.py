"""Images of the section on digits: grids of samples, and strips of the reverse process."""

from matplotlib.figure import Figure

from hw2.figures import image_grids, style
from hw2.figures.ddpm_samples import Strip
from hw2.figures.image_grids import Pixels

HEADING = "row: conditioned digit, column: initial noise"


@style.house()
def sample_grid(tiles: Pixels, title: str, dpi: int) -> Figure:
    """Draw tiles uint8 (10, K, H, W, 3): a labelled row per digit, a column per noise."""
    margins = image_grids.Margins(left=0.38, top=0.52, right=0.08, bottom=0.08)
    fig, xs, ys = image_grids.lay(tiles, cell=0.56, gap=0.035, margins=margins, dpi=dpi)
    width, height = fig.get_size_inches()
    for digit, y in enumerate(ys):
        fig.text(0.2 / width, y, str(digit), ha="center", va="center_baseline", weight="bold")
    for noise, x in enumerate(xs):
        fig.text(x, 1 - 0.45 / height, str(noise), ha="center", color=style.MUTED, size=9)
    fig.text(margins.left / width, 1 - 0.22 / height, title, weight="bold", size=10.5)
    right = 1 - margins.right / width
    fig.text(right, 1 - 0.22 / height, HEADING, ha="right", color=style.MUTED, size=9)
    return fig


@style.house()
def reverse_strip(strip: Strip, dpi: int) -> Figure:
    """Draw the images of one reverse process, from noise to digit, the time under each."""
    margins = image_grids.Margins(left=0.06, top=0.06, right=0.06, bottom=0.32)
    fig, xs, _ = image_grids.lay(strip.images[None], cell=0.98, gap=0.08, margins=margins, dpi=dpi)
    for x, t in zip(xs, strip.times, strict=True):
        fig.text(x, 0.12 / fig.get_size_inches()[1], f"t = {t}", ha="center", size=9.5)
    return fig
