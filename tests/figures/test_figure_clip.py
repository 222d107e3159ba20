"""The section on zero-shot classification: figures and tables that agree with the records."""

import csv
import dataclasses
import io
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from reading import draw_report
from reading import read as read_records

from hw2.figures import (
    clip,
    clip_attributes,
    clip_galleries,
    clip_layout,
    clip_plots,
    clip_records,
    records,
    report,
    style,
)
from hw2.figures.clip_records import Example, Records
from hw2.figures.sections import Figure, Section
from hw2.io import files
from hw2.runtime.errors import UserError

pytestmark = pytest.mark.slow

Write = Callable[..., dict[str, Path]]
FIGURES = ("successes", "failures", "templates", "per_class", "confusion")
HALF_PAGE = 5.3  # inches: the width of a figure that is not wide on the report's page


def read(paths: dict[str, Path]) -> Records:
    data = read_records(clip_records, paths)
    assert data is not None
    return data


@pytest.fixture
def data(records_in: Write, tmp_path: Path) -> Records:
    return read(records_in(tmp_path))


@pytest.fixture
def with_attributes(records_in: Write, tmp_path: Path) -> dict[str, Path]:
    """Records whose table of predictions has the two attributes of the classes."""
    paths = records_in(tmp_path)
    rows = [
        row
        | dict(zip(("true_color", "true_shape"), str(row["true"]).split(), strict=True))
        | dict(zip(("predicted_color", "predicted_shape"), str(row["class1"]).split(), strict=True))
        for row in files.read_table(paths["clip_predictions"])
    ]
    files.write_table(paths["clip_predictions"], rows)
    return paths


def data_file(section: Section, name: str) -> str:
    return next(sheet.text for sheet in section.data_files if sheet.name == name)


def plain(text: str) -> str:
    return (
        text.replace("\N{NO-BREAK SPACE}", " ")
        .replace("\N{EN DASH}", "-")
        .replace("\N{MINUS SIGN}", "-")
    )


def test_the_section_has_every_file(drawn: dict[str, Path]) -> None:
    names = {path.name for path in drawn["report_figs"].iterdir()}
    assert {f"clip_{name}.png" for name in FIGURES} | {"clip_table.csv", "clip_table.md"} <= names
    assert "Zero-shot classification with CLIP" in (drawn["report_figs"] / "index.html").read_text()


def test_without_models_there_is_no_section(records_in: Write, tmp_path: Path) -> None:
    paths = records_in(tmp_path)
    paths["clip_details"].write_text("{}")
    draw_report(paths)
    assert not list(paths["report_figs"].glob("clip*"))
    assert (paths["report_figs"] / "ddpm_loss.png").is_file()


def test_rows_in_the_order_of_models_and_prompts(data: Records) -> None:
    assert data.models == ("small CLIP", "large CLIP")
    assert [row.prompts for row in data.of("large CLIP")] == ["course", "cifar18", "textures"]
    assert [row.gain is None for row in data.rows] == [True, False, False] * 2
    assert [row.model_gain is None for row in data.rows] == [True] * 3 + [False] * 3
    assert (data.shown_model, data.prompts, len(data.predictions)) == (
        "small CLIP",
        "textures",
        400,
    )


def test_the_table_has_numbers_intervals_and_tests(data: Records) -> None:
    text = plain(data_file(clip.section(data), "clip_table.md"))
    assert (
        "| small CLIP | course (1) | 70.0 % (65.3-74.3 %, n = 400) | 85.0 % | 70.0 % | - |" in text
    )
    assert "| +10.0 (+8.0 to +12.0) | < 0.001 | - | - |" in text
    assert "| -2.0 (-4.0 to +0.0) | 0.203 | +5.0 (+4.0 to +6.0) | 0.004 |" in text
    assert "| Model | Prompts | Plain | Unseen pairs |" in text


def test_one_model_has_no_columns_of_another(records_in: Write, tmp_path: Path) -> None:
    paths = records_in(tmp_path)
    record = json.loads(paths["clip_details"].read_text())
    del record["large CLIP"]
    paths["clip_details"].write_text(json.dumps(record))
    lines = paths["clip_predictions"].read_text().splitlines()
    kept = [line for line in lines if not line.startswith("large")]
    paths["clip_predictions"].write_text("\n".join(kept) + "\n")
    section = clip.section(read(paths))
    assert "Gain over first model" not in section.tables[0].head
    assert all(len(row) == len(section.tables[0].head) for row in section.tables[0].rows)


