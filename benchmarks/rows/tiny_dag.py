"""A repository of stages that do nothing, for the cost of the tools around them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from comparison import ROOT

OURS_FILES = ("Snakefile", "params.yaml", "paths.yaml", "profiles.yaml")
RULE = """
rule s{k}:
    output: "s{k}.txt"
    shell: "echo {k} > {{output}}"
"""


def make(folder: Path, stages: int) -> None:
    """Write `stages` stages for both tools, with our Snakefile and a plain one."""
    folder.mkdir(parents=True)
    for name in OURS_FILES:
        shutil.copy(ROOT / name, folder)
    for name in ("src", "workflow"):
        (folder / name).symlink_to(ROOT / name)
    lines = [
        f"  s{k}:\n    cmd: echo {k} > s{k}.txt\n    outs: [s{k}.txt]\n" for k in range(stages)
    ]
    (folder / "dvc.yaml").write_text("stages:\n" + "".join(lines), encoding="utf-8")
    inputs = ", ".join(f'"s{k}.txt"' for k in range(stages))
    rules = "".join(RULE.format(k=k) for k in range(stages))
    (folder / "plain.smk").write_text(f"rule all:\n    input: {inputs}\n{rules}", encoding="utf-8")
    _run(folder, "git", "init", "-q")
    _run(folder, "dvc", "init", "-q")


def ours(folder: Path) -> None:
    """Run all stages by our Snakefile, in which DVC decides what is stale."""
    _run(folder, "snakemake", "--cores", "1")


def dvc(folder: Path) -> None:
    """Run all stages by DVC alone."""
    _run(folder, "dvc", "repro")


def snakemake(folder: Path) -> None:
    """Run all stages by Snakemake alone."""
    _run(folder, "snakemake", "--cores", "1", "--snakefile", "plain.smk")


def forget(folder: Path) -> None:
    """Make all stages stale."""
    (folder / "dvc.lock").unlink(missing_ok=True)
    for file in folder.glob("s*.txt"):
        file.unlink()
    for name in (".snakemake", ".dvc/tmp", ".dvc/cache"):
        shutil.rmtree(folder / name, ignore_errors=True)


def _run(folder: Path, *command: str) -> None:
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(ROOT / "src"),
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(folder.parent / "site-cache"),
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {(done.stdout + done.stderr)[-300:]}")
