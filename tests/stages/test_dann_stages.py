"""The adaptation stages with the mini profile, one on the outputs of the other, and `predict`."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lost_process import assert_same_curve, train_again_after_a_loss
from PIL import Image
from running import CPU, artifacts_in, assert_same_bytes, changed, run_stage, run_stages

from hw2.commands import predict as predict_command
from hw2.config import params
from hw2.config.schema.dann_methods import TITLES
from hw2.dann import classifier, trainings
from hw2.dann import train as dann_training
from hw2.digits import arrays, synthetic
from hw2.digits.arrays import Digits
from hw2.digits.labels import SPLITS
from hw2.evaluation import outcomes
from hw2.io import files
from hw2.runtime.errors import UserError
from hw2.stages import dann_evaluate, dann_train, dann_tsne

STAGES = (dann_train, dann_evaluate, dann_tsne)
ROUNDED = 1e-5  # metrics have six digits
METHODS = tuple(TITLES)
WITH_DOMAIN_LOSS = ("dann_paper", "dann_capped", "dann", "cdan")
WITH_PSEUDO_LABELS = ("self_training", "adamatch")
N = 24

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def settings(mini_with: Callable[..., params.Params]) -> params.Params:
    """The mini profile with two seeds."""
    return mini_with({"dann.seeds": [41, 42], "dann.train.steps": 2})


@pytest.fixture(scope="module")
def dann(settings: params.Params) -> params.Dann:
    return settings.dann


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    for domain in ("mnistm", "svhn", "usps"):
        for split in SPLITS:
            arrays.save(folder, domain, split, Digits(*synthetic.draw(domain, split, N, 7)))
    return folder


@pytest.fixture(scope="module")
def done(
    settings: params.Params, digits: Path, tmp_path_factory: pytest.TempPathFactory
) -> SimpleNamespace:
    """All three stages."""
    artifacts = artifacts_in(tmp_path_factory.mktemp("done"), digits_arrays=digits)
    run_stages(STAGES, settings, artifacts)
    return artifacts


def test_every_training_has_a_model_and_a_history(done: SimpleNamespace, dann: params.Dann) -> None:
    models = done.dann_models
    names = {str(path.relative_to(models)) for path in models.rglob("*.safetensors")}
    assert names == {f"{training.slug}.safetensors" for training in trainings.every(dann)}
    rows = files.read_table(done.dann_history)
    assert len(rows) == len(names) * dann.train.steps
    for row in rows:
        assert (row["domain"] is not None) == (row["method"] in WITH_DOMAIN_LOSS)
        assert (row["pseudo_label"] is not None) == (row["method"] in WITH_PSEUDO_LABELS)
        assert row["label"] is not None
    assert not list(done.checkpoints.rglob("*.pt"))


def test_without_pairs_the_stages_write_empty_records(
    settings: params.Params, tmp_path: Path
) -> None:
    artifacts = artifacts_in(tmp_path)
    run_stages(STAGES, changed(settings, "dann", pairs=()), artifacts)
    assert files.read_json(artifacts.dann_details) == {}
    assert files.read_table(artifacts.dann_history) == []
    assert files.read_table(artifacts.dann_tsne) == []
    assert not list(artifacts.dann_models.iterdir())


def test_the_record_has_every_pair_and_method(
    done: SimpleNamespace, dann: params.Dann, digits: Path
) -> None:
    record = files.read_json(done.dann_details)
    assert list(record) == sorted(dann.pairs)
    for name, rows in record.items():
        assert set(rows) == set(METHODS)
        for method, row in rows.items():
            accuracies = [row["seeds"][str(seed)]["accuracy"] for seed in dann.seeds]
            assert row["accuracy"] == pytest.approx(np.mean(accuracies), abs=ROUNDED)
            right = outcomes.from_record(row["outcomes"]).decoded()
            assert right.mean(1) == pytest.approx(accuracies, abs=ROUNDED)
            assert row["spread"] == pytest.approx(np.std(accuracies, ddof=1), abs=ROUNDED)
            assert row["accuracy_low"] <= row["accuracy"] <= row["accuracy_high"]
            assert (row["n"], row["trainings"]) == (N, 2)
            assert ("gain" in row) == (method != "source_only")
            source, target = name.split("->")
            single = {"source_only": source, "target_only": target}
            assert row["trained_on"] == single.get(method, name)
            if "gain" in row:
                gain = row["accuracy"] - rows["source_only"]["accuracy"]
                assert row["gain"] == pytest.approx(gain, abs=ROUNDED)
                assert row["gain_low"] <= row["gain"] <= row["gain_high"]
        assert len({row["outcomes"]["items"] for row in rows.values()}) == 1
        path = done.dann_models / f"{name.replace('->', '-')}/self_training-41.safetensors"
        target = name.split("->")[1]
        report = arrays.load(digits, target, "test")
        share = np.mean(classifier.load(path, CPU).predict(report.rgb, target) == report.digits)
        assert rows["self_training"]["seeds"]["41"]["accuracy"] == pytest.approx(share, abs=ROUNDED)


def test_a_single_seed_has_no_spread(
    done: SimpleNamespace, settings: params.Params, tmp_path: Path
) -> None:
    metrics = tmp_path / "dann.json"
    run_stage(dann_evaluate, changed(settings, "dann", seeds=(42,)), done, dann_details=metrics)
    row = files.read_json(metrics)["mnistm->usps"]["self_training"]
    assert row["trainings"] == 1
    assert "spread" not in row


def test_tsne_has_the_same_images_before_and_after_adaptation(
    done: SimpleNamespace, settings: params.Params, tmp_path: Path
) -> None:
    dann, rows = settings.dann, files.read_table(done.dann_tsne)
    assert len(rows) == 2 * 2 * 2 * dann.tsne.images
    for pair in dann.pairs:
        states = [
            [(row["domain"], row["digit"]) for row in rows if (row["pair"], row["method"]) == key]
            for key in ((pair, "source_only"), (pair, dann.tsne.after))
        ]
        assert states[0] == states[1]
    again = tmp_path / "tsne.csv"
    run_stage(dann_tsne, settings, done, dann_tsne=again)
    assert again.read_bytes() == done.dann_tsne.read_bytes()


def test_row_62_tsne_of_few_images_lowers_its_perplexity(dann: params.Dann) -> None:
    features = np.random.default_rng(1).normal(size=(5, 8)).astype(np.float32)
    assert dann_tsne._embed(features, 30.0, dann.seeds[0]).shape == (5, 2)


def test_a_killed_stage_resumes_after_the_finished_trainings(
    done: SimpleNamespace,
    settings: params.Params,
    digits: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    artifacts = artifacts_in(tmp_path, digits_arrays=digits)
    whole, started = dann_training.train_method, []

    def stopped(*arguments: object) -> object:
        started.append(arguments[1])
        if len(started) == 4:
            raise RuntimeError("killed")
        return whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(dann_training, "train_method", stopped)
    with pytest.raises(RuntimeError, match="killed"):
        run_stage(dann_train, settings, artifacts)
    assert not artifacts.dann_models.exists()
    run_stage(dann_train, settings, artifacts)
    # The fourth twice, all others once, whatever ran beside it.
    assert len(started) == len(trainings.every(settings.dann)) + 1
    assert_same_bytes(artifacts, done, "dann_history", "dann_models")


def test_two_processes_one_of_them_lost_give_the_curve_of_one(
    mini: params.Params, digits: Path, tmp_path: Path
) -> None:
    p = changed(mini, "dann", methods=("source_only", "dann"), pairs=mini.dann.pairs[:1])
    of_one, of_two = (artifacts_in(tmp_path / n, digits_arrays=digits) for n in ("one", "two"))
    run_stage(dann_train, p, of_one)
    in_second_training = p.dann.train.steps + 5
    steps = train_again_after_a_loss(dann_train, p, of_two, lost_at=in_second_training)
    assert steps == p.dann.train.steps - p.dann.train.save_every
    assert_same_curve(of_two.dann_history, of_one.dann_history)


def test_found_21_any_number_of_trainings_at_once_gives_the_same_bytes(
    done: SimpleNamespace, settings: params.Params, digits: Path, tmp_path: Path
) -> None:
    artifacts = artifacts_in(tmp_path, digits_arrays=digits)
    before = torch.get_num_threads()
    torch.set_num_threads(3 if before == 1 else 1)
    try:
        run_stage(dann_train, settings, artifacts)
    finally:
        torch.set_num_threads(before)
    assert_same_bytes(artifacts, done, "dann_history", "dann_models")


# --- predict ---------------------------------------------------------------------------------


@pytest.fixture
def folder(digits: Path, tmp_path: Path) -> Path:
    """Images of the test split of USPS: gray, RGB, RGBA, 16 bits, with a palette, enlarged."""
    out = tmp_path / "images"
    out.mkdir()
    for k, image in enumerate(arrays.load(digits, "usps", "test").images[:6]):
        gray = Image.fromarray(np.array(image)[..., 0])
        deep = Image.fromarray(np.array(image)[..., 0].astype(np.uint16) * 257)
        kinds = [gray, gray.convert("RGB"), gray.convert("RGBA"), deep, gray.convert("P")]
        kinds.append(gray.resize((28, 28)).resize((56, 56), Image.Resampling.NEAREST))
        kinds[k].save(out / f"{9 - k:05d}.png")
    (out / ".DS_Store").write_text("hidden")
    return out


def predict(
    done: SimpleNamespace, dann: params.Dann, folder: Path, out: Path, **values: str
) -> int:
    chosen = {"target": "usps", "method": "self_training"} | values
    return predict_command.run(
        dann, models=done.dann_models, folder=folder, out=out, device=CPU, **chosen
    )


def test_predict_writes_the_course_s_csv(
    done: SimpleNamespace, dann: params.Dann, digits: Path, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    assert predict(done, dann, folder, out) == 6
    lines = out.read_text().splitlines()
    assert lines[0] == "image_name,label"
    names, labels = zip(*(line.split(",") for line in lines[1:]), strict=True)
    assert list(names) == sorted(path.name for path in folder.glob("*.png"))
    path = done.dann_models / "mnistm-usps/self_training-41.safetensors"
    report = arrays.load(digits, "usps", "test").rgb[:6][::-1]
    expected = classifier.load(path, CPU).predict(np.ascontiguousarray(report), "usps")
    assert [int(label) for label in labels] == expected.tolist()


def test_predict_reads_one_image_of_either_target(
    done: SimpleNamespace, dann: params.Dann, digits: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    Image.fromarray(arrays.load(digits, "svhn", "test").images[0]).save(folder / "a.png")
    for target in ("svhn", "usps"):
        assert predict(done, dann, folder, tmp_path / f"{target}.csv", target=target) == 1


def test_predict_lists_unreadable_files_in_one_line(
    done: SimpleNamespace, dann: params.Dann, folder: Path, tmp_path: Path
) -> None:
    for k in range(5):
        (folder / f"note{k}.txt").write_text("no image")
    (folder / "00004.png").write_bytes((folder / "00005.png").read_bytes()[:60])
    with pytest.raises(UserError) as caught:
        predict(done, dann, folder, tmp_path / "out.csv")
    message = str(caught.value)
    assert "00004.png, note0.txt, note1.txt and 3 more: not readable images" in message
    assert "\n" not in message
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"target": "mnistm"},
            "--target mnistm: no pair with this target was trained; choose from svhn",
        ),
        ({"method": "magic"}, "--method magic: not trained; choose from source_only"),
    ],
)
def test_predict_refuses_targets_and_methods_that_were_not_trained(
    done: SimpleNamespace,
    dann: params.Dann,
    folder: Path,
    tmp_path: Path,
    values: dict[str, str],
    message: str,
) -> None:
    with pytest.raises(UserError, match=message):
        predict(done, dann, folder, tmp_path / "out.csv", **values)


def test_predict_refuses_a_path_without_images(
    done: SimpleNamespace, dann: params.Dann, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="not a folder"):
        predict(done, dann, tmp_path / "absent", tmp_path / "out.csv")
    with pytest.raises(UserError, match="no images"):
        predict(done, dann, tmp_path, tmp_path / "out.csv")