def test_the_csv_has_every_number_unrounded(records_in: Write, tmp_path: Path) -> None:
    paths = records_in(tmp_path)
    record = json.loads(paths["clip_details"].read_text())
    rows = list(csv.DictReader(io.StringIO(data_file(clip.section(read(paths)), "clip_table.csv"))))
    assert len(rows) == 6
    for row in rows:
        of = record[row["model"]][row["prompts"]]
        first = row["prompts"] == "course"
        for key in ("acc1", "acc1_low", "acc5_high", "n", "recall"):
            assert row[key] == str(of[key])
        for key in ("gain", "gain_low", "p"):
            assert row[key] == ("" if first else str(of[key]))
        assert row["unseen pairs"] == str(of["groups"]["unseen pairs"]["acc1"])


def test_headlines_are_of_the_shown_prompts(data: Records) -> None:
    stats = clip.section(data).stats
    assert [stat.label for stat in stats] == [
        "small CLIP, prompts textures", "large CLIP, prompts textures", "small CLIP, unseen pairs"
    ]  # fmt: skip
    assert [plain(stat.value) for stat in stats] == ["80.0 %", "85.0 %", "70.0 %"]


def examples_of(data: Records, *, correct: bool) -> list[Example]:
    return [example for example in data.examples if example.prediction.correct == correct]


def figure_of(data: Records, name: str) -> Figure:
    return next(f for f in report.build("clip", data, 20).figures if f.name == name)


def test_galleries_show_image_true_predicted_and_bars(data: Records) -> None:
    wrong = examples_of(data, correct=False)
    assert len(wrong) == 3
    figure = clip_galleries.gallery(wrong, "Three.")
    left, right = figure.axes[0], figure.axes[1]
    assert np.array_equal(left.get_images()[0].get_array(), wrong[0].pixels)
    texts = [text.get_text() for text in figure.texts]
    assert texts[:2] == ["Three.", "red circle, predicted red heart"]
    labels = [label.get_text() for label in right.get_yticklabels()]
    assert labels[:2] == ["red heart", "red circle"]
    widths = [bar.get_width() for bar in right.patches]
    assert widths == pytest.approx([0.5, 0.3, 0.15, 0.05])
    colors = [bar.get_facecolor() for bar in right.patches]
    assert len({*colors[:2]}) == 2
    assert colors[2] == colors[3] not in colors[:2]


@pytest.mark.parametrize("name", ["red", "purple triangle", "an extraordinarily long class name"])
@pytest.mark.parametrize("count", [1, 5])
def test_images_of_a_gallery_are_large_and_names_do_not_overlap(
    data: Records, name: str, count: int
) -> None:
    shares = (0.6, 0.2, 0.1, 0.06, 0.04)
    top = tuple((f"{k} {name}", share) for k, share in enumerate(shares))
    example = Example(clip_records.Prediction("a.png", top[1][0], top), data.examples[0].pixels)
    figure = clip_galleries.gallery([example] * count, "A note.")
    canvas = FigureCanvasAgg(figure)
    with style.house():
        canvas.draw()
    renderer = canvas.get_renderer()
    page = HALF_PAGE * figure.dpi / figure.bbox.width  # the size of the figure on the page
    for image, bars in zip(figure.axes[::2], figure.axes[1::2], strict=True):
        sides = np.array(image.get_window_extent(renderer).size) * page / figure.dpi
        assert (sides * 2.54 >= 2.4).all()
        names = [label.get_window_extent(renderer) for label in bars.get_yticklabels()]
        assert len(names) == 5
        assert all(upper.y0 >= lower.y1 for upper, lower in itertools.pairwise(names))
        assert all(box.x0 >= image.get_window_extent(renderer).x1 for box in names)
    for text in figure.texts:
        box = text.get_window_extent(renderer)
        assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert 0 <= box.y0 < box.y1 <= figure.bbox.y1


def test_galleries_say_how_many_predictions_there_are(data: Records) -> None:
    successes = figure_of(data, "clip_successes.png")
    note = "300 of 400 images are classified correctly; 2 of them are shown."
    assert successes.plot.texts[0].get_text() == note
    assert successes.caption.startswith(f"With small CLIP and the prompt set textures, {note} They")
    assert "orange" in figure_of(data, "clip_failures.png").caption


