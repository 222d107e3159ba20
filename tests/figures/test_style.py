"""The common style of figures."""

from pathlib import Path

from matplotlib.figure import Figure

from hw2.config.schema.dann_methods import Hyperparameters
from hw2.figures import style


@style.house()
def test_found_19_a_dollar_in_a_name_is_shown_as_text(tmp_path: Path) -> None:
    fig = Figure()
    fig.suptitle(r"cost $\frac{ dollars$ 5")
    style.save(fig, tmp_path / "a.png", 50)
    assert (tmp_path / "a.png").stat().st_size


def test_each_method_of_a_figure_has_a_style_of_its_own() -> None:
    assert (
        len(set(style.SERIES_STYLES))
        == len(style.SERIES_STYLES)
        >= len(Hyperparameters.model_fields)
    )
