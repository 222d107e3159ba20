"""The forms of digits: shares, splines and the points on their lines."""

import numpy as np
import pytest

from hw2.digits.drawing import forms, hands, typefaces
from hw2.digits.labels import NUM_DIGITS

TABLES = {"handwritten": forms.HANDWRITTEN, "printed": typefaces.PRINTED}
ALL = [
    pytest.param(text, id=f"{name} {digit}, {number}")
    for name, table in TABLES.items()
    for digit, choices in enumerate(table)
    for number, (_, text) in enumerate(choices)
]


@pytest.mark.parametrize("name", TABLES)
def test_every_digit_has_forms_whose_shares_add_up(name: str) -> None:
    assert len(TABLES[name]) == NUM_DIGITS
    for choices in TABLES[name]:
        assert sum(share for share, _ in choices) == pytest.approx(1)


@pytest.mark.parametrize("text", ALL)
def test_a_line_has_the_digit_s_height_and_keeps_to_its_control_points(text: str) -> None:
    form = forms.parse(text)
    assert len(form.controls) <= hands._MOST_CONTROLS
    np.testing.assert_allclose(form.basis.sum(1), 1, atol=1e-5)  # moving all moves the line
    points = form.basis @ form.controls
    assert np.ptp(points[:, 1]) == pytest.approx(1, abs=0.08)
    distance = np.linalg.norm(points[:, None] - form.controls, axis=-1)
    assert distance.min(0).max() < 0.06  # the line passes each control point


def test_points_are_about_equally_spaced() -> None:
    points = forms.parse("0,0 50,0 | 50,100").basis @ np.array([[0, 0], [0.5, 0], [0.5, 1]])
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert steps.max() < 2.2 * 1.5 / forms.POINTS


def test_a_lifted_pen_leaves_no_line() -> None:
    form = forms.parse("0,0 0,100 ; 100,0 100,100")
    points = form.basis @ form.controls
    assert set(points[:, 0].round(6).tolist()) == {0.0, 1.0}


def test_most_writers_write_a_plain_one_and_a_seven_without_a_bar() -> None:
    one, seven = forms.HANDWRITTEN[1], forms.HANDWRITTEN[7]
    assert sum(share for share, text in one if "|" not in text) > 0.8
    assert sum(share for share, text in seven if ";" not in text) > 0.9
