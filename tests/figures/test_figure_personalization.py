"""The section on personalization: figures and tables that agree with the records."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reading import read as read_records

from hw2.figures import personalization, personalization_plots, personalization_records, report
from hw2.figures.personalization_records import Records
from hw2.runtime.errors import UserError

pytestmark = pytest.mark.slow

Write = Callable[..., dict[str, Path]]


def read(paths: dict[str, Path]) -> Records:
    return read_records(personalization_records, paths)


@pytest.fixture
def data(records_in: Write, tmp_path: Path) -> Records:
    return read(records_in(tmp_path))


def test_the_section_has_every_file(drawn: dict[str, Path]) -> None:
    names = {path.name for path in drawn["report_figs"].iterdir()}
    assert {"ti_new1.png", "ti_new2.png", "ti_curves.png", "multi_concept_0+1.png"} <= names
    assert {"multi_concept_table.csv", "multi_concept_table.md"} <= names


def test_the_tables_agree_with_the_records(data: Records) -> None:
    concepts, methods = personalization.section(data).tables
    assert concepts.rows[0][2:5] == (
        "70.0 (68.0 to 72.0)", "60.0 (58.0 to 62.0)", "+10.0 (+8.0 to +12.0)"
    )  # fmt: skip
    assert concepts.rows[0][5] == "75.0 / 60"
    assert [row[2][:2] for row in methods.rows] == ["20", "40", "50", "\N{EN DASH}"]
    assert all(row[3].startswith("90") for row in methods.rows)
    assert methods.rows[2][4] == "+10.0 (+5.0 to +15.0)"
    lesser = [row[8].split(" ")[0] for row in methods.rows]
    assert lesser == ["14.0", "34.0", "44.0", "74.0"]
    assert methods.rows[0][9].startswith("\N{MINUS SIGN}20.0")
    assert methods.rows[2][11:] == ("960 + 960", "768")
    assert len({len(row) for row in methods.rows} | {len(methods.head)}) == 1


def test_the_csv_has_unrounded_numbers(data: Records) -> None:
    file = personalization.section(data).data_files[0]
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert [row["method"] for row in rows] == ["prompt_only", "separate", "joint", "photographs"]
    assert [row["lesser"] for row in rows] == ["14.0", "34.0", "44.0", "74.0"]
    assert [row["recognized"] for row in rows] == ["0.2", "0.4", "0.5", ""]
    assert {row["ceiling"] for row in rows} == {"0.9"}
    assert rows[3]["text"] == rows[1]["lesser_gain"] == ""


def test_curves_ring_the_selected_snapshot(data: Records) -> None:
    axes = personalization_plots.curves(data.concepts).axes
    assert [ax.get_title(loc="left") for ax in axes] == [
        "Training loss", "Validation image score", "Validation text score"
    ]  # fmt: skip
    line, ring = axes[1].lines[:2]
    assert list(line.get_ydata()) == [50.0, 52.0, 54.0]
    assert list(np.atleast_1d(ring.get_xdata())) == [2]


def test_without_a_comparison_there_is_no_table_of_it(records_in: Write, tmp_path: Path) -> None:
    paths = records_in(tmp_path)
    record = json.loads(paths["personalization_details"].read_text())
    record["multi_concept"] = {}
    paths["personalization_details"].write_text(json.dumps(record))
    section = report.build("personalization", read(paths), 20)
    assert len(section.tables) == 1
    assert "multi_concept_0+1.png" not in [figure.name for figure in section.figures]
    assert not section.data_files


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda r: r.pop("grades"), "'grades' is missing"),
        (lambda r: r["concepts"]["0"].pop("image_gain"), "'image_gain' is missing"),
        (
            lambda r: r["multi_concept"]["0+1"]["joint"].update(trained="long"),
            "'trained' is 'long'",
        ),
        (lambda r: r["concepts"].update({"7": r["concepts"]["0"]}), "other records lack concept 7"),
    ],
)
def test_bad_records_are_one_line_errors(
    records_in: Write, tmp_path: Path, spoil: Callable[[dict[str, Any]], Any], message: str
) -> None:
    paths = records_in(tmp_path)
    record = json.loads(paths["personalization_details"].read_text())
    spoil(record)
    paths["personalization_details"].write_text(json.dumps(record))
    with pytest.raises(UserError, match=message) as caught:
        read(paths)
    assert "\n" not in str(caught.value)
