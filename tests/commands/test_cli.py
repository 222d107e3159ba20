"""The commands of `hw2`: what they print, write and return."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hw2 import cli
from hw2.config import params, paths, profiles
from hw2.dann import classifier, train
from hw2.dann.classifier import Classifier
from hw2.dann.pairs import Pair
from hw2.ddpm import denoiser
from hw2.faces import model as models
from hw2.faces import noises
from hw2.faces import train as faces_fit
from hw2.io import files

REPO = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that commands read, in the mini profile, as the working folder."""
    for name in ("dvc.yaml", "params.yaml", "paths.yaml", "profiles.yaml"):
        shutil.copy(REPO / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    profiles.apply("mini")
    return tmp_path


def save_untrained_model() -> None:
    """A checkpoint and a guidance record, as the stages write them."""
    ddpm, where = params.load().ddpm, paths.load()
    network = denoiser.build(ddpm.network, ddpm.diffusion.timesteps)
    denoiser.save(where.ddpm_model, network.state_dict(), ddpm)
    record = {"guidance_scale": 2.0, "interval": [0.0, 1.0], "color": 1.0}
    record |= {"candidates": [], "split": "val"}
    files.write_json(where.ddpm_guidance, record)


def test_profile_lists_with_a_star_and_switches(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["profile"]) == 0
    assert "* mini" in capsys.readouterr().out
    assert cli.main(["profile", "demo"]) == 0
    assert params.load().profile == "demo"
    assert (clone / "params.yaml").read_text() == (REPO / "params.yaml").read_text()


def test_the_error_for_an_unknown_profile_suggests_the_nearest_name(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["profile", "dmo"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "'demo'" in error
    assert params.load().profile == "mini"


def test_outside_a_clone_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["profile"]) == 2
    assert "not inside a clone" in capsys.readouterr().err


def test_digits_have_the_names_and_size_that_the_grader_expects(clone: Path) -> None:
    save_untrained_model()
    inside = clone / "results"  # a folder below the clone's root: the command finds its way up
    assert cli.main(["digits", str(inside / "out"), "--count", "2"]) == 0
    names = sorted(str(p.relative_to(inside / "out")) for p in (inside / "out").rglob("*.png"))
    assert names == sorted(
        f"{domain}/{digit}_{k:03d}.png"
        for domain in ("mnistm", "svhn")
        for digit in range(10)
        for k in (1, 2)
    )
    with Image.open(inside / "out/svhn/7_002.png") as image:
        assert (image.mode, image.size) == ("RGB", (28, 28))
        assert np.asarray(image).std() > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits", "taken"], "taken: already holds files"),
        (["digits", "new", "--count", "0"], "--count 0: sample at least one"),
        (["digits", "new"], "model.safetensors: not a checkpoint of ddpm_train"),
    ],
)
def test_bad_arguments_of_digits_are_one_line_errors(
    clone: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    (clone / "taken").mkdir()
    (clone / "taken/notes.txt").write_text("mine")
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert (clone / "taken/notes.txt").read_text() == "mine"
    assert not (clone / "new").exists()


def test_profile_takes_further_values(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assignments = ["data.course=/a b/hw2_data", "ddpm.domains=[svhn]", "data.test_labels=true"]
    assert cli.main(["profile", "course", *assignments]) == 0
    changed = params.load()
    assert (changed.profile, changed.data.source) == ("course", "course")
    assert (changed.data.course, changed.ddpm.domains) == ("/a b/hw2_data", ("svhn",))
    assert changed.data.test_labels
    before = Path("params.yaml").read_text()
    capsys.readouterr()
    assert cli.main(["profile", "mini", "data.sorce=course"]) == 2
    assert "no key 'data.sorce'; did you mean 'source'" in capsys.readouterr().err
    assert Path("params.yaml").read_text() == before
    with pytest.raises(SystemExit):
        cli.main(["profile", "mini", "data.source"])
    assert "'data.source' should be KEY=VALUE" in capsys.readouterr().err


def test_fetch_reports_what_exists(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fetch"]) == 0
    assert "nothing to fetch" in capsys.readouterr().out
    Path("hw2_data").mkdir()
    profiles.set_values("params.yaml", {"data.source": "course"})
    assert cli.main(["fetch"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "the course's data are in hw2_data\n"
    assert "course material" in captured.err


def test_predict_reads_a_folder(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dann, where = params.load().dann, paths.load()
    training = train.Training(Pair("mnistm", "usps"), "self_training", dann.seeds[0])
    network = Classifier(dann.network)
    path = where.dann_models / f"{training.slug}.safetensors"
    classifier.save(
        path, network.state_dict(), dann.network, "shared", training.pair, training.method
    )
    (clone / "images").mkdir()
    for name in ("b.png", "a.png"):
        Image.fromarray(np.zeros((28, 28), np.uint8)).save(clone / "images" / name)
    assert cli.main(["predict", "images", "out/labels.csv", "--target", "usps"]) == 0
    lines = (clone / "out/labels.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["image_name", "a.png", "b.png"]
    assert "classified 2 images" in capsys.readouterr().out
    assert cli.main(["predict", "images", "x.csv", "--target", "svhn"]) == 2
    error = capsys.readouterr().err
    assert "run `dvc repro dann_train`" in error
    assert error.count("\n") == 1


def save_face_model() -> None:
    """A model file and the noises, as the stages write them."""
    faces, where = params.load().faces, paths.load()
    blueprint, levels = faces_fit.blueprint(faces), faces_fit.levels(faces)
    models.save(where.faces_model, blueprint, blueprint.build().state_dict(), levels)
    where.faces_noise.mkdir(parents=True)
    noises.write(where.faces_noise, noises.draw(1, faces.image_size))


def test_faces_of_a_folder_of_noises_and_their_mse(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_face_model()
    out, other, noise = (str(clone / name) for name in ("out", "other", "results/faces/noise"))
    assert cli.main(["faces", noise, out]) == 0
    assert "10 images in" in capsys.readouterr().out
    model = str(clone / "results/faces/model.safetensors")
    assert cli.main(["faces", noise, other, model, "--steps", "3", "--eta", "0.5"]) == 0
    assert sorted(p.name for p in Path(other).iterdir()) == [f"{k:02d}.png" for k in range(10)]
    capsys.readouterr()
    assert cli.main(["mse", out, out]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "00     0.0000"
    assert lines[10] == "mean 0.0000, below the course's 20 (0 to 255)"
    assert cli.main(["mse", other, out]) == 0
    assert "mean 0.0000" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--eta", "2"], "eta: 2.0 is not allowed"),
        (["--steps", "11"], "--steps 11: more than half of the 20 noise levels"),
    ],
)
def test_bad_arguments_of_faces_are_one_line_errors(
    clone: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    save_face_model()
    out = clone / "out"
    assert cli.main(["faces", "results/faces/noise", str(out), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_web_page_in_place_of_a_model_is_refused(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_face_model()
    (clone / "UNet.pt").write_text("<!doctype html>")
    assert cli.main(["faces", "results/faces/noise", "out", "UNet.pt"]) == 2
    error = capsys.readouterr().err
    assert "a web page, not a model" in error
    assert error.count("\n") == 1


def test_help_lists_every_command_in_a_group(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for command in ("doctor", "profile", "params", "plan", "dag", "fetch", "check-data", "digits"):
        assert f"\n  {command} " in text
    for command in ("predict", "faces", "mse", "zero-shot"):
        assert f"\n  {command} " in text
    for command in ("sample-personalization", "grade-personalization"):
        assert f"\n  {command} " in text


def test_params_reports_a_file_that_is_out_of_date(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["params"]) == 2
    assert "run hw2 params --write" in capsys.readouterr().err
    assert cli.main(["params", "--write"]) == 0
    assert cli.main(["params"]) == 0
