"""`hw2 doctor`: a line for each check, with the fix where one is needed, and the exit code."""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
import torch
from packaging.requirements import Requirement

from hw2 import cli
from hw2.commands import doctor, doctor_installation, doctor_machine
from hw2.commands.doctor_finding import Finding
from hw2.config import params, profiles
from hw2.digits import public
from hw2.io import hub, manifest
from hw2.pipeline import declared
from hw2.runtime import run_lock

REPO = Path(__file__).parents[2]
COPIED = ("dvc.yaml", "params.yaml", "paths.yaml", "profiles.yaml", "pyproject.toml")
REINSTALL = "install the locked versions with `make clean install`"


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout, as the working folder, in which every check is ok on any machine."""
    for name in COPIED:
        shutil.copy(REPO / name, tmp_path)
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]
    names = [item.split("~")[0].split(">")[0] for item in project["dependencies"]]
    lock = [f"{name}=={metadata.version(name).partition('+')[0]}\n" for name in names]
    (tmp_path / "requirements.lock").write_text("".join(lock))
    (tmp_path / "src").symlink_to(REPO / "src")
    (tmp_path / ".dvc").mkdir()
    for model in ("clip", "faces", "shape-judges", "stable-diffusion"):
        folder = tmp_path / "data/pretrained" / model
        folder.mkdir(parents=True)
        (folder / "weights").write_text(model)
        manifest.write(folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HW2_DEVICE", "cpu")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(doctor_machine, "MINIMUM_MEMORY", 0)
    monkeypatch.setattr(doctor_machine, "MINIMUM_DISK", 0)
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "start")
    return tmp_path


class Doctor:
    """Runs `hw2 doctor`; `lines` maps the name of a check to its line."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.lines: dict[str, str] = {}
        self.error = ""

    def __call__(self, *options: str) -> int:
        code = cli.main(["doctor", *options])
        captured = self._capsys.readouterr()
        self.error = captured.err
        lines = captured.out.splitlines()
        self.lines = {line[6:].partition(":")[0]: line for line in lines}
        assert len(self.lines) == len(lines)
        assert all(line[:6] in ("ok    ", "warn  ", "fail  ") for line in lines)
        return code

    def others(self, *names: str) -> set[str]:
        """The status of all checks but these."""
        return {line[:4].strip() for name, line in self.lines.items() if name not in names}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], checkout: Path) -> Doctor:
    return Doctor(capsys)


def fails(run: Doctor, name: str, *parts: str) -> None:
    """Check that only the check `name` fails, that its line has these parts, and the exit code."""
    assert run() == 2
    assert run.lines[name].startswith("fail  ")
    for part in parts:
        assert part in run.lines[name]
    assert run.others(name) == {"ok"}
    assert run.error == "hw2 doctor: 1 check failed; correct what the lines with `fail` name\n"


def warns(run: Doctor, name: str, *parts: str) -> None:
    """Check that only the check `name` warns, that its line has these parts, and the exit code."""
    assert run() == 0
    assert run.lines[name].startswith("warn  ")
    for part in parts:
        assert part in run.lines[name]
    assert run.others(name) == {"ok"}
    assert run.error == ""


def test_everything_is_ok(run: Doctor) -> None:
    assert run() == 0
    assert run.others() == {"ok"}
    assert list(run.lines) == [
        *(name for name, _ in doctor.CHECKS),
        *("params.yaml", "device"),
        *(name for name, _ in doctor.PARAMETER_CHECKS),
    ]
    assert run.error == ""


def test_quiet_prints_only_what_is_not_ok(run: Doctor, checkout: Path) -> None:
    assert run("--quiet") == 0
    assert run.lines == {}
    (checkout / "src").unlink()
    assert run("--quiet") == 0
    assert list(run.lines) == ["hw2"]
    shutil.rmtree(checkout / ".dvc")
    assert run("--quiet") == 2
    assert list(run.lines) == ["hw2", "writable folders"]


def test_loading_the_checks_imports_nothing_heavy() -> None:
    heavy = ("torch", "torchvision", "numpy", "dvc", "open_clip", "diffusers", "snakemake")
    code = f"import sys, hw2.commands.doctor; print([n for n in {heavy} if n in sys.modules])"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.stdout == "[]\n", process.stderr


