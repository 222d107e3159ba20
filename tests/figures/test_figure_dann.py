"""The section on adaptation: figures that agree with each other, tables with every number."""

import csv
import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reading import draw_report
from reading import read as read_records

from hw2.figures import dann, dann_plots, dann_records
from hw2.figures.dann_records import Pair, Records
from hw2.figures.sections import Section
from hw2.io.files import read_table, write_table
from hw2.runtime.errors import UserError

pytestmark = pytest.mark.slow

Write = Callable[..., dict[str, Path]]

METHODS = ("source_only", "dann_paper", "dann", "self_training", "target_only")


def read(paths: dict[str, Path]) -> Records:
    return read_records(dann_records, paths)


@pytest.fixture
def data(records_in: Write, tmp_path: Path) -> Records:
    return read(records_in(tmp_path))


@pytest.fixture
def pairs(data: Records) -> list[Pair]:
    return data.pairs


def data_file(section: Section, name: str) -> str:
    return next(file.text for file in section.data_files if file.name == name)


def test_without_pairs_there_is_no_section(records_in: Write, tmp_path: Path) -> None:
    paths = records_in(tmp_path)
    paths["dann_details"].write_text("{}")
    assert read(paths) is None
    figures = tmp_path / "figures"
    draw_report(paths | {"report_figs": figures})
    names = {path.name for path in figures.iterdir()}
    assert "ddpm_loss.png" in names
    assert not [name for name in names if name.startswith("dann_paper")]


def test_methods_are_in_the_order_of_the_schema(pairs: list[Pair]) -> None:
    for pair in pairs:
        assert tuple(result.method for result in pair.results) == METHODS
        assert [result.gain is None for result in pair.results] == [
            True,
            False,
            False,
            False,
            False,
        ]


def test_both_colorings_have_the_same_points_before_and_after(pairs: list[Pair]) -> None:
    for pair in pairs:
        figures = dann_plots.by_class(pair), dann_plots.by_domain(pair)
        points = [
            np.concatenate([np.asarray(dots.get_offsets()) for dots in ax.collections])
            for figure in figures
            for ax in figure.axes
        ]
        assert len(points) == 4
        assert np.array_equal(points[0], points[2])
        assert np.array_equal(points[1], points[3])
        assert not np.array_equal(points[0], points[1])
        titles = [[ax.get_title(loc="left") for ax in figure.axes] for figure in figures]
        assert titles[0] == titles[1] == ["source only", "DANN with entropy"]


def test_colors_are_of_digits_and_of_domains(pairs: list[Pair]) -> None:
    digits, domains = dann_plots.by_class(pairs[0]), dann_plots.by_domain(pairs[0])
    for ax in digits.axes:
        assert all(len(np.unique(c.get_facecolor(), axis=0)) == 10 for c in ax.collections)
    for ax in domains.axes:
        colors = [np.unique(c.get_facecolor(), axis=0) for c in ax.collections]
        assert [len(distinct) for distinct in colors] == [1, 1]
        assert not np.array_equal(*colors)


def test_the_csv_has_every_number_unrounded(records_in: Write, tmp_path: Path) -> None:
    paths = records_in(tmp_path)
    record = json.loads(paths["dann_details"].read_text())
    rows = list(csv.DictReader(io.StringIO(data_file(dann.section(read(paths)), "dann_table.csv"))))
    assert len(rows) == 10
    for row in rows:
        scores = record[f"{row['source']}->{row['target']}"][row["method"]]
        for key in ("accuracy", "accuracy_low", "accuracy_high", "n", "gain_low", "a_distance"):
            assert row[key] == str(scores.get(key, ""))


def test_the_markdown_is_the_page_s_table(data: Records) -> None:
    section = dann.section(data)
    text = data_file(section, "dann_table.md")
    for table in section.tables:
        assert f"## {table.title}" in text
        for row in table.rows:
            assert f"| {' | '.join(row)} |".replace("\N{NO-BREAK SPACE}", " ") in text
    plain = text.replace("\N{EN DASH}", "-").replace("\N{MINUS SIGN}", "-")
    assert "| DANN as published | 58.0 % (55.8-60.1 %, n = 2000) | 1.2 (3 seeds) |" in plain
    assert "| -3.0 (-4.3 to -1.7) |" in plain
    assert "+32.0 (+30.7 to +33.3)" in text


def test_the_headline_is_of_a_fixed_method(data: Records) -> None:
    stats = dann.section(data).stats
    assert [stat.value.replace("\N{NO-BREAK SPACE}", " ") for stat in stats] == ["93.0 %", "94.0 %"]
    assert stats[0].label == "MNIST-M to SVHN, self-training"
    without = [
        dataclasses.replace(
            pair, results=tuple(r for r in pair.results if r.method != "self_training")
        )
        for pair in data.pairs
    ]
    assert dann.section(dataclasses.replace(data, pairs=without)).stats == ()


