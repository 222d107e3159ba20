"""The CLIP stages with the mini profile, one on the outputs of the other, and `zero-shot`."""

import json
import shutil
import tarfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from running import CPU, ROOT, artifacts_in, assert_same_bytes, changed, run_stage, run_stages

from hw2.clip import images, model, weights, zero_shot_set
from hw2.commands import zero_shot as zero_shot_command
from hw2.config import params
from hw2.evaluation import outcomes
from hw2.evaluation.mcnemar import mcnemar
from hw2.io import files
from hw2.runtime.errors import UserError
from hw2.shapes import vocabulary
from hw2.stages import clip_evaluate, clip_fetch, clip_train

pytestmark = pytest.mark.slow

REAL = ROOT.parent / "shared" / "real_data" / "course" / "clip_zeroshot"  # val is val.tar.gz
ROUNDED = 1e-5  # metrics have six digits


@pytest.fixture(scope="module")
def settings(mini: params.Params, done_model: Path) -> params.Params:
    """Two models, three prompt sets, one of them the user's own."""
    second = params.ClipModel(
        name="copy", weights=str(done_model), architecture=None, revision=None, sha256=None
    )
    return changed(
        mini,
        "clip.zero_shot",
        models=(*mini.clip.zero_shot.models, second),
        custom_prompts={"custom": ("a {}", "a toy {}")},
        prompts=("course", "custom", "textures"),
    )


