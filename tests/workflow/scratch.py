"""A scratch copy of this repository in which a test may run both tools for real."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from hw2.config import profiles

REPO = Path(__file__).parents[2]
FIGURES = "results/report_figs"
# A training to be stopped in the middle: a few seconds, with a resume file early and often.
SLOW_STAGE, SLOW_MODEL = "ddpm_train", "results/ddpm/model.safetensors"
SLOW = {"ddpm.train.steps": 80, "ddpm.train.save_every": 10}
# Seconds. Only to end a hang: on a machine under load, a stage takes minutes to import torch.
HANG = 1200
DEEP = pytest.mark.skipif(
    os.environ.get("HW2_TEST_DEEP") != "1", reason="takes minutes; HW2_TEST_DEEP=1 runs it"
)
# All that depends on the trained model, and all that there is, but for `code`.
REPORT = {"headline", "report_figs"}
BELOW_MODEL = {"ddpm_select_guidance", "ddpm_sample", "ddpm_sweep", "ddpm_evaluate"} | REPORT
TRAININGS = {"judge_train", "ddpm_train", "ddpm_ablate"}
ADAPTATION = {"dann_train", "dann_evaluate", "dann_tsne"}
ZEROSHOT = {"clip_fetch", "clip_train", "clip_evaluate"}
PERSONAL = {
    *(
        "personalization_fetch",
        "stable_diffusion_train",
        "personalization_train",
        "personalization_sample",
    ),
    *("personalization_compare", "shape_judges_train", "personalization_evaluate"),
}
FACES = {"faces_train", "faces_sample", "faces_evaluate"}
DIGITS = BELOW_MODEL | TRAININGS | ADAPTATION | {"digits_fetch", "digits_pack"}
EVERYTHING = DIGITS | ZEROSHOT | FACES | PERSONAL


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    text: str

    @property
    def ran(self) -> set[str]:
        """Stages whose command ran, in either tool: not those that DVC skipped or restored.

        Without `code`, which costs nothing and runs after any edit.
        """
        return set(re.findall(r"Running stage '([^']+)'", self.text)) - {"code"}


@dataclass(frozen=True)
class Scratch:
    """A Git repository with its own DVC cache."""

    root: Path

    def dvc(self, *args: str) -> Done:
        return self._must("dvc", *args)

    def snakemake(self, *args: str) -> Done:
        return self._must("snakemake", "--cores", "1", *args)

    def git(self, *args: str) -> str:
        return self._must("git", *args).text.strip()

    def tool(self, tool: str, stage: str, out: str) -> list[str]:
        """The command that makes `out`, of `stage`, in either tool."""
        return ["dvc", "repro", stage] if tool == "dvc" else ["snakemake", "--cores", "1", out]

    def scheduled(self, *targets: str) -> set[str]:
        """The jobs that `snakemake -n` would run for the targets, by default for everything."""
        text = self.snakemake("-n", "--quiet", "host", "--", *targets).text
        table = re.search(r"^job +count\n[- ]+\n(.*?)^total ", text, re.M | re.S)
        names = {line.split()[0] for line in table[1].splitlines()} if table else set()
        return names - {"all"}

    def changed(self) -> set[str]:
        """The stages that `dvc status` lists."""
        return set(re.findall(r"^([\w@-]+):$", self.dvc("status").text, re.M))

    def set(self, values: Mapping[str, Any]) -> None:
        profiles.set_values(self.root / "params.yaml", values)

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def copy(self, root: Path) -> "Scratch":
        """A copy with results and caches, as it stands."""
        shutil.copytree(self.root, root, symlinks=True)
        return Scratch(root)

    def clone(self, root: Path) -> "Scratch":
        """A Git clone with nothing pulled; `dvc pull` takes from the same remote."""
        subprocess.run(["git", "clone", "-q", self.root, root], check=True, env=environment())
        shutil.copy(self.root / ".dvc/config.local", root / ".dvc/config.local")
        return Scratch(root)

    def text(self, path: str) -> str:
        return (self.root / path).read_text()

    def bytes(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own, as a shell does."""
        with (self.root / "started.txt").open("wb") as file:
            return subprocess.Popen(
                command,
                cwd=self.root,
                env=environment(),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, *command: str, seconds: float = HANG) -> Done:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def wait_for_resume_file(
        self, stage: str, seconds: float = HANG, driver: subprocess.Popen[bytes] | None = None
    ) -> None:
        """Wait until a training of the stage has saved its state for the first time.

        The test fails at once if `driver`, which started the training, ends before that.
        """
        folder = self.root / "checkpoints"
        limit = time.monotonic() + seconds
        while not list(folder.glob(f"{stage}-*/*/step-*.json")):
            ended = driver is not None and driver.poll() is not None
            assert not ended, self.text("started.txt")
            assert time.monotonic() < limit, self.text("started.txt")
            time.sleep(0.02)

    def _must(self, *command: str) -> Done:
        done = self.run(*command)
        assert done.code == 0, f"{' '.join(command)} in {self.root}:\n{done.text[-6000:]}"
        return done


def environment() -> dict[str, str]:
    """As a newcomer's shell: no variables of the caller's tools, and one way to compute."""
    other = ("DVC_", "HW2_", "SNAKEMAKE_", "PYTHONDONTWRITEBYTECODE")  # the last one: see Makefile
    kept = {k: v for k, v in os.environ.items() if not k.startswith(other)}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}",
        # The number of threads changes sums in their last bits, so both tools get the same.
        "HW2_DEVICE": "cpu",
        "HW2_THREADS": "1",
        "DVC_SITE_CACHE_DIR": str(SITE_CACHE),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "test",
        "GIT_AUTHOR_EMAIL": "test@example.invalid",
        "GIT_COMMITTER_NAME": "test",
        "GIT_COMMITTER_EMAIL": "test@example.invalid",
    }


def once(root: Path, make: Callable[[Path], object]) -> Scratch:
    """The repository at `root`, made by the first worker that asks."""
    done = root.with_suffix(".done")
    with FileLock(root.with_suffix(".lock")):
        if not done.exists():
            shutil.rmtree(root, ignore_errors=True)  # of a worker that failed half-way
            make(root)
            done.touch()
    return Scratch(root)


def of_working_tree(root: Path) -> Scratch:
    """A repository of this working tree's files, without results, in the mini profile."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=REPO, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        source, made = REPO / name, name == "dvc.lock" or name.startswith("results/")
        if source.is_file() and not made:  # a file may be deleted but not committed yet
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, root / name)
    scratch = Scratch(root)
    profiles.apply("mini", root / "params.yaml")
    scratch.set({"ddpm.ablation.run": True})
    scratch.git("init", "-q", "-b", "main")
    scratch.dvc("remote", "add", "--local", "--default", "store", str(root.parent / "store"))
    scratch.commit("the working tree, mini profile")
    return scratch


def processes(root: Path) -> dict[int, str]:
    """The live processes that work in `root`: process id to command line."""
    commands: dict[int, str] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == root:
                commands[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
        except OSError:  # gone, or not ours
            continue
    return commands


def kill_all(root: Path) -> None:
    """For the end of a test that failed half-way: leave no training behind."""
    for pid in processes(root):
        os.kill(pid, signal.SIGKILL)


SITE_CACHE = Path(os.environ.get("PYTEST_DVC_SITE_CACHE", "/tmp")) / f"hw2-dvc-{os.getpid()}"