def test_curves_have_a_line_per_method_and_a_band_over_seeds(pairs: list[Pair]) -> None:
    figure = dann_plots.curves(pairs)
    upper = figure.axes[0]
    assert len(upper.get_lines()) == len(upper.collections) == 5
    first = np.asarray(upper.get_lines()[0].get_ydata())
    assert first == pytest.approx([2.3 / step + 0.15 for step in range(1, 11)])
    lower = figure.axes[2]
    assert len(lower.collections) == 2  # two adversaries
    assert len(lower.get_lines()) == 3  # and the loss of chance


def test_pairs_that_share_a_target_get_names_of_their_own(
    records_in: Write, tmp_path: Path
) -> None:
    paths = records_in(tmp_path)
    for name in ("dann_details", "dann_history", "dann_tsne"):
        text = paths[name].read_text().replace("mnistm->svhn", "svhn->usps")
        paths[name].write_text(text.replace("mnistm,", "svhn,"))
    assert sorted(pair.name for pair in read(paths).pairs) == ["mnistm_usps", "svhn_usps"]


def spoil_json(key: str, value: Any) -> Callable[[str], str]:
    def spoil(text: str) -> str:
        record = json.loads(text)
        row = record["mnistm->usps"]["self_training"]
        if value is None:
            del row[key]
        else:
            row[key] = value
        return json.dumps(record)

    return spoil


@pytest.mark.parametrize(
    ("name", "spoil", "words"),
    [
        ("dann_details", lambda text: text.replace("source_only", "x"), "'source_only' is missing"),
        ("dann_details", lambda text: text.replace("->", "-"), "is not of the form source->target"),
        ("dann_details", spoil_json("gain", None), "self_training: 'gain' is missing"),
        ("dann_details", spoil_json("a_distance", "far"), "'a_distance' is 'far'"),
        ("dann_details", spoil_json("trained_on", 3), "'trained_on' is 3, not a name"),
        ("dann_details", spoil_json("accuracy", 1.5), "not a share with its interval"),
        ("dann_history", lambda text: text.replace("label", "lable"), "no column 'label'"),
        ("dann_history", lambda text: text.rsplit("\n", 2)[0] + "\n", "differ in length"),
        ("dann_tsne", lambda text: text.replace("mnistm->usps", "a->b"), "no points"),
    ],
)
def test_bad_records_are_one_line_errors(
    records_in: Write, tmp_path: Path, name: str, spoil: Callable[[str], str], words: str
) -> None:
    paths = records_in(tmp_path)
    paths[name].write_text(spoil(paths[name].read_text()))
    with pytest.raises(UserError, match=words) as caught:
        read(paths)
    assert "\n" not in str(caught.value)
    assert str(paths[name]) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "cell"),
    [("source only", "Source only"), ("CDAN+E", "CDAN+E"), ("DANN as published",) * 2],
)
def test_acronyms_keep_their_capitals(name: str, cell: str) -> None:
    assert dann._capitalized(name) == cell


def test_a_method_that_did_not_learn_the_digits_is_marked(
    records_in: Write, tmp_path: Path
) -> None:
    paths = records_in(tmp_path)
    rows = read_table(paths["dann_history"])
    for row in rows:
        if row["method"] == "dann_paper":
            row["label"] = 2.1
    write_table(paths["dann_history"], rows)
    table = dann.section(read(paths)).tables[0]
    marked = [row[0] for row in table.rows if "did not train" in row[0]]
    assert marked == ["DANN as published (did not train: label loss near chance)"]


def test_a_method_whose_training_was_not_done_is_marked_with_its_loss(
    records_in: Write, tmp_path: Path
) -> None:
    paths = records_in(tmp_path)
    rows = read_table(paths["dann_history"])
    for row in rows:
        if row["method"] == "dann" and row["step"] == 10:
            row["label"] = 0.62
    write_table(paths["dann_history"], rows)
    names = [row[0] for row in dann.section(read(paths)).tables[0].rows]
    assert names[2] == "DANN with entropy (label loss 0.62)"
    assert names[0] == "Source only"


def test_the_note_says_what_rows_share_and_what_they_do_not(data: Records) -> None:
    first, second = (table.note for table in dann.section(data).tables)
    assert "32 and 0 for source only and trained on target" in first
    assert "32 and 32 for DANN as published, DANN with entropy and self-training" in first
    assert "weighted by up to 1 for DANN as published and 0.3 for DANN with entropy" in first
    shared = (
        "Source only reads MNIST-M alone: one training for each seed serves "
        "MNIST-M to SVHN and MNIST-M to USPS."
    )
    assert shared in first
    assert shared in second
    assert "Trained on target reads SVHN alone. " in f"{first} "
    assert "AdaMatch" not in first


def test_rows_of_one_training_have_the_same_curve_in_both_columns(pairs: list[Pair]) -> None:
    first, second = (pair.curves["label"]["source_only"].values for pair in pairs)
    assert first.shape == (2, 10)
    assert np.array_equal(first, second)
