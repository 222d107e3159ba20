"""The face stages with the mini profile, one on the outputs of the other; `faces` and `mse`."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from reading import read
from running import CPU, artifacts_in, changed, run_stage, run_stages

from hw2.commands import faces as faces_command
from hw2.commands import outputs
from hw2.config import params
from hw2.diffusion.interpolation import lerp, slerp
from hw2.evaluation import image_metrics
from hw2.faces import ground_truth, noises
from hw2.figures import faces_records, report
from hw2.io import files
from hw2.runtime.errors import UserError
from hw2.stages import faces_evaluate, faces_sample, faces_train

pytestmark = pytest.mark.slow

SPACINGS = ("course", "leading", "trailing")


@pytest.fixture(scope="module")
def done(mini: params.Params, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A whole run."""
    artifacts = artifacts_in(tmp_path_factory.mktemp("faces"))
    run_stages((faces_train, faces_sample, faces_evaluate), mini, artifacts)
    return artifacts


def test_training_writes_a_history_and_leaves_no_resume_file(
    done: SimpleNamespace, mini: params.Params
) -> None:
    rows = files.read_table(done.faces_history)
    assert [row["step"] for row in rows] == list(range(1, mini.faces.train.steps + 1))
    assert list(done.checkpoints.rglob("*.pt")) == []


def test_noises_and_images_have_the_format_of_the_course(
    done: SimpleNamespace, mini: params.Params
) -> None:
    written = noises.read(done.faces_noise, mini.faces.image_size)
    expected = noises.draw(mini.faces.ddim.seed, mini.faces.image_size)
    assert {k: v.tolist() for k, v in written.items()} == {
        k: v.tolist() for k, v in expected.items()
    }
    names = sorted(path.name for path in done.faces_images.iterdir())
    assert names == [f"{k:02d}.png" for k in range(10)]
    with Image.open(done.faces_images / "07.png") as image:
        pixels = np.asarray(image)
        assert (image.mode, image.size) == ("RGB", (16, 16))
    assert (pixels.min(), pixels.max()) == (0, 255)


def test_samples_hold_every_setting(done: SimpleNamespace, mini: params.Params) -> None:
    arrays, ddim = files.load_arrays(done.faces_samples), mini.faces.ddim
    pixels = (16, 16, 3)
    assert arrays["eta"].shape == (len(ddim.etas), 4, ddim.repeats, *pixels)
    assert (
        arrays["slerp"].shape
        == arrays["lerp"].shape
        == (ddim.interpolation_pairs, ddim.interpolation_points, *pixels)
    )
    assert arrays["steps"].shape == (len(SPACINGS), 4, len(ddim.step_counts), *pixels)
    assert arrays["spacings"].shape == (len(SPACINGS), 10, *pixels)
    still = arrays["eta"][0]
    assert (still == still[:, :1]).all()  # eta 0: the repetitions are one face
    assert (arrays["eta"][-1, :, 0] != arrays["eta"][-1, :, 1]).any()
    # An interpolation's ends are the faces of the noises themselves.
    for way in ("slerp", "lerp"):
        assert np.array_equal(arrays[way][0, [0, -1]], still[:2, 0])
    at = ddim.step_counts.index(ddim.steps)
    steps = arrays["steps"][SPACINGS.index(ddim.timestep_spacing), :, at]
    assert np.array_equal(steps, still[:, 0])


