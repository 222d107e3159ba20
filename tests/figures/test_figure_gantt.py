"""The figure of where the time of the recorded run went."""

from dataclasses import replace

import pytest
from reading import provenance

from hw2.figures import provenance as provenance_section

FACTS = provenance({})


def test_each_stage_is_a_bar_from_its_start_to_its_end() -> None:
    seconds = {"ddpm_train": 120.0, "faces_sample": 60.0, "ddpm_sample": 30.0}
    starts = {"ddpm_sample": 120.0, "ddpm_train": 0.0, "faces_sample": 1.2, "removed_stage": 7.0}
    section = provenance_section.section(replace(FACTS, seconds=seconds, starts=starts))
    (figure,) = section.figures
    (ax,) = figure.plot.axes
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["ddpm_train", "faces_sample", "ddpm_sample"]  # as they started
    bars = [(bar.get_x(), bar.get_width()) for bar in ax.patches]
    assert bars == [pytest.approx(bar) for bar in ((0, 2), (0.02, 1), (2, 0.5))]
    colors = [bar.get_facecolor() for bar in ax.patches]
    assert colors[0] == colors[2] != colors[1]
    assert "took 2 min with 1.4 stages at the same time" in figure.caption
    assert "The longest is ddpm_train, 2.0 min" in figure.caption


def test_without_starts_there_is_no_figure() -> None:
    assert provenance_section.section(FACTS).figures == ()
