"""The figure of accuracy by digit shows the record's numbers."""

from collections.abc import Callable
from pathlib import Path

from reading import read

from hw2.figures import ddpm_digits, ddpm_records


def test_every_digit_has_its_accuracy_and_interval(
    records_in: Callable[..., dict[str, Path]], tmp_path: Path
) -> None:
    data = read(ddpm_records, records_in(tmp_path))
    (figure,) = ddpm_digits.accuracy_by_digit(data, 60)
    lines = figure.plot.axes[0].lines
    bars, points = lines[: len(data.digits)], lines[len(data.digits)]
    assert [tuple(bar.get_ydata()) for bar in bars] == [(d.low, d.high) for d in data.digits]
    assert list(points.get_ydata()) == [digit.value for digit in data.digits]
    assert "n = 100 for each digit" in figure.caption