def test_a_face_that_several_comparisons_show_is_sampled_once(
    done: SimpleNamespace, mini: params.Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled: list[tuple[Any, ...]] = []
    real = faces_sample.sample

    def counted(model: Any, start: Any, names: Any, how: Any, **options: Any) -> Any:
        for noise, name in zip(start, names, strict=True):
            sampled.append((noise.numpy().tobytes(), name if how.eta else "", how))
        return real(model, start, names, how, **options)

    monkeypatch.setattr(faces_sample, "sample", counted)
    artifacts = artifacts_in(tmp_path, faces_model=done.faces_model)
    run_stage(faces_sample, mini, artifacts)
    assert 10 < len(sampled) == len(set(sampled))


def test_metrics_agree_with_the_samples(done: SimpleNamespace, mini: params.Params) -> None:
    record, arrays = files.read_json(done.faces_details), files.load_arrays(done.faces_samples)
    first, second = list(noises.read(done.faces_noise).values())[:2]
    rows = files.read_table(done.faces_interpolation)
    for way, between in (("slerp", slerp), ("lerp", lerp)):
        mixed = between(first, second, 0.5)
        (row,) = [r for r in rows if (r["interpolation"], r["pair"], r["alpha"]) == (way, 0, 0.5)]
        ends = (first.norm() + second.norm()) / 2
        assert row["norm_ratio"] == pytest.approx((mixed.norm() / ends).item(), rel=1e-5)
        assert row["variance"] == pytest.approx(mixed.var(correction=0).item(), rel=1e-5)
        middle = mini.faces.ddim.interpolation_points // 2
        face = arrays[way][0, middle] / 255
        assert row["contrast"] == pytest.approx(face.std((0, 1)).mean())
        assert row["colorfulness"] == pytest.approx(face.std(2).mean())
    assert record["interpolation"]["slerp"]["norm_ratio"] == pytest.approx(1, abs=0.05)
    assert record["interpolation"]["lerp"]["norm_ratio"] == pytest.approx(0.71, abs=0.05)
    assert record["eta"]["0"]["distance"] == record["eta"]["0"]["diversity"] == 0
    gaps = (arrays["eta"][-1] / 255 - arrays["eta"][0, :, :1] / 255) ** 2
    expected = np.sqrt(gaps.mean((2, 3, 4))).mean()
    assert record["eta"]["1"]["distance"] == pytest.approx(expected, abs=1e-6)  # rounded
    assert record["eta"]["1"]["diversity"] > record["eta"]["0.25"]["diversity"] > 0
    assert record["steps"]["course"][str(max(mini.faces.ddim.step_counts))] == 0
    assert record["spacing_mse"].keys() == {"leading", "trailing"}
    assert "mse" not in record


def test_the_figures_are_drawn_from_the_face_records(done: SimpleNamespace) -> None:
    records = read(faces_records, vars(done))
    assert {figure.name for figure in report.build("faces", records, 40).figures} == {
        f"faces_{name}.png" for name in ("eta", "slerp", "lerp", "steps", "interpolation", "loss")
    }


def test_noises_and_ground_truth_of_the_user_are_used(
    done: SimpleNamespace, mini: params.Params, tmp_path: Path
) -> None:
    artifacts = artifacts_in(tmp_path, faces_model=done.faces_model)
    user_files = {"noises": str(done.faces_noise), "ground_truth": str(done.faces_images)}
    settings = changed(mini, "faces.ddim", seed=99, **user_files)
    run_stages((faces_sample, faces_evaluate), settings, artifacts)
    assert files.read_json(artifacts.faces_details)["mse"] == {
        **{f"{k:02d}": 0.0 for k in range(10)},
        "mean": 0.0,
    }


def test_too_few_noises_are_refused(
    done: SimpleNamespace, mini: params.Params, tmp_path: Path
) -> None:
    artifacts = artifacts_in(tmp_path, faces_model=done.faces_model)
    (tmp_path / "three").mkdir()
    for k in range(3):
        shutil.copy(done.faces_noise / f"{k:02d}.pt", tmp_path / "three")
    settings = changed(mini, "faces.ddim", noises=str(tmp_path / "three"))
    with pytest.raises(UserError, match=r"3 noises in .*; provide at least 4"):
        run_stage(faces_sample, settings, artifacts)
    assert not artifacts.faces_samples.exists()


def test_an_absent_model_is_refused(mini: params.Params, tmp_path: Path) -> None:
    artifacts = artifacts_in(tmp_path)
    settings = changed(mini, "faces", source="course", weights=str(tmp_path / "no.pt"))
    with pytest.raises(UserError, match=r"no\.pt: cannot be read") as caught:
        run_stage(faces_train, settings, artifacts)
    assert "\n" not in str(caught.value)
    assert not artifacts.faces_history.exists()


def export(done: SimpleNamespace, ddim: params.Ddim, out: Path, **changes: Any) -> int:
    inputs = {"noise": done.faces_noise, "model": str(done.faces_model)} | changes
    return faces_command.run(ddim, out=out, device=CPU, **inputs)


def test_the_command_samples_the_same_faces_as_the_stage(
    done: SimpleNamespace, mini: params.Params, tmp_path: Path
) -> None:
    assert export(done, mini.faces.ddim, tmp_path / "out") == 10
    scores = ground_truth.run(tmp_path / "out", done.faces_images)
    assert scores["mean"] == 0
    assert len(scores) == 11
    with pytest.raises(UserError, match="already holds files"):
        outputs.need_new_folder(tmp_path / "out", tmp_path)


def test_a_single_noise_gives_the_same_face(
    done: SimpleNamespace, mini: params.Params, tmp_path: Path
) -> None:
    (tmp_path / "one").mkdir()
    shutil.copy(done.faces_noise / "04.pt", tmp_path / "one")
    export(done, mini.faces.ddim, tmp_path / "out", noise=tmp_path / "one")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["04.png"]
    with (
        Image.open(tmp_path / "out/04.png") as alone,
        Image.open(done.faces_images / "04.png") as among,
    ):
        assert np.abs(np.asarray(alone).astype(int) - np.asarray(among)).max() <= 1


def test_a_noise_of_another_size_is_refused_without_output(
    done: SimpleNamespace, mini: params.Params, tmp_path: Path
) -> None:
    (tmp_path / "large").mkdir()
    noises.write(tmp_path / "large", noises.draw(1, 32))
    with pytest.raises(UserError, match=r"00\.pt: of shape \(1, 3, 32, 32\), not \(1, 3, 16, 16\)"):
        export(done, mini.faces.ddim, tmp_path / "out", noise=tmp_path / "large")
    with pytest.raises(UserError, match="more than half of the 20 noise levels"):
        export(done, mini.faces.ddim.model_copy(update={"steps": 11}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def write_images(folder: Path, *images: np.ndarray) -> Path:
    folder.mkdir()
    for k, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{k:02d}.png")
    return folder


def test_mse_is_of_floats_and_does_not_wrap_around(tmp_path: Path) -> None:
    black, gray = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 250, np.uint8)
    out = write_images(tmp_path / "out", black, gray)
    truth = write_images(tmp_path / "GT", gray, gray - 4)
    scores = ground_truth.run(out, truth)
    assert scores == {"00": 62500.0, "01": 16.0, "mean": 31258.0}
    assert "NOT below the course's 20" in ground_truth.table(scores)
    assert "0000, below the course's 20" in ground_truth.table({"00": 16.0, "mean": 16.0})


def test_images_that_do_not_match_the_ground_truth_are_refused(tmp_path: Path) -> None:
    small, large = (np.zeros((side, side, 3), np.uint8) for side in (8, 16))
    truth = write_images(tmp_path / "GT", small, small)
    with pytest.raises(UserError, match=r"1 of 2 images missing, 01\.png first"):
        ground_truth.run(write_images(tmp_path / "few", small), truth)
    with pytest.raises(UserError, match=r"00\.png: sizes differ, 16x16 and 8x8"):
        ground_truth.run(write_images(tmp_path / "large", large, large), truth)
    (truth / "01.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"GT/01\.png: not a readable image"):
        ground_truth.run(write_images(tmp_path / "out", small, small), truth)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no images"):
        ground_truth.run(truth, tmp_path / "empty")


def test_unevenness_of_an_even_walk_and_of_a_leap() -> None:
    levels = np.array([[0, 10, 20, 30, 40], [0, 0, 0, 0, 40], [7, 7, 7, 7, 7]], np.uint8)
    rows = np.broadcast_to(levels[..., None, None, None], (3, 5, 4, 4, 3))
    np.testing.assert_allclose(image_metrics.unevenness(rows), [1, 4, 1])
    np.testing.assert_allclose(image_metrics.distance(rows[0, 0], rows[0, 4]), 40 / 255)


def test_contrast_is_measured_within_each_channel() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[..., 0] = 200  # one color everywhere has no contrast
    assert image_metrics.contrast(image) == 0
    image[:2] = 0
    assert image_metrics.contrast(image) == pytest.approx(100 / 255 / 3)
