"""The stage runner: declared parameters only, one line per failure, the right exit code."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import hw2
from hw2.config import params
from hw2.runtime import device
from hw2.runtime.errors import UserError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SOURCE = str(Path(hw2.__file__).parents[1])
HANG = 600  # seconds; under load, a stage takes minutes to import torch
DVC = """
stages:
  train:
    cmd: python workflow/scripts/train.py
    params: [ddpm.network, {params.yaml: [judge.seed]}, {other.yaml: [x]}]
    outs: ["${path.ddpm_model}"]
"""


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "a repo ünï"
    (root / "workflow/scripts").mkdir(parents=True)
    (root / "dvc.yaml").write_text(DVC)
    for name in ("params.yaml", "paths.yaml"):
        (root / name).write_bytes((ROOT / name).read_bytes())
    return root


def start(repo: Path, body: str, arguments: str = "", **env: str) -> subprocess.Popen[str]:
    script = repo / "workflow/scripts/train.py"
    code = "\n    ".join(body.splitlines())
    script.write_text(
        f"import sys, time\nsys.path.insert(0, {SOURCE!r})\nfrom hw2.pipeline import runner\n"
        f"from hw2.runtime.errors import Interrupted, UserError\n\n"
        f"def stage({arguments}):\n    {code}\n\n"
        "if __name__ == '__main__':\n    runner.run(stage)\n"
    )
    return subprocess.Popen(
        [sys.executable, str(script)],
        cwd=repo.parent,  # the runner finds the repository by the script
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(repo: Path, body: str, arguments: str = "", **env: str) -> tuple[int, str, str]:
    process = start(repo, body, arguments, **env)
    out, err = process.communicate(timeout=HANG)
    return process.returncode, out, err


def test_a_stage_function_gets_what_it_names_and_needs_no_torch(repo: Path) -> None:
    body = (
        "print(ddpm.network.kind, judge.seed)\n"
        "print(ddpm_model, paths.ddpm_model, checkpoints)\n"
        "print('torch' in sys.modules)"
    )
    code, out, err = run(repo, body, "ddpm, judge, *, ddpm_model, paths, checkpoints, root='.'")
    values = params.load(repo / "params.yaml")
    assert code == 0, err
    model = "results/ddpm/model.safetensors"
    assert out.splitlines() == [
        f"{values.ddpm.network.kind} {values.judge.seed}",
        f"{model} {model} checkpoints/train-unknown",
        "False",
    ]
    assert err.startswith("hw2 train: done after ")
    assert "done after" in (repo / "logs/train.log").read_text()


def test_an_undeclared_argument_is_an_error_before_the_stage_runs(repo: Path) -> None:
    code, out, err = run(repo, "print('worked')", "ddpm, *, ddpm_modle")
    assert (code, out) == (2, "")
    assert "dvc.yaml: stage train: its function takes 'ddpm_modle'" in err
    assert "did you mean 'ddpm_model'?" in err


def test_a_user_error_prints_one_line_and_exits_with_2(repo: Path) -> None:
    code, _, err = run(repo, "raise UserError('data/x.csv row 3: bad; remake it')")
    assert code == 2
    assert err.splitlines()[0] == "hw2 train: data/x.csv row 3: bad; remake it"
    assert "Traceback" not in err


def test_a_fault_is_one_line_with_its_traceback_in_the_log(repo: Path) -> None:
    body = "raise RuntimeError('size\\nmismatch')"
    code, _, err = run(repo, body)
    assert code == 1
    expected = "hw2 train: RuntimeError: size mismatch; full traceback in logs/train.log"
    assert err.splitlines()[0] == expected
    assert "Traceback" not in err
    assert "raise RuntimeError" in (repo / "logs/train.log").read_text()
    assert "Traceback" in run(repo, body, HW2_DEBUG="1")[2]


def test_the_log_goes_on_until_a_run_finishes(repo: Path) -> None:
    log = repo / "logs/train.log"
    for body, outcomes in (
        ("raise Interrupted(40, 15)", ["ended"]),
        ("pass", ["ended", "done"]),
        ("pass", ["done"]),
    ):
        run(repo, body)
        assert re.findall(r"(\w+) after [\d.]+ s", log.read_text()) == outcomes


def test_an_interruption_prints_one_line_and_exits_with_the_shells_code(repo: Path) -> None:
    code, _, err = run(repo, "raise Interrupted(40, 15)")
    assert code == 143
    expected = "hw2 train: interrupted at step 40, saved; run the same command to continue"
    assert err.startswith(expected)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_found_27_signals_outside_a_training_loop_leave_no_partial_file(
    repo: Path, signum: int
) -> None:
    body = (
        "from hw2.io.files import atomic_path\n"
        "with atomic_path('results/x.txt') as path:\n"
        "    path.write_text('half')\n"
        "    print('go', flush=True)\n"
        "    time.sleep(120)"
    )
    process = start(repo, body)
    assert process.stdout is not None
    assert process.stdout.readline() == "go\n"
    time.sleep(0.05)
    process.send_signal(signum)
    _, err = process.communicate(timeout=HANG)
    assert process.returncode == 128 + signum
    assert "Traceback" not in err
    assert list((repo / "results").iterdir()) == []


def test_bad_parameters_stop_before_the_work(repo: Path) -> None:
    text = (repo / "params.yaml").read_text()
    quoted = re.sub(
        r"^(    lr: )\S+", r"\1'1e-3'", text, count=1, flags=re.MULTILINE
    )  # ddpm.train.lr
    (repo / "params.yaml").write_text(quoted)
    code, out, err = run(repo, "print('worked')")
    assert code == 2
    assert out == ""
    expected = (
        "hw2 train: params.yaml: ddpm.train.lr: '1e-3' is text; write the number without quotes"
    )
    assert err.startswith(expected)


def test_row_56_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HW2_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.choose("auto") == torch.device("cpu")
    with pytest.raises(
        UserError, match=r"runtime\.device: 'cuda' is requested, but there is no CUDA device"
    ):
        device.choose("cuda")
    with pytest.raises(UserError, match=r"'gpu' is no device; write auto"):
        device.choose("gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert device.choose("auto") == torch.device("cuda")
    with pytest.raises(UserError, match=r"'cuda:1' is requested, but there is 1 CUDA device"):
        device.choose("cuda:1")
    monkeypatch.setenv("HW2_DEVICE", "cpu")
    assert device.choose("cuda:1") == torch.device("cpu")


def test_the_environment_overrides_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.delenv("HW2_THREADS", raising=False)
    try:
        assert device.use_threads(0) == len(os.sched_getaffinity(0)) == torch.get_num_threads()
        monkeypatch.setenv("HW2_THREADS", "1")
        assert device.use_threads(8) == 1 == torch.get_num_threads()
        monkeypatch.setenv("HW2_THREADS", "-1")
        with pytest.raises(UserError, match="HW2_THREADS: '-1'"):
            device.use_threads(8)
    finally:
        torch.set_num_threads(before)


def test_found_24_a_full_disk_in_a_library_of_rust_is_one_line(repo: Path) -> None:
    body = "raise ValueError('Error while serializing: I/O error: File too large (os error 27)')"
    code, _, err = run(repo, body)
    assert code == 2
    first = err.splitlines()[0]
    assert first.startswith("hw2 train: a file could not be written or read (Error while serial")
    assert first.endswith("; free some space or correct the permissions, then run again")
    assert "Traceback" not in err


def test_row_17_found_25_an_output_folder_without_access_stops_before_the_work(repo: Path) -> None:
    (repo / "results").write_text("a file, because the tests may run as root, who may write all")
    code, out, err = run(repo, "print('worked')")
    assert (code, out) == (2, "")
    assert "results: no file can be written there (Not a directory)" in err


@pytest.mark.parametrize("kind", ["OutOfMemoryError", "MemoryError"])
def test_row_54_a_full_memory_is_one_line_that_names_the_batch_size(repo: Path, kind: str) -> None:
    body = (
        "class OutOfMemoryError(RuntimeError):  # as that of torch is named\n"
        "    pass\n"
        f"raise {kind}('CUDA out of memory. Tried to allocate 2 GiB')"
    )
    code, _, err = run(repo, body)
    assert code == 2
    first = err.splitlines()[0]
    assert first.startswith(
        "hw2 train: out of memory (CUDA out of memory. Tried to allocate 2 GiB)"
    )
    assert "lower the stage's batch size in params.yaml" in first
    assert "Traceback" not in err


FINISHED_TRAINING = """from hw2.pipeline import unrecorded
from hw2.training.resume import Resume
resume = Resume('resume', {})
resume.save(1, {'step': 1})
keep = lambda *_: print('outputs kept, resume files:', resume.folder.exists())
unrecorded.keep = keep
resume.finish()
"""


def test_row_09_resume_files_stay_until_the_outputs_are_kept(repo: Path) -> None:
    code, out, err = run(repo, FINISHED_TRAINING)
    assert code == 0, err
    assert out == "outputs kept, resume files: True\n"
    assert not list((repo / "resume").glob("*"))


def test_resume_files_stay_if_the_stage_fails_after_its_training(repo: Path) -> None:
    code, out, _ = run(repo, f"{FINISHED_TRAINING}raise UserError('full disk')")
    assert (code, out) == (2, "")
    assert list((repo / "resume").glob("*/step-1.pt"))
