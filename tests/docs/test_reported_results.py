"""Results of others in the README: docs/reported_results.yaml, read by docs/front_page.py."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hw2.runtime.errors import UserError

ROOT = Path(__file__).parents[2]
PAGE = runpy.run_path(str(ROOT / "docs" / "front_page.py"))
METRICS = ROOT / "results" / "details"


@pytest.fixture
def reported() -> dict[str, Any]:
    return yaml.safe_load(PAGE["REPORTED"].read_text("utf-8"))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    def written(results: dict[str, Any]) -> Path:
        path = tmp_path / "reported_results.yaml"
        path.write_text(yaml.safe_dump(results), encoding="utf-8")
        return path

    return written


def test_readme_has_a_row_for_each_entry(reported: dict[str, Any]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition(PAGE["BEGIN"])[2].partition(PAGE["END"])[0]
    rows = [line.strip("| ").split(" | ") for line in table.strip().splitlines()[2:]]
    assert len(rows) == len(reported)
    for (_, _, students, best), entry in zip(rows, reported.values(), strict=True):
        percents = [result["percent"] for result in entry["students"]]
        assert students.startswith(f"{min(percents):.1f} to {max(percents):.1f} % ")
        assert f"{len(percents)} reports" in students
        assert ("n = " in students) == ("n" in entry)
        assert best.startswith(f"{entry['best']['percent']:.1f} % ")
        assert entry["best"]["source"] in best


@pytest.mark.parametrize("key", ["ddpm_mnistm", "ddpm_svhn", "dann_svhn", "dann_usps", "clip"])
def test_students_and_best_of_each_row_come_from_the_file(
    key: str, reported: dict[str, Any], write: Callable[[dict[str, Any]], Path]
) -> None:
    before = PAGE["table"](METRICS, write(reported)).splitlines()
    reported[key]["students"][0]["percent"] = 1.25
    reported[key]["best"]["percent"] = 99.95
    after = PAGE["table"](METRICS, write(reported)).splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    assert "| 1.2 to " in changed[0]
    assert "| 100.0 % " in changed[0] or "| 99.9 % " in changed[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.pop("clip"), "clip: missing (add it)"),
        (lambda r: r["clip"]["best"].pop("source"), "clip.best.source: missing (add it)"),
        (
            lambda r: r["clip"]["students"][1].update(source=""),
            "clip.students.1: '' is not allowed",
        ),
        (
            lambda r: r["clip"]["students"][1].update(percent=101),
            "clip.students.1: 101 is not allowed",
        ),
        (lambda r: r["clip"].update(students=[]), "clip.students: []"),
        (lambda r: r.update(faces={}), "faces"),
    ],
)
def test_an_invalid_file_is_refused_in_one_line(
    change: Callable[[dict[str, Any]], object],
    message: str,
    reported: dict[str, Any],
    write: Callable[[dict[str, Any]], Path],
) -> None:
    change(reported)
    path = write(reported)
    with pytest.raises(UserError) as error:
        PAGE["read_reported"](path)
    assert str(error.value).startswith(f"{path}: {message}")
    assert "\n" not in str(error.value)
