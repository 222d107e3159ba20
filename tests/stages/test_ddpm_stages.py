"""Every DDPM stage runs once with the mini profile, from the digits to the figures."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from lost_process import assert_same_curve, train_again_after_a_loss
from reading import read
from running import artifacts_in, changed, run_stage, run_stages

from hw2.config import params
from hw2.ddpm import sample
from hw2.diffusion.guidance import Guidance
from hw2.digits import arrays
from hw2.digits.labels import LABELED_DOMAINS, SPLITS
from hw2.evaluation import outcomes
from hw2.figures import ddpm_records, report
from hw2.figures.records import SWEEP_COLUMNS
from hw2.io import files
from hw2.runtime.errors import UserError
from hw2.stages import (
    ddpm_ablate,
    ddpm_evaluate,
    ddpm_sample,
    ddpm_select_guidance,
    ddpm_sweep,
    ddpm_train,
    digits_fetch,
    digits_pack,
    judge_train,
)

pytestmark = pytest.mark.slow

DATA_AND_JUDGE = (digits_fetch, digits_pack, judge_train)
DIFFUSION = (
    *(ddpm_train, ddpm_select_guidance, ddpm_sample, ddpm_sweep, ddpm_evaluate),
    ddpm_ablate,
)
ACCURACY = {"accuracy", "accuracy_low", "accuracy_high", "n"}


def small(mini_with: Callable[..., params.Params], **changes: Any) -> params.Params:
    """The mini profile with a narrower network and dotted keys (`__` for the dots) changed."""
    values = {key.replace("__", "."): value for key, value in changes.items()}
    return mini_with({"ddpm.network.base_channels": 8, "ddpm.ablation.run": False} | values)


def draw_report(artifacts: SimpleNamespace, p: params.Params) -> None:
    section = report.build("ddpm", read(ddpm_records, vars(artifacts)), p.figures.dpi)
    stages = {figure.record: "ddpm_train" for figure in section.figures}
    report.publish([section], artifacts.report_figs, p.figures.dpi, stages)


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, mini_with: Callable[..., params.Params]
) -> tuple[SimpleNamespace, params.Params]:
    """A whole run on both domains."""
    artifacts, p = artifacts_in(tmp_path_factory.mktemp("both")), small(mini_with)
    run_stages((*DATA_AND_JUDGE, *DIFFUSION), p, artifacts)
    draw_report(artifacts, p)
    return artifacts, p


Run = tuple[SimpleNamespace, params.Params]


def test_every_split_of_every_domain_is_packed(both: Run) -> None:
    artifacts, p = both
    counts = dict(zip(SPLITS, (p.data.train_images, p.data.val_images, p.data.test_images),
                      strict=True))  # fmt: skip
    assert arrays.domains(artifacts.digits_arrays) == p.data.domains
    for domain in p.data.domains:
        for split in SPLITS:
            data = arrays.load(artifacts.digits_arrays, domain, split)
            assert len(data.images) == len(data.digits) == counts[split]
            assert data.rgb.shape[1:] == (28, 28, 3)


def test_the_judge_record_has_an_accuracy_for_each_domain(both: Run) -> None:
    record = files.read_json(both[0].judge_details)
    assert record.keys() == set(both[1].data.domains)
    for domain in both[1].data.domains:
        assert record[domain].keys() == ACCURACY
        assert record[domain]["n"] == both[1].data.test_images


def test_the_history_has_a_row_for_each_step(both: Run) -> None:
    rows = files.read_table(both[0].ddpm_history)
    assert [row["step"] for row in rows] == list(range(1, both[1].ddpm.train.steps + 1))
    assert all(row.keys() == {"step", "loss", "lr"} for row in rows)


def test_two_processes_one_of_them_lost_give_the_curve_of_one(both: Run, tmp_path: Path) -> None:
    alone, p = both
    artifacts = artifacts_in(tmp_path, digits_arrays=alone.digits_arrays)
    steps = train_again_after_a_loss(ddpm_train, p, artifacts, lost_at=8)
    assert steps == p.ddpm.train.steps - p.ddpm.train.save_every
    assert_same_curve(artifacts.ddpm_history, alone.ddpm_history)


def test_the_guidance_is_chosen_by_distance_among_the_most_accurate(both: Run) -> None:
    record = files.read_json(both[0].ddpm_guidance)
    assert record.keys() == {"guidance_scale", "interval", "color", "candidates", "split"}
    assert record["color"] == both[1].ddpm.guidance.color
    assert record["split"] == "val"
    tried = record["candidates"]
    assert [row["guidance_scale"] for row in tried] == [1.0, 3.0]
    assert record["interval"] == [0.0, 1.0]
    best = max(tried, key=lambda row: row["accuracy"])
    accurate = [row for row in tried if row["accuracy_high"] >= best["accuracy_low"]]
    nearest = min(accurate, key=lambda row: row["frechet"])
    assert record["guidance_scale"] == nearest["guidance_scale"]
    assert all(row["frechet"] > 0 <= row["recall"] for row in tried)
    assert all(row["n"] == 20 * both[1].ddpm.guidance.images_per_label for row in tried)


def test_an_inaccurate_candidate_is_not_chosen_however_near() -> None:
    tried: list[dict[str, float | int]] = [
        {"guidance_scale": scale, "accuracy": accuracy, "frechet": frechet}
        | {"accuracy_low": accuracy - 0.02, "accuracy_high": accuracy + 0.02}
        for scale, accuracy, frechet in (
            (1.0, 0.50, 1.0),
            (2.0, 0.95, 1.5),
            (3.0, 0.97, 2.0),
            (4.0, 0.92, 1.2),
        )
    ]
    assert ddpm_select_guidance._best(tried)["guidance_scale"] == 2.0


def test_a_scale_at_the_end_of_the_list_is_named(caplog: pytest.LogCaptureFixture) -> None:
    row: dict[str, float | int] = {"guidance_scale": 6.0}
    ddpm_select_guidance._warn_at_the_edge(row, (2.0, 4.0, 6.0))
    assert "guidance scale 6 is at the end" in caplog.text
    caplog.clear()
    ddpm_select_guidance._warn_at_the_edge(row, (6.0,))
    ddpm_select_guidance._warn_at_the_edge({"guidance_scale": 1.0}, (1.0, 2.0))
    assert not caplog.text


def test_candidates_are_all_scales_with_all_intervals(mini: params.Params) -> None:
    settings = mini.ddpm.guidance.model_copy(
        update={"candidates": (2.0, 1.0), "intervals": ((0.0, 1.0), (0.3, 0.9))}
    )
    tried = list(ddpm_select_guidance._candidates(settings))
    assert [(g.scale, g.interval) for g in tried] == [
        (1.0, (0.0, 1.0)), (2.0, (0.0, 1.0)), (2.0, (0.3, 0.9)),
    ]  # fmt: skip


def test_the_samples_have_each_label_and_index_once(both: Run) -> None:
    samples = files.load_arrays(both[0].ddpm_samples)
    count = 20 * both[1].ddpm.sampling.images_per_label
    assert samples["images"].shape == (count, 28, 28, 3)
    assert samples["images"].dtype == np.uint8
    keys = {tuple(key) for key in np.stack([samples[k] for k in ("domains", "digits", "index")], 1)}
    assert keys == {(d, n, k) for d in range(2) for n in range(10) for k in range(count // 20)}
    assert samples["reverse_images"].shape[:2] == (2, len(samples["reverse_t"]))
    assert samples["reverse_t"][0] == both[1].ddpm.diffusion.timesteps
    assert samples["reverse_t"][-1] == 0
    assert (np.diff(samples["reverse_t"]) < 0).all()


def test_the_reverse_process_ends_in_the_first_sample_of_digit_0(both: Run) -> None:
    samples = files.load_arrays(both[0].ddpm_samples)
    for domain in range(2):
        first = (samples["domains"] == domain) & (samples["digits"] == 0) & (samples["index"] == 0)
        end = samples["reverse_images"][domain, -1].astype(int)
        # Another batch size: float32 sums in another order may round to the next gray level.
        assert np.abs(samples["images"][first][0].astype(int) - end).max() <= 1


def test_the_sweep_has_every_setting_for_every_domain(both: Run) -> None:
    artifacts, p = both
    rows = files.read_table(artifacts.ddpm_sweep)
    assert all(set(SWEEP_COLUMNS) == row.keys() for row in rows)
    settings = len(p.ddpm.sweep.scales) + len(p.ddpm.sweep.samplers) * len(p.ddpm.sweep.steps)
    assert len(rows) == settings * 3  # mnistm, svhn, all
    for row in rows:
        evaluations, rest = divmod(row["network_calls"], 1 if row["guidance_scale"] == 1 else 2)
        assert rest == 0
        most = 2 * row["steps"] - 1 if row["sampler"] == "heun" else row["steps"]
        assert row["steps"] <= evaluations <= most
        for measure in ("accuracy", "kernel_distance", "recall"):
            assert row[f"{measure}_low"] <= row[measure] <= row[f"{measure}_high"]
        assert row["n"] == p.ddpm.sweep.images_per_label * (20 if row["domain"] == "all" else 10)
    real = {(row["domain"], row["recall_real"]) for row in rows}
    assert len(real) == 3
    assert min(value for _, value in real) > 0


def test_the_metrics_have_accuracy_and_sample_quality(both: Run) -> None:
    record = files.read_json(both[0].ddpm_details)
    assert record.keys() == ACCURACY | set(LABELED_DOMAINS) | {"digits", "unguided", "judge"}
    assert record["n"] == record["mnistm"]["n"] + record["svhn"]["n"]
    mean = (record["mnistm"]["accuracy"] + record["svhn"]["accuracy"]) / 2
    assert record["accuracy"] == pytest.approx(mean)
    assert record["accuracy"] == pytest.approx(
        np.mean([digit["accuracy"] for digit in record["digits"].values()])
    )
    assert record["unguided"].keys() == ACCURACY
    unguided = [
        row["accuracy"]
        for row in files.read_table(both[0].ddpm_sweep)
        if (row["kind"], row["domain"], row["guidance_scale"]) == ("guidance", "all", 1)
    ]
    assert [record["unguided"]["accuracy"]] == unguided


def test_the_outcomes_are_of_the_labels_and_noises_of_the_images(both: Run, tmp_path: Path) -> None:
    artifacts, p = both
    record = files.read_json(artifacts.ddpm_details)
    read = {domain: outcomes.from_record(record[domain]["outcomes"]) for domain in LABELED_DOMAINS}
    for domain, of_domain in read.items():
        assert of_domain.decoded().shape == (1, record[domain]["n"])
        assert of_domain.decoded().mean() == pytest.approx(record[domain]["accuracy"], abs=1e-6)
    assert read["mnistm"].items != read["svhn"].items
    other = changed(p, "ddpm.sampling", seed=p.ddpm.sampling.seed + 1)
    run_stage(ddpm_evaluate, other, artifacts, ddpm_details=tmp_path / "ddpm.json")
    changed_record = files.read_json(tmp_path / "ddpm.json")["svhn"]["outcomes"]
    assert changed_record["items"] != read["svhn"].items
    assert changed_record["right"] == record["svhn"]["outcomes"]["right"]


def test_the_figures_are_written(both: Run) -> None:
    figures = {path.name for path in both[0].report_figs.iterdir()}
    assert figures >= {
        *(
            f"ddpm_{kind}_{domain}.png"
            for kind in ("grid", "reverse")
            for domain in LABELED_DOMAINS
        ),
        *("ddpm_guidance.png", "ddpm_samplers.png", "ddpm_loss.png", "index.html"),
    }


def test_no_resume_file_is_left(both: Run) -> None:
    assert list(both[0].checkpoints.rglob("*.pt")) == []


def test_the_record_of_an_ablation_that_did_not_run_says_so(both: Run) -> None:
    assert files.read_json(both[0].ddpm_ablation_details) == {"ran": False}
    assert list(both[0].ddpm_ablation.iterdir()) == []


def test_an_ablation_trains_without_dropping_and_samples_without_guidance(
    both: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mini_with: Callable[..., params.Params],
) -> None:
    outputs = ("ddpm_ablation", "ddpm_ablation_details", "checkpoints", "report_figs")
    elsewhere = {name: tmp_path / name for name in outputs}
    artifacts = SimpleNamespace(**(vars(both[0]) | elsewhere))
    p = small(mini_with, ddpm__ablation__run=True)
    dropped: list[float] = []
    monkeypatch.setattr(
        "hw2.training.denoising.drop_labels",
        lambda labels, share, null, stream: (dropped.append(share), labels)[1],
    )
    guidances: list[Guidance] = []
    monkeypatch.setattr(
        ddpm_ablate, "sample_images", recorded(ddpm_ablate.sample_images, "guidance", guidances)
    )
    run_stage(ddpm_ablate, p, artifacts)
    assert set(dropped) == {0.0}
    assert [guidance.scale for guidance in guidances] == [1]
    record = files.read_json(artifacts.ddpm_ablation_details)
    assert record.keys() == ACCURACY | set(LABELED_DOMAINS) | {"ran"}
    assert record["ran"] is True
    assert record["n"] == 20 * p.ddpm.ablation.images_per_label
    assert {path.name for path in artifacts.ddpm_ablation.iterdir()} == {
        "model.safetensors",
        "history.csv",
    }
    draw_report(artifacts, p)
    assert (artifacts.report_figs / "index.html").exists()


def recorded(function: Callable[..., Any], key: str, seen: list[Any]) -> Callable[..., Any]:
    """`function`, noting its keyword argument `key`."""

    def wrapper(*arguments: Any, **named: Any) -> Any:
        seen.append(named[key])
        return function(*arguments, **named)

    return wrapper


@pytest.mark.parametrize(
    ("stage", "output", "split"),
    [(ddpm_select_guidance, "ddpm_guidance", "val"), (ddpm_sample, "ddpm_samples", "test")],
    ids=["select", "sample"],
)
def test_choosing_and_reporting_use_their_own_random_streams(
    both: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stage: ModuleType,
    output: str,
    split: str,
) -> None:
    artifacts, p = both
    splits: set[str] = set()
    stream = sample.rng.torch_rng
    monkeypatch.setattr(
        sample.rng,
        "torch_rng",
        lambda seed, *names: (splits.add(str(names[0])), stream(seed, *names))[1],
    )
    repeated = tmp_path / getattr(artifacts, output).name
    run_stage(stage, p, artifacts, **{output: repeated})
    assert repeated.read_bytes() == getattr(artifacts, output).read_bytes()
    assert splits == {split}


def test_a_given_guidance_scale_is_used_without_trying_candidates(
    both: Run, tmp_path: Path, mini_with: Callable[..., params.Params]
) -> None:
    guidance = tmp_path / "guidance.json"
    p = small(mini_with, ddpm__guidance__scale=1.5)
    run_stage(ddpm_select_guidance, p, both[0], ddpm_guidance=guidance)
    record = files.read_json(guidance)
    assert record["guidance_scale"] == 1.5
    assert record["candidates"] == []
    assert ddpm_sample.chosen_guidance(guidance) == Guidance(1.5, color=p.ddpm.guidance.color)


def test_the_stages_run_with_a_single_domain(
    both: Run, tmp_path: Path, mini_with: Callable[..., params.Params]
) -> None:
    p = small(mini_with, ddpm__domains=["mnistm"])
    inputs = ("digits_arrays", "judge_model", "judge_details")
    artifacts = artifacts_in(tmp_path, **{name: getattr(both[0], name) for name in inputs})
    run_stages(DIFFUSION, p, artifacts)
    draw_report(artifacts, p)
    record = files.read_json(artifacts.ddpm_details)
    assert "svhn" not in record
    assert record["mnistm"]["train_images"] == p.data.train_images
    variety = record["mnistm"]
    assert variety["kernel_distance"] > abs(variety["kernel_distance_real"])
    for name in ("recall", "precision"):
        assert 0 <= variety[name] <= 1
        assert 0 < variety[f"{name}_real"] <= 1
    tones = variety["tones"]["generated"]
    backgrounds = [tones[f"background_{tone}"]["share"] for tone in ("dark", "medium", "light")]
    assert sum(backgrounds) == pytest.approx(1)
    assert 0 <= tones["vivid"]["share"] < 1
    assert record["mnistm"]["n"] == record["n"] == 10 * p.ddpm.sampling.images_per_label
    assert {row["domain"] for row in files.read_table(artifacts.ddpm_sweep)} == {"all", "mnistm"}
    figures = {path.name for path in artifacts.report_figs.iterdir()}
    assert "ddpm_grid_mnistm.png" in figures
    assert "ddpm_grid_svhn.png" not in figures


def test_a_sweep_without_scale_1_is_one_error(both: Run, tmp_path: Path) -> None:
    artifacts, p = both
    rows = [row for row in files.read_table(artifacts.ddpm_sweep) if row["guidance_scale"] != 1]
    files.write_table(tmp_path / "sweep.csv", rows)
    with pytest.raises(UserError, match=r"no row without guidance; put 1 into ddpm\.sweep\.scales"):
        run_stage(
            ddpm_evaluate,
            p,
            artifacts,
            ddpm_sweep=tmp_path / "sweep.csv",
            ddpm_details=tmp_path / "ddpm.json",
        )


def test_a_wrong_course_classifier_is_refused_before_training(
    both: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts = artifacts_in(tmp_path, digits_arrays=both[0].digits_arrays)
    wrong = tmp_path / "Classifier.pth"
    wrong.write_text("<!DOCTYPE html>")
    settings = changed(both[1], "judge", course_classifier=str(wrong))
    monkeypatch.setattr(judge_train, "_train", lambda *_: pytest.fail("it trained first"))
    with pytest.raises(UserError, match=r"a web page, .*judge\.course_classifier"):
        run_stage(judge_train, settings, artifacts)
    assert not artifacts.judge_model.exists()


def test_equal_digits_give_identical_archives(both: Run, tmp_path: Path) -> None:
    artifacts = artifacts_in(tmp_path)
    run_stage(digits_fetch, both[1], artifacts)
    assert artifacts.digits_archive.read_bytes() == both[0].digits_archive.read_bytes()