@pytest.fixture(scope="module")
def done_model(mini: params.Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    artifacts = artifacts_in(tmp_path_factory.mktemp("model"))
    run_stage(clip_train, mini, artifacts)
    assert [row["step"] for row in files.read_table(artifacts.clip_history)] == [1, 2, 3, 4, 5, 6]
    assert not list(artifacts.checkpoints.rglob("*.pt"))
    return artifacts.clip_model


@pytest.fixture(scope="module")
def done(
    settings: params.Params, done_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> SimpleNamespace:
    artifacts = artifacts_in(tmp_path_factory.mktemp("done"))
    shutil.copytree(done_model, artifacts.clip_model)
    run_stages((clip_fetch, clip_evaluate), settings, artifacts)
    return artifacts


def test_the_model_folder_is_empty_if_clip_is_left_out(mini: params.Params, tmp_path: Path) -> None:
    artifacts = artifacts_in(tmp_path)
    run_stage(clip_train, changed(mini, "clip", run=False), artifacts)
    assert not list(artifacts.clip_model.iterdir())
    assert files.read_table(artifacts.clip_history) == []


def test_without_models_the_records_are_empty(mini: params.Params, tmp_path: Path) -> None:
    artifacts = artifacts_in(tmp_path)
    settings = changed(mini, "clip.zero_shot", models=())
    run_stages((clip_fetch, clip_evaluate), settings, artifacts)
    assert files.read_json(artifacts.clip_details) == {}
    assert files.read_table(artifacts.clip_predictions) == []
    assert files.read_table(artifacts.clip_classes) == []
    assert files.load_arrays(artifacts.clip_examples) == {}


def test_predictions_have_a_row_for_each_model_and_image(
    done: SimpleNamespace, settings: params.Params
) -> None:
    rows = files.read_table(done.clip_predictions)
    assert len(rows) == 2 * 96
    names = [" ".join(pair) for pair in vocabulary.CLASSES]
    for row in rows:
        assert row["true"] == names[int(str(row["image"]).split("_")[0])]
        assert row["correct"] == (row["class1"] == row["true"])
        shares = [row[f"confidence{k}"] for k in range(1, 6)]
        assert shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) <= 1 + 1e-9
        assert row["prompts"] == settings.clip.zero_shot.report_prompts
        for kind, name in (("true", row["true"]), ("predicted", row["class1"])):
            assert f"{row[f'{kind}_color']} {row[f'{kind}_shape']}" == name
    assert [row["class1"] for row in rows[:96]] == [row["class1"] for row in rows[96:]]


def test_metrics_agree_with_the_predictions(done: SimpleNamespace, settings: params.Params) -> None:
    record = files.read_json(done.clip_details)
    assert set(record) == {"small CLIP", "copy"}
    rows = [r for r in files.read_table(done.clip_predictions) if r["model"] == "small CLIP"]
    correct = np.array([row["correct"] for row in rows])
    shown = record["small CLIP"][settings.clip.zero_shot.report_prompts]
    assert shown["acc1"] == pytest.approx(correct.mean(), abs=ROUNDED)
    assert np.array_equal(outcomes.from_record(shown["outcomes"]).decoded(), correct[None])
    assert shown["acc1_low"] <= shown["acc1"] <= shown["acc1_high"]
    assert shown["acc1"] <= shown["acc5"]
    assert shown["recall"] == pytest.approx(correct.reshape(48, 2).mean(), abs=ROUNDED)
    assert (shown["n"], shown["prompts"], shown["position"]) == (96, 3, 2)
    groups = shown["groups"]
    assert sum(groups[name]["n"] for name in vocabulary.TEXTURES if name in groups) == 96
    assert groups[zero_shot_set.SEEN]["n"] + groups[zero_shot_set.UNSEEN]["n"] == 96
    unseen = np.array([tuple(row["true"].split()) in vocabulary.HELD_OUT for row in rows])
    assert groups[zero_shot_set.UNSEEN]["acc1"] == pytest.approx(
        correct[unseen].mean(), abs=ROUNDED
    )
    first = record["small CLIP"]["course"]
    assert (first["gain"], first["p"], first["position"]) == (0, 1, 0)
    assert shown["gain"] == pytest.approx(shown["acc1"] - first["acc1"], abs=ROUNDED)
    for row in record["copy"].values():
        assert (row["model_gain"], row["model_p"]) == (0, 1)


def test_mcnemar_compares_the_same_images(
    done: SimpleNamespace, settings: params.Params, tmp_path: Path
) -> None:
    with_course_prompts = changed(settings, "clip.zero_shot", report_prompts="course")
    artifacts = artifacts_in(tmp_path, clip_test_set=done.clip_test_set, clip_model=done.clip_model)
    run_stage(clip_evaluate, with_course_prompts, artifacts)
    by_set = [
        np.array([row["correct"] for row in files.read_table(p) if row["model"] == "copy"])
        for p in (done.clip_predictions, artifacts.clip_predictions)
    ]
    record = files.read_json(done.clip_details)["copy"][settings.clip.zero_shot.report_prompts]
    assert record["p"] == pytest.approx(mcnemar(*by_set), abs=ROUNDED)


def test_class_results_agree_with_the_predictions(done: SimpleNamespace) -> None:
    predictions = files.read_table(done.clip_predictions)
    rows = files.read_table(done.clip_classes)
    assert len(rows) == 2 * 48
    for row in rows:
        in_class = [
            p for p in predictions if (p["model"], p["true"]) == (row["model"], row["class"])
        ]
        assert (row["n"], row["accuracy"]) == (2, np.mean([p["correct"] for p in in_class]))
        wrong = [p["class1"] for p in in_class if not p["correct"]]
        assert row["confusions"] == max((wrong.count(name) for name in wrong), default=0)
        assert (row["confused_with"] in wrong) if wrong else (row["confused_with"] is None)


def test_examples_are_correct_and_wrong_predictions(done: SimpleNamespace) -> None:
    examples = files.load_arrays(done.clip_examples)
    rows = {
        r["image"]: r for r in files.read_table(done.clip_predictions) if r["model"] == "small CLIP"
    }
    correct = [rows[str(file)]["correct"] for file in examples["files"]]
    expected = min(5, sum(row["correct"] for row in rows.values()))
    assert correct == [True] * expected + [False] * 5
    wrong = [rows[str(file)]["true"] for file in examples["files"][expected:]]
    assert len(set(wrong)) == 5
    with images.opened(done.clip_test_set) as test_set:
        row = test_set.files.index(str(examples["files"][0]))
        assert np.array_equal(examples["images"][0], test_set.read([row])[0])


def test_a_second_run_computes_no_features(
    done: SimpleNamespace,
    settings: params.Params,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inputs = ("clip_test_set", "clip_model", "clip_feature_cache")
    artifacts = artifacts_in(tmp_path, **{name: getattr(done, name) for name in inputs})
    monkeypatch.setattr(clip_evaluate, "model", SimpleNamespace(load=unused_towers))
    run_stage(clip_evaluate, settings, artifacts)
    outputs = ("clip_predictions", "clip_classes", "clip_examples", "clip_details")
    assert_same_bytes(artifacts, done, *outputs)


def unused_towers(located: weights.Located, device: torch.device) -> model.Clip:
    clip = model.load(located, device)
    clip.network.visual = clip.network.transformer = None
    return clip


def test_the_user_s_images_may_have_any_size(
    mini: params.Params, done_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "images"
    (folder / "val").mkdir(parents=True)
    (folder / "id2label.json").write_text(json.dumps({"3": "red_heart", "7": "blue_square"}))
    for k, (name, size) in enumerate({"3_a": (60, 20), "7_b": (32, 32), "7_c": (300, 400)}.items()):
        Image.new("RGB", size, (80 * k, 0, 255 - 80 * k)).save(folder / f"val/{name}.png")
    artifacts = artifacts_in(tmp_path, clip_model=done_model)
    settings = changed(mini, "clip.zero_shot", images=str(folder))
    run_stages((clip_fetch, clip_evaluate), settings, artifacts)
    rows = files.read_table(artifacts.clip_predictions)
    assert [(row["image"], row["true"]) for row in rows] == [
        ("3_a.png", "red heart"), ("7_b.png", "blue square"), ("7_c.png", "blue square")
    ]  # fmt: skip
    assert all(row["class3"] is None and row["confidence3"] is None for row in rows)
    assert tuple(rows[0]) == clip_evaluate.PREDICTIONS  # the classes have no attributes
    examples = files.load_arrays(artifacts.clip_examples)
    assert examples["images"].shape == (3, 224, 224, 3)
    assert files.read_json(artifacts.clip_details)["small CLIP"]["course"]["groups"] == {}


def test_missing_weights_and_corrupt_images_stop_the_first_stage(
    mini: params.Params, tmp_path: Path
) -> None:
    artifacts = artifacts_in(tmp_path)
    absent = params.ClipModel(
        name="big", weights="absent", architecture=None, revision=None, sha256=None
    )
    with pytest.raises(UserError, match="big: no weights at absent"):
        run_stage(clip_fetch, changed(mini, "clip.zero_shot", models=(absent,)), artifacts)
    run_stage(clip_fetch, mini, artifacts)
    folder = tmp_path / "unpacked"
    with images.opened(artifacts.clip_test_set) as test_set:
        (folder / "val").mkdir(parents=True)
        (folder / "id2label.json").write_text(
            json.dumps({str(k): name for k, name in enumerate(test_set.classes)})
        )
        for row, file in enumerate(test_set.files):
            (folder / "val" / file).write_bytes(test_set.content(row))
    (folder / "val/5_001.png").write_bytes((folder / "val/5_001.png").read_bytes()[:-20])
    artifacts.clip_test_set.unlink()
    with pytest.raises(UserError, match=r"5_001\.png .* not readable"):
        run_stage(clip_fetch, changed(mini, "clip.zero_shot", images=str(folder)), artifacts)
    assert not artifacts.clip_test_set.exists()


def test_the_zero_shot_command_classifies_a_test_set(
    done: SimpleNamespace, settings: params.Params, tmp_path: Path
) -> None:
    zero_shot = settings.clip.zero_shot
    located = weights.locate(zero_shot.models[0], done.clip_model)
    out = tmp_path / "out.csv"
    accuracy = zero_shot_command.run(
        zero_shot,
        located,
        ("a {}",),
        folder=done.clip_test_set,
        cache=tmp_path / "c",
        out=out,
        device=CPU,
    )
    rows = files.read_table(out)
    assert list(rows[0]) == ["image_name", "true", "predicted", "confidence"]
    assert (len(rows), accuracy.n) == (96, 96)
    assert accuracy.value == np.mean([row["true"] == row["predicted"] for row in rows])


@pytest.mark.skipif(not REAL.exists(), reason="needs the course's images in ../shared/real_data")
def test_the_course_s_images_are_classified(
    mini: params.Params, done_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "course"
    folder.mkdir()
    shutil.copy(REAL / "id2label.json", folder)
    with tarfile.open(REAL / "val.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    artifacts = artifacts_in(tmp_path, clip_model=done_model)
    settings = changed(mini, "clip.zero_shot", images=str(folder))
    run_stages((clip_fetch, clip_evaluate), settings, artifacts)
    assert len(files.read_table(artifacts.clip_predictions)) == 2500
    row = files.read_json(artifacts.clip_details)["small CLIP"]["course"]
    assert row["n"] == 2500
    assert row["acc1"] < 0.08  # it has never seen anything but shapes