def test_a_check_that_raises_is_a_failure_of_one_line_and_the_others_run(
    run: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> NoReturn:
        raise RuntimeError("first line\n\n  second line")

    checks = (("broken", broken), *doctor.CHECKS)
    monkeypatch.setattr(doctor, "CHECKS", checks)
    fails(run, "broken", "RuntimeError: first line; second line; ", "`hw2 --version`")
    assert len(run.lines) == len(checks) + 2 + len(doctor.PARAMETER_CHECKS)


# --- the installation ----------------------------------------------------------------------------


def test_an_old_python_fails(run: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_installation, "MINIMUM_PYTHON", (3, 99))
    fails(run, "Python", "needs 3.99 or later", "`make clean install PYTHON=python3.99`")


def test_the_minimum_of_python_is_that_of_the_package() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    minimum = ".".join(map(str, doctor_installation.MINIMUM_PYTHON))
    assert project["requires-python"] == f">={minimum}"


def test_hw2_of_another_checkout_is_a_warning(run: Doctor, checkout: Path) -> None:
    (checkout / "src").unlink()
    warns(run, "hw2", "not from this checkout", "run `make install` here")


def test_another_version_than_the_locked_one_is_a_warning(run: Doctor, checkout: Path) -> None:
    lock = checkout / "requirements.lock"
    text = lock.read_text().replace(f"dvc=={metadata.version('dvc')}", "dvc==1.2.3")
    lock.write_text(text + "numpy==1.0 ; python_full_version < '3.12'\n")
    warns(run, "packages", f"dvc {metadata.version('dvc')} (locked: 1.2.3)", REINSTALL)
    assert "numpy" not in run.lines["packages"]  # one of two locked versions is installed


def test_row_64_no_pytorch_with_known_holes_can_be_installed() -> None:
    """CVE-2025-32434 was mended in 2.6, CVE-2026-24747 in 2.10."""
    project = tomllib.loads(
        (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    )["project"]
    requirements = {r.name: r for r in map(Requirement, project["dependencies"])}
    accepted = requirements["torch"].specifier
    assert not any(accepted.contains(version) for version in ("2.5.1", "2.6.0", "2.9.1"))


def test_a_missing_package_fails(run: Doctor, checkout: Path) -> None:
    project = checkout / "pyproject.toml"
    text = project.read_text().replace('"dvc~=', '"no_such.package>=1",\n    "dvc~=')
    project.write_text(text)
    fails(run, "packages", "not installed: no_such.package", REINSTALL)


def test_a_missing_lock_fails(run: Doctor, checkout: Path) -> None:
    (checkout / "requirements.lock").unlink()
    fails(run, "packages", "requirements.lock: missing; restore it from Git")


@pytest.mark.parametrize(
    ("library", "problem"),
    [("_C.so", "_C.so: "), (None, "operator torchvision::nms does not exist")],
)
def test_row_57_a_torchvision_for_another_torch_fails(
    run: Doctor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    library: str | None,
    problem: str,
) -> None:
    package = tmp_path / "data/packages/torchvision"
    package.mkdir(parents=True)
    # As in a mismatched pair: importing it would fail, and only its library says why.
    (package / "__init__.py").write_text("raise RuntimeError('operator does not exist')")
    if library:
        (package / library).write_text("no library")
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.syspath_prepend(package.parent)
    (tmp_path / ".git/info/exclude").write_text("data/packages\n")
    fails(
        run, "torch", f"torch {torch.__version__}, torchvision ", "do not fit", problem, REINSTALL
    )


def test_a_missing_torchvision_fails(run: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    fails(run, "torch", "torchvision is not installed", REINSTALL)


def test_without_torch_the_other_checks_run(run: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run() == 2
    assert run.others("torch", "device") == {"ok"}
    for name in ("torch", "device"):
        assert run.lines[name].startswith("fail  ")
        assert run.lines[name].endswith(REINSTALL)
    assert run.error.startswith("hw2 doctor: 2 checks failed; ")


# --- the machine ---------------------------------------------------------------------------------


def test_a_device_that_is_not_there_fails(run: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HW2_DEVICE", "cuda:99")
    fails(run, "device", "HW2_DEVICE: 'cuda:99' is requested, but there", "write auto or cpu")


def test_the_device_of_params_is_checked(
    run: Doctor, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HW2_DEVICE")
    profiles.set_values("params.yaml", {"runtime.device": "cuda:99"})
    fails(run, "device", "runtime.device: 'cuda:99' is requested", "write auto or cpu")


@pytest.fixture
def driver(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a driver of NVIDIA, as far as its text file tells."""
    path = checkout / ".git/version"
    path.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22\n")
    monkeypatch.setattr(doctor_machine, "_NVIDIA_DRIVER", path)
    monkeypatch.delenv("HW2_DEVICE")


@pytest.mark.usefixtures("driver")
def test_a_driver_without_a_usable_gpu_is_a_warning(
    run: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    warns(run, "device", "a driver 550.54.14 of NVIDIA", "finds no GPU", "set HW2_DEVICE=cpu")
    monkeypatch.setenv("HW2_DEVICE", "cpu")
    assert run() == 0
    assert run.lines["device"].startswith("ok    device: CPU, ")


@pytest.mark.usefixtures("driver")
def test_a_gpu_is_named_with_its_driver(run: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = SimpleNamespace(name="Some GPU", total_memory=16e9)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: gpu)
    assert run() == 0
    assert run.lines["device"].startswith("ok    device: cuda: Some GPU, 16 GB, driver 550.54.14,")


@pytest.mark.parametrize(
    ("available", "limit", "text"),
    [
        ("MemAvailable:    2000000 kB\n", "max\n", "2.0 GB available, less than the 4 GB"),
        ("MemAvailable:   64000000 kB\n", "1000000000\n", "1.0 GB available, less than the 4 GB"),
    ],
)
def test_little_memory_is_a_warning(
    run: Doctor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    available: str,
    limit: str,
    text: str,
) -> None:
    for name, content in (("_MEMORY", available), ("_MEMORY_LIMIT", limit)):
        path = tmp_path / ".git" / name
        path.write_text(content)
        monkeypatch.setattr(doctor_machine, name, path)
    monkeypatch.setattr(doctor_machine, "MINIMUM_MEMORY", 4e9)
    warns(run, "memory", text, "end other programs")


def test_a_system_that_does_not_tell_its_memory_is_ok(
    run: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_machine, "_MEMORY", tmp_path / "missing")
    assert run() == 0
    assert run.lines["memory"].startswith("ok    memory: this system does not tell")


def usage(free: float) -> Any:
    return lambda path: SimpleNamespace(free=free)


def test_little_disk_space_warns_and_none_fails(
    run: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_machine, "MINIMUM_DISK", 2e9)
    monkeypatch.setattr(doctor_machine.shutil, "disk_usage", usage(1e9))
    warns(run, "disk", "1.0 GB free; a run of the profile demo needs 2 GB", "free some space")
    monkeypatch.setattr(doctor_machine.shutil, "disk_usage", usage(1e8))
    fails(run, "disk", "0.1 GB free; a run of the profile demo needs 2 GB", "free some space")


# --- the checkout --------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_written_to_fails(run: Doctor, checkout: Path) -> None:
    (checkout / "results").write_text("a file")
    fails(run, "writable folders", "results: no file can be written there", "its permissions")


def test_found_25_a_folder_without_permission_fails(
    run: Doctor, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(dir: Path) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)  # root may write everywhere
    fails(run, "writable folders", "(Permission denied)", "correct its permissions")


def test_a_missing_dvc_folder_fails(run: Doctor, checkout: Path) -> None:
    shutil.rmtree(checkout / ".dvc")
    fails(run, "writable folders", "no folder .dvc; restore it with `git checkout .dvc`")


def test_writing_is_tried_without_a_trace(run: Doctor, checkout: Path) -> None:
    before = sorted(checkout.rglob("*"))
    assert run() == 0
    assert sorted(checkout.rglob("*")) == before


def test_git_tells_the_commit_and_counts_changed_files(run: Doctor, checkout: Path) -> None:
    assert run() == 0
    assert run.lines["Git"].endswith(", no changed files")
    (checkout / "new").write_text("")
    (checkout / "dvc.yaml").write_text("stages: {}")
    assert run() == 0
    assert run.lines["Git"].startswith("ok    Git: commit ")
    assert run.lines["Git"].endswith(", 2 changed or new file(s)")


def test_no_git_repository_fails(run: Doctor, checkout: Path) -> None:
    shutil.rmtree(checkout / ".git")
    fails(run, "Git", "not a git repository", "`git init && git add . && git commit -m start`")


def test_no_commit_is_a_warning(run: Doctor, checkout: Path) -> None:
    shutil.rmtree(checkout / ".git")
    git("init", "--quiet")
    warns(run, "Git", "no commit yet, ", "run `git add . && git commit -m start`")


def test_a_repository_of_another_user_fails(run: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    fails(run, "Git", "dubious ownership", 'git config --global --add safe.directory "$PWD"')


def test_a_machine_without_git_fails(run: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    fails(run, "Git", "git is not installed; install it")


def test_a_training_in_progress_is_a_warning(run: Doctor, checkout: Path) -> None:
    (checkout / ".git/info/exclude").write_text("checkpoints\n")
    with run_lock.hold("checkpoints/ddpm_train-12345678"):
        warns(run, "trainings", "checkpoints/ddpm_train-12345678: another run (pid", "wait until")
    assert run() == 0
    assert run.lines["trainings"] == "ok    trainings: none is running"


# --- parameters, data and models -----------------------------------------------------------------


def test_broken_parameters_fail_and_what_they_name_is_not_checked(
    run: Doctor, checkout: Path
) -> None:
    (checkout / "params.yaml").write_text("profile: [")
    assert run() == 2
    assert run.lines["params.yaml"].startswith("fail  params.yaml: params.yaml, line 1: not valid")
    for name, _ in doctor.PARAMETER_CHECKS:
        assert run.lines[name] == f"warn  {name}: not checked; correct params.yaml first"
    assert run.others("params.yaml", *dict(doctor.PARAMETER_CHECKS)) == {"ok"}


def test_all_problems_of_the_parameters_are_on_one_line(run: Doctor, checkout: Path) -> None:
    path = checkout / "params.yaml"
    text = path.read_text().replace("dpi: 150 ", "dpi: 1 ").replace("device: auto", "device: tpu")
    path.write_text(text)
    assert run() == 2
    for part in ("2 problems; ", "figures.dpi: 1 is not allowed", "runtime.device: 'tpu'"):
        assert part in run.lines["params.yaml"]


def test_a_broken_table_of_paths_fails_where_it_is_read(run: Doctor, checkout: Path) -> None:
    (checkout / "paths.yaml").write_text("path: 3")
    assert run() == 2
    assert run.others("trainings", "pretrained models", "data") == {"ok"}
    assert "paths.yaml: should have a single key `path`" in run.lines["trainings"]


def test_a_missing_pretrained_model_fails(run: Doctor, checkout: Path) -> None:
    shutil.rmtree(checkout / "data/pretrained/faces")
    assert run() == 2
    remedy = "restore the model with `git checkout data/pretrained/faces`"
    assert run.lines["pretrained models"].endswith(f"faces/SHA256SUMS: missing; {remedy}")
    assert "faces.weights: no data/pretrained/faces; put it there" in run.lines[
        "files of params.yaml"
    ]  # fmt: skip


def test_a_changed_pretrained_model_fails(run: Doctor, checkout: Path) -> None:
    (checkout / "data/pretrained/clip/weights").write_text("other")
    fails(run, "pretrained models", "clip/weights: its sha256", "git checkout data/pretrained/clip")


def test_missing_data_of_the_course_are_a_warning(run: Doctor, checkout: Path) -> None:
    profiles.set_values("params.yaml", {"data.source": "course", "data.course": "elsewhere"})
    warns(run, "data", "no elsewhere, so the zip of 2024 will be downloaded", "put the course's")
    archive = checkout / "data/raw/hw2_data_2024.zip"
    archive.parent.mkdir()
    archive.write_bytes(b"")
    fails(run, "data", f"{archive.relative_to(checkout)}: not a whole zip archive")
    for domain in ("mnistm", "svhn", "usps"):
        (checkout / "elsewhere/digits" / domain / "data").mkdir(parents=True)
    assert run() == 0
    assert run.lines["data"] == "ok    data: the course's, in elsewhere"
    shutil.rmtree(checkout / "elsewhere/digits/usps")
    warns(run, "data", "elsewhere has no usps; to be downloaded into data/raw: usps.bz2, usps.t")


def test_missing_public_data_are_a_warning(run: Doctor, checkout: Path) -> None:
    profiles.set_values("params.yaml", {"data.source": "public"})
    profiles.set_values("params.yaml", {"data.domains": ["mnistm", "svhn", "usps"]})
    warns(
        run, "data", "to be downloaded into data/raw: train-images", "usps.t.bz2; run `hw2 fetch`"
    )
    raw = checkout / "data/raw"
    raw.mkdir()
    for file in public.files(("mnistm", "svhn", "usps")):
        (raw / file.name).write_bytes(b"")  # `hw2 fetch` compares what is in them
    assert run() == 0
    assert run.lines["data"] == "ok    data: public data sets in data/raw"


def test_the_images_of_clip_are_those_of_the_course_only_where_models_are_evaluated(
    run: Doctor, checkout: Path
) -> None:
    profiles.set_values("params.yaml", {"clip.zero_shot.images": "course"})
    warns(run, "CLIP's images", "data.course: no hw2_data, so the zip of 2024 will be downloaded")
    (checkout / "hw2_data/clip_zeroshot").mkdir(parents=True)
    fails(run, "CLIP's images", "hw2_data has no id2label.json", "clip.zero_shot.models: []")
    (checkout / "hw2_data/clip_zeroshot/id2label.json").write_text("{}")
    assert run() == 0
    assert run.lines["CLIP's images"] == "ok    CLIP's images: the course's, in hw2_data"
    shutil.rmtree(checkout / "hw2_data")
    profiles.set_values("params.yaml", {"clip.zero_shot.models": []})
    assert run() == 0
    assert run.lines["CLIP's images"].startswith("ok    CLIP's images: not used")


def test_each_missing_file_is_named_with_its_key(run: Doctor, checkout: Path) -> None:
    missing = {
        "judge.course_classifier": "hw2_data/Classifier.pth",
        "clip.zero_shot.images": "my/images",
        "personalization.photographs": "hw2_data/photographs",  # looks like a hub id
        "personalization.input": "hw2_data/input.json",
        "stable_diffusion.weights": "sd-v1-4.ckpt",
    }
    profiles.set_values("params.yaml", missing)
    parts = [f"{key}: no {name}" for key, name in missing.items()]
    fails(run, "files of params.yaml", *parts, "put it there", "correct the key")


def test_every_file_that_the_profile_course_names_is_checked(run: Doctor, checkout: Path) -> None:
    profiles.apply("course")
    assert run() == 2
    text = (checkout / "params.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r"^ *\w+: (hw2_data/\S+)", text, flags=re.MULTILINE))
    assert len(named) >= 5
    for name in named:
        assert f": no {name}" in run.lines["files of params.yaml"]


def test_models_of_the_hub_are_cached_or_can_be_downloaded(
    run: Doctor, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = {
        "name": "CLIP",
        "weights": "hf-hub:owner/clip",
        "architecture": None,
        "revision": None,
        "sha256": None,
    }
    values = {"clip.zero_shot.models": [model], "stable_diffusion.weights": "owner/model-v1.5"}
    profiles.set_values("params.yaml", values)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(checkout / ".git/hub"))
    monkeypatch.setattr(hub, "unavailable", lambda: None)
    assert run() == 0
    names = "hf-hub:owner/clip, owner/model-v1.5"
    line = "ok    models of the hub: "
    assert run.lines["models of the hub"] == f"{line}to be downloaded: {names}"
    monkeypatch.setattr(hub, "unavailable", lambda: "there is no network")
    parts = (
        "CLIP: hf-hub:owner/clip is not in the",
        "weights: owner/model",
        "; there is no network;",
    )
    fails(run, "models of the hub", *parts, "`hf download`")
    for name, files in (
        ("clip", ("open_clip_config.json", "open_clip_model.safetensors")),
        ("model-v1.5", ("unet/diffusion_pytorch_model.bin",)),
    ):
        folder = checkout / ".git/hub" / f"models--owner--{name}"
        (folder / "refs").mkdir(parents=True)
        (folder / "refs/main").write_text("c" * 40)
        for file in files:
            path = folder / "snapshots" / ("c" * 40) / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
    assert run() == 0
    assert run.lines["models of the hub"] == f"{line}in the cache: {names}"


@pytest.mark.parametrize(
    "values",
    [
        {"stable_diffusion.weights": "models/sd-v1-4.ckpt"},
        {"stable_diffusion.weights": "./models"},
        {"faces.source": "course", "faces.weights": "owner/UNet"},
    ],
)
def test_a_path_is_not_taken_for_a_hub_id(run: Doctor, values: dict[str, str]) -> None:
    profiles.set_values("params.yaml", values)
    *_, (key, name) = values.items()
    fails(run, "files of params.yaml", f"{key}: no {name}; put it there")


# --- the plan ------------------------------------------------------------------------------------


@pytest.fixture
def course_folder(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all that the profile `course`, which is applied, looks for before a run."""
    profiles.apply("course")
    folder = checkout / "hw2_data"
    for domain in ("mnistm", "svhn", "usps"):
        (folder / "digits" / domain / "data").mkdir(parents=True)
    for name in (
        *("clip_zeroshot/id2label.json", "face/UNet.pt", "face/noise/00.pt", "face/GT/00.png"),
        *("textual_inversion/input.json", "textual_inversion/0/0.jpg", "textual_inversion/1/0.jpg"),
        "textual_inversion/cat/0.jpg",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    monkeypatch.setattr(hub, "unavailable", lambda: None)
    return folder


@pytest.mark.slow
def test_the_plan_names_all_that_is_missing_at_once(
    course_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["plan"]) == 0
    assert "fail" not in capsys.readouterr().out
    (course_folder / "face/UNet.pt").unlink()
    (course_folder / "textual_inversion/input.json").unlink()
    shutil.rmtree(course_folder / "textual_inversion/cat")
    shutil.rmtree(course_folder / "clip_zeroshot")
    assert cli.main(["plan"]) == 2
    captured = capsys.readouterr()
    failures = [line for line in captured.out.splitlines() if line.startswith("fail  ")]
    assert len(failures) == 4
    for number, part in enumerate(
        (
            "CLIP's images: hw2_data has no id2label.json",
            "faces.weights: no hw2_data/face/UNet.pt",
            "personalization.photographs: hw2_data/textual_inversion/cat: no photographs",
            "personalization.input: no hw2_data/textual_inversion/input.json",
        )
    ):
        assert any(part in line for line in failures), (number, captured.out)
    assert captured.err == (
        "hw2 plan: the lines with `fail` say what is missing; correct it before the run\n"
    )
    assert "28 stages to run" in captured.out


def test_the_plan_checks_what_due_stages_read_only(course_folder: Path) -> None:
    shutil.rmtree(course_folder / "face")
    settings = params.load()
    for stages, names in (
        (["faces_sample"], ["faces.ddim.noises"]),
        (["faces_train", "faces_sample"], ["faces.weights", "faces.ddim.noises"]),
        (["judge_train"], []),
    ):
        keys = {key for stage in stages for key in declared.read(stage).params}
        found = dict(doctor.preflight(settings, stages, lambda key: declared.covers(keys, key)))  # noqa: B023
        files = found["files of params.yaml"]
        assert files.status == ("fail" if names else "ok")
        missing = [line.partition(":")[0] for line in files.text.splitlines() if ": no " in line]
        assert missing == names


@pytest.mark.slow
def test_planning_a_run_on_the_course_s_data_imports_no_torch(course_folder: Path) -> None:
    """So that what is missing is named within seconds."""
    (course_folder / "face/UNet.pt").unlink()
    code = (
        "import sys; from hw2 import cli; cli.main(['plan']);"
        "print([m for m in ('torch', 'diffusers', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "faces.weights: no hw2_data/face/UNet.pt" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_a_finding_is_one_line() -> None:
    assert Finding("warn", "a\n  b\n", "c").line("name") == "warn  name: a; b; c"
