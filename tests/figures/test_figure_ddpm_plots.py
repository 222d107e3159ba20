"""The curves show the values of the records, and bad records are refused in one line."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reading import read as read_records

from hw2.figures import ddpm_plots, ddpm_records, ddpm_text, formatting, losses, records
from hw2.figures.ddpm_records import Records
from hw2.runtime.errors import UserError

pytestmark = pytest.mark.slow

Paths = dict[str, Path]
Write = Callable[..., Paths]


def read(paths: Paths) -> Records:
    """Read the records as `report.run` does."""
    return read_records(ddpm_records, paths)


def test_guidance_has_a_line_per_domain_and_all(records_in: Write, tmp_path: Path) -> None:
    data = read(records_in(tmp_path))
    fig = ddpm_plots.guidance(data.guidance_rows, data.choice)
    upper, middle, lower = fig.axes
    labels = ["all domains", "MNIST-M", "SVHN"]
    assert upper.get_legend_handles_labels()[1] == labels
    for name, label in zip(("all", "mnistm", "svhn"), labels, strict=True):
        rows = [row for row in data.guidance_rows if row.domain == name]
        (line,) = (line for line in upper.lines if line.get_label() == label)
        assert np.asarray(line.get_xdata()).tolist() == [row.guidance_scale for row in rows]
        assert np.asarray(line.get_ydata()).tolist() == [row.accuracy.value for row in rows]
        (curve,) = (line for line in middle.lines if line.get_label() == label)
        distances = [row.kernel_distance.value for row in rows]
        assert np.asarray(curve.get_ydata()).tolist() == distances
        (curve,) = (line for line in lower.lines if line.get_label() == label)
        assert np.asarray(curve.get_ydata()).tolist() == [row.recall.value for row in rows]
    for ax in (upper, middle, lower):
        assert np.asarray(ax.lines[-1].get_xdata()).tolist() == [data.choice.guidance_scale] * 2
    (legend,) = fig.legends
    assert legend.get_texts()[-1].get_text() == "s = 4, selected on the val split"


def test_scales_of_more_than_a_decade_have_a_log_axis(records_in: Write, tmp_path: Path) -> None:
    data = read(records_in(tmp_path))
    rows = list(data.guidance_rows)
    assert ddpm_plots.guidance(rows, data.choice).axes[-1].get_xscale() == "linear"
    strong = replace(rows[-1], guidance_scale=41.0)
    axis = ddpm_plots.guidance([*rows, strong], data.choice).axes[-1]
    assert axis.get_xscale() == "log"
    assert axis.get_xticks()[-1] == 41


def test_a_single_domain_is_not_drawn_twice() -> None:
    assert ddpm_plots.lines_of(["all", "svhn", "all", "svhn"]) == ["svhn"]
    assert ddpm_plots.lines_of(["all"]) == ["all"]
    assert ddpm_plots.lines_of(["all", "mnistm", "svhn"]) == ["all", "mnistm", "svhn"]


def test_samplers_have_a_line_each_over_calls(records_in: Write, tmp_path: Path) -> None:
    data = read(records_in(tmp_path))
    ax, below = ddpm_plots.samplers(data.sampler_rows).axes
    assert [c.get_label() for c in below.containers] == [c.get_label() for c in ax.containers]
    assert ax.get_xscale() == "log"
    lines = {container.get_label(): container[0] for container in ax.containers}
    assert list(lines) == ["DDPM", "DDIM", "DPM-Solver++ 2M"]
    assert list(lines["DDIM"].get_xdata()) == [20, 40, 100, 200]
    assert {row.domain for row in data.sampler_rows} == {"all"}


def test_tick_labels_that_would_overlap_are_omitted() -> None:
    assert ddpm_plots._ticks([100, 10, 20, 10, 22, 50]) == [10, 20, 50, 100]


def test_the_running_mean_matches_values_by_hand() -> None:
    np.testing.assert_allclose(losses.running_mean(np.array([1.0, 3, 5, 7]), 2), [2, 4, 6])
    assert losses.smoothing_window(3) == 1


def test_loss_of_very_few_steps_is_drawn() -> None:
    few = records.History(*(np.array([float(k)]) for k in (1, 0.5)))
    assert len(losses._plot(few).axes[0].lines) == 1


def test_a_guidance_scale_of_params_yaml_is_not_called_selected(
    records_in: Write, tmp_path: Path
) -> None:
    paths = records_in(tmp_path)
    record = json.loads(paths["ddpm_guidance"].read_text())
    paths["ddpm_guidance"].write_text(json.dumps(record | {"candidates": []}))
    choice = records.choice(paths["ddpm_guidance"])
    assert choice.chosen is None
    assert choice.label == "s = 4, set in params.yaml"


def rename_column(name: str) -> Callable[[str], str]:
    return lambda text: text.replace(f"{name},", f"{name}_,", 1)


def first_number_becomes(word: str) -> Callable[[str], str]:
    def spoil(text: str) -> str:
        lines = text.split("\n")
        cells = lines[1].split(",")
        at = next(k for k, cell in enumerate(cells) if "." in cell)
        lines[1] = ",".join([*cells[:at], word, *cells[at + 1 :]])
        return "\n".join(lines)

    return spoil


def change(key: str, value: object) -> Callable[[str], str]:
    return lambda text: json.dumps(json.loads(text) | {key: value})


@pytest.mark.parametrize(
    ("name", "spoil", "words"),
    [
        ("ddpm_sweep", rename_column("recall"), "no column 'recall'"),
        ("ddpm_sweep", first_number_becomes("nan"),
         "line 2: 'guidance_scale' is 'nan', not a finite number"),
        ("ddpm_sweep", first_number_becomes(""), "line 2: 'guidance_scale' is None"),
        ("ddpm_sweep",
         lambda text: text.replace("sampler,all", "x,all").replace("\nsampler,", "\nx,"),
         "no row of kind 'sampler'"),
        ("ddpm_sweep", lambda text: text.replace("ddim,50", "ddim,49", 1), "mix samplers"),
        ("ddpm_sweep", lambda text: text + text.split("\n")[1] + "\n", "occurs twice"),
        ("ddpm_sweep", lambda text: text.split("\n")[0] + "\n", "no rows"),
        ("ddpm_history", rename_column("loss"), "no column 'loss'"),
        ("ddpm_history", first_number_becomes("nan"), "line 2: 'loss' is 'nan'"),
        ("ddpm_guidance", change("guidance_scale", None), "'guidance_scale' is None"),
        ("ddpm_guidance",
         change("candidates", [{"guidance_scale": 2.0, "interval_low": 0, "interval_high": 1}]),
         "candidate 0: 'accuracy' is missing"),
        ("ddpm_guidance", change("interval", [0.5]), "'interval' is not a pair of numbers"),
        ("ddpm_guidance", lambda text: text.replace('"split"', '"p"'), "'split' is missing"),
        ("ddpm_guidance", lambda _: "[]", "a JSON object is expected"),
        ("ddpm_guidance", lambda text: text[: len(text) // 2], "guidance.json"),
        ("ddpm_details", change("svhn", 1), "no accuracy of svhn"),
        ("ddpm_details", change("accuracy", 0.1), "not a share with its interval"),
        ("ddpm_details", change("accuracy", 97.5), "not a share with its interval"),
        ("ddpm_details", change("n", 0), "not a share with its interval"),
        ("ddpm_details", change("digits", {}), "'0' is missing"),
        ("ddpm_details", change("unguided", None), "'unguided' is missing"),
        ("judge_details", change("mnistm", {}), "mnistm: 'accuracy' is missing"),
        ("ddpm_ablation_details", change("ran", "no"), "'ran' must be true or false"),
        ("ddpm_ablation_details", change("ran", True), "no accuracy of all"),
    ],
)  # fmt: skip
def test_bad_records_are_one_line_errors(
    records_in: Write, tmp_path: Path, name: str, spoil: Callable[[str], str], words: str
) -> None:
    paths = records_in(tmp_path)
    text = paths[name].read_text()
    spoiled = spoil(text)
    assert spoiled != text
    paths[name].write_text(spoiled)
    with pytest.raises(UserError) as caught:
        read(paths)
    assert words in str(caught.value)
    assert str(paths[name]) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["ddpm_samples", "ddpm_sweep", "ddpm_history",
             "ddpm_guidance", "ddpm_details", "judge_details",
             "ddpm_ablation_details"],
)  # fmt: skip
def test_a_missing_record_is_a_one_line_error(records_in: Write, tmp_path: Path, name: str) -> None:
    paths = records_in(tmp_path)
    paths[name].unlink()
    with pytest.raises(UserError, match=paths[name].name) as caught:
        read(paths)
    assert "\n" not in str(caught.value)


def test_the_largest_scale_is_described_beside_no_guidance(
    records_in: Write, tmp_path: Path
) -> None:
    data = read(records_in(tmp_path))
    largest = max(row.guidance_scale for row in data.guidance_rows)
    share = records.Interval(0.97, 0.9, 0.99, 200)
    strong = [
        replace(row, guidance_scale=41.0, accuracy=share)
        for row in data.guidance_rows
        if row.guidance_scale == largest
    ]
    (*_, hard) = ddpm_text.introduction(replace(data, guidance_rows=data.guidance_rows + strong))
    assert f"s = 41, the judge reads {formatting.accuracy(share)}" in hard.paragraphs[-1]
    assert "at s = 1." in hard.paragraphs[-1]
    weak = replace(data, guidance_rows=[r for r in data.guidance_rows if r.guidance_scale == 1])
    assert len(ddpm_text.introduction(weak)[-1].paragraphs) == len(hard.paragraphs) - 1