@pytest.mark.parametrize(
    ("count", "note"),
    [
        (1, "Only 1 of 301 images is classified wrongly; it is shown."),
        (2, "Only 2 of 302 images are classified wrongly; all are shown."),
    ],
)
def test_few_failures_are_all_shown(data: Records, count: int, note: str) -> None:
    right = [prediction for prediction in data.predictions if prediction.correct]
    wrong = examples_of(data, correct=False)[:count]
    few = dataclasses.replace(
        data,
        predictions=(*right, *(example.prediction for example in wrong)),
        examples=tuple(wrong),
    )
    figure = figure_of(few, "clip_failures.png")
    assert figure.plot.texts[0].get_text() == note
    assert len(figure.plot.axes) == 2 * count
    assert "at random" not in figure.caption


def test_without_failures_their_gallery_says_so(data: Records) -> None:
    right = tuple(prediction for prediction in data.predictions if prediction.correct)
    perfect = dataclasses.replace(
        data, predictions=right, examples=tuple(examples_of(data, correct=True))
    )
    figure = figure_of(perfect, "clip_failures.png")
    note = "None of the 300 images is classified wrongly."
    assert [text.get_text() for text in figure.plot.texts] == [figure.alt] == [note]
    assert figure.plot.axes == []
    assert figure.caption == (
        "With small CLIP and the prompt set textures, none of the 300 images is classified wrongly."
    )


def test_long_names_are_shortened() -> None:
    assert clip_layout.shortened("x" * 24) == "x" * 24
    assert clip_layout.shortened("american staffordshire terrier") == "american staffordshire…"


def test_the_confusion_matrix_counts_answers(data: Records) -> None:
    image = clip_plots.confusion(data).axes[0].get_images()[0].get_array()
    expected = np.diag([0.6, 0.7, 0.8, 0.9]) + np.roll(np.diag([0.4, 0.3, 0.2, 0.1]), 1, axis=1)
    assert np.asarray(image) == pytest.approx(expected)


def test_attributes_have_a_confusion_matrix_each(with_attributes: dict[str, Path]) -> None:
    data = read(with_attributes)
    colors, shapes = clip_attributes.matrices(data).axes
    assert [ax.get_title(loc="left") for ax in (colors, shapes)] == ["color", "shape"]
    assert [label.get_text() for label in colors.get_yticklabels()] == ["red", "blue"]
    names = ["circle", "heart", "star", "ring"]
    for labels in (shapes.get_xticklabels(), shapes.get_yticklabels()):
        assert [label.get_text() for label in labels] == names
    shares = np.asarray(colors.collections[0].get_array())
    assert shares == pytest.approx(np.array([[0.85, 0.15], [0.05, 0.95]]))
    assert [text.get_text() for text in colors.texts] == ["85", "15", "5", "95"]
    shares = np.asarray(shapes.collections[0].get_array())
    expected = np.diag([0.6, 0.7, 0.8, 0.9]) + np.roll(np.diag([0.4, 0.3, 0.2, 0.1]), 1, axis=1)
    assert shares == pytest.approx(expected)
    assert len(shapes.texts) == 8  # cells of 0 have no number
    assert len({round(ax.bbox.width / n) for ax, n in ((colors, 2), (shapes, 4))}) == 1


def test_confusions_of_attributes_replace_those_of_classes(
    with_attributes: dict[str, Path],
) -> None:
    figure = figure_of(read(with_attributes), "clip_confusion.png")
    assert len(figure.plot.axes) == 2
    assert figure.title == "Confusions of color and shape"
    assert "n = 400 images" in plain(figure.caption)
    assert "color 90.0 % (n = 200 of each), shape 75.0 % (n = 100 of each)" in plain(figure.caption)


def test_attributes_of_many_values_are_not_drawn(with_attributes: dict[str, Path]) -> None:
    few = read(with_attributes)
    numbers = tuple(map(str, range(400)))
    many = dataclasses.replace(
        few, attributes=(few.attributes[0], clip_records.Attribute("number", numbers, numbers))
    )
    assert figure_of(many, "clip_confusion.png").title == "Confusion matrix"


