"""`docs/seed_reruns.py` changes all seeds but those of the test images, and counts alarms."""

import runpy
from pathlib import Path

import pytest

from hw2.config import loader
from hw2.evaluation.headline import Number

REPO = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(REPO / "docs/seed_reruns.py"))


def test_all_seeds_but_those_of_the_test_images_are_shifted() -> None:
    tree = loader.read_yaml(REPO / "params.yaml")
    shifted = dict(SCRIPT["_seeds"](tree, 100))
    assert shifted["judge.seed"] == tree["judge"]["seed"] + 100
    assert shifted["dann.seeds"] == [seed + 100 for seed in tree["dann"]["seeds"]]
    assert {"ddpm.sampling.seed", "faces.ddim.seed", "personalization.seed"} <= shifted.keys()
    assert not {"data.seed", "shapes.seed"} & shifted.keys()


def test_a_number_that_differs_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """0.5 and 0.9 differ by their intervals; the other runs spread as far, from 0.4 to 1."""
    values = (0.5, 0.9, 0.4, 1.0)
    SCRIPT["_report"]([[Number("a", v, v - 0.1, v + 0.1, 100, 1)] for v in values])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "1 headline numbers, of which 1 are not the same in all runs"
    assert lines[1] == "independent items: 2 of 3 differ (66.7 %); a: 2"
    assert lines[3].endswith("0 of 3 differ (0.0 %)")