def test_shares_of_attributes_are_exact_at_their_ends(with_attributes: dict[str, Path]) -> None:
    true = ("a",) * 400 + ("b",) * 400
    predicted = ("c", *true[1:])  # no image is of c
    attribute = clip_records.Attribute("letter", true, predicted)
    data = dataclasses.replace(read(with_attributes), attributes=(attribute, attribute))
    ax = clip_attributes.matrices(data).axes[0]
    assert [text.get_text() for text in ax.texts] == [">99", "<1", "100"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]


def test_a_missing_column_of_an_attribute_is_an_error(with_attributes: dict[str, Path]) -> None:
    table = with_attributes["clip_predictions"]
    table.write_text(table.read_text().replace("predicted_shape", "guessed_shape"))
    with pytest.raises(UserError, match="no column 'predicted_shape'"):
        read(with_attributes)


def test_classes_are_sorted_by_accuracy_with_their_most_frequent_error(data: Records) -> None:
    ax = clip_plots.per_class(data).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "red circle", "red heart", "blue star", "blue ring"
    ]  # fmt: skip
    texts = [text.get_text() for text in ax.texts]
    errors = ["red heart (40)", "blue star (30)", "blue ring (20)", "red circle (10)"]
    assert texts == [*errors, "most frequent error"]
    points = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 1]
    assert [float(point[0]) for point in points] == pytest.approx([0.6, 0.7, 0.8, 0.9])


def test_of_many_classes_the_worst_are_shown(data: Records) -> None:
    predictions = tuple(
        clip_records.Prediction(f"{k}.png", f"class {k}", ((f"class {k - k % 2}", 1.0),))
        for k in range(200)
    )
    ends = (records.Interval(1.0, 0.2, 1.0, 1), records.Interval(0.0, 0.0, 0.8, 1))
    classes = tuple(
        clip_records.ClassAccuracy(f"class {k}", ends[k % 2], None, 0) for k in range(200)
    )
    many = dataclasses.replace(data, predictions=predictions, classes=classes)
    shown = [label.get_text() for label in clip_plots.per_class(many).axes[0].get_yticklabels()]
    assert shown == [f"class {k}" for k in range(1, 120, 2)]
    assert "Of 200 classes, the 60" in report.build("clip", many, 20).figures[-1].caption


def test_prompt_sets_have_a_panel_for_each_model(data: Records) -> None:
    axes = clip_plots.templates(data).axes
    assert [ax.get_title(loc="left") for ax in axes] == list(data.models)
    assert [label.get_text() for label in axes[0].get_yticklabels()] == [
        "course (1)", "cifar18 (18)", "textures (3)"
    ]  # fmt: skip
    assert [text.get_text() for text in axes[0].texts] == [
        "70.0", "68.0, p = 0.203", "80.0, p < 0.001"
    ]  # fmt: skip


def spoil_json(key: str, value: Any) -> Callable[[str], str]:
    def spoil(text: str) -> str:
        record = json.loads(text)
        record["small CLIP"]["textures"][key] = value
        return json.dumps({k: v for k, v in record.items() if v is not None})

    return spoil


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        ("clip_details", spoil_json("acc1", 2), "textures: accuracy 2 .* is not a share"),
        ("clip_details", spoil_json("p", "small"), "textures: 'p' is 'small'"),
        ("clip_details", lambda text: text.replace("small CLIP", "x"), "no 'small CLIP'"),
        ("clip_details", lambda text: text.replace('"recall"', '"r"'), "'recall' is missing"),
        ("clip_predictions", lambda text: text.replace("class1", "c"), "no column 'class1'"),
        ("clip_predictions", lambda text: text.replace("0_3.png", "0_x.png"), "not the examples"),
        (
            "clip_classes",
            lambda text: text.replace("confusions", "errors"),
            "no column 'confusions'",
        ),
        ("clip_predictions", lambda text: text.replace("0.5", "far"), "line 2: 'confidence1'"),
    ],
)
def test_bad_records_are_one_line_errors(
    records_in: Write, tmp_path: Path, name: str, spoil: Callable[[str], str], message: str
) -> None:
    paths = records_in(tmp_path)
    paths[name].write_text(spoil(paths[name].read_text()))
    with pytest.raises(UserError, match=message) as caught:
        read(paths)
    assert "\n" not in str(caught.value)
