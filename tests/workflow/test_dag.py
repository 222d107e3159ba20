"""The DAG is complete, its scripts are thin, and both tools accept it."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from scratch import EVERYTHING, FIGURES, REPO, Scratch, environment

from hw2.pipeline import binding, declared

STAGES: dict[str, dict[str, Any]] = YAML(typ="safe").load(REPO / "dvc.yaml")["stages"]
SCRIPTS = sorted((REPO / "workflow/scripts").glob("*.py"))


def test_each_script_is_a_stage() -> None:
    assert {script.stem for script in SCRIPTS} == set(STAGES) == EVERYTHING | {"code"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_runs_one_function_and_holds_no_logic(script: Path) -> None:
    _, *statements = ast.parse(script.read_text()).body
    *imports, guard = statements
    assert all(isinstance(node, ast.ImportFrom) for node in imports)
    modules = [node.names[0].name for node in imports if isinstance(node, ast.ImportFrom)]
    (module,) = set(modules) - {"runner"}
    assert ast.unparse(guard) == f"if __name__ == '__main__':\n    runner.run({module}.run)"


@pytest.mark.parametrize("stage", sorted(EVERYTHING))
def test_dvc_yaml_declares_what_the_stage_function_takes_and_nothing_else(stage: str) -> None:
    package, module = ("figures", "report") if stage == "report_figs" else ("stages", stage)
    function = importlib.import_module(f"hw2.{package}.{module}").run
    declaration = declared.read(stage, REPO / "dvc.yaml")
    binding.check(function, declaration)
    arguments = set(binding.argument_names(function))
    if "provenance" not in arguments:  # which shows the parameters of all stages
        assert set(declaration.sections) <= arguments
    if "paths" not in arguments:
        # The code and the models in Git are declared so that a change reruns the stage.
        named = {path for path in declaration.paths if not path.startswith("pretrained_")}
        assert named - {"code"} <= arguments
    assert f"${{path.code}}/{stage}" in STAGES[stage]["deps"]
    assert STAGES[stage]["cmd"] == f"${{run}}/{stage}.py"


def test_the_stage_code_fingerprints_every_stage() -> None:
    assert set(STAGES["code"]["outs"]) == {f"${{path.code}}/{name}" for name in EVERYTHING}


def test_fingerprints_can_follow_every_import() -> None:
    found = (REPO / "src/hw2").rglob("*")
    files = [f for f in found if f.is_file() and f.parent.name != "__pycache__"]
    assert not [f for f in files if f.suffix != ".py" and f.name != "py.typed"], "only Python"
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{file}: relative"
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            dynamic = called in {"__import__", "importlib.import_module", "import_module"}
            assert not dynamic, f"{file}:{getattr(node, 'lineno', 0)}: dynamic import"


def test_imports_respect_the_layers() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_snakefiles_are_formatted() -> None:
    command = ["snakefmt", "--check", "Snakefile", "workflow/grid.smk"]
    done = subprocess.run(command, cwd=REPO, env=environment(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.slow
def test_two_stages_share_the_cores(source: Scratch, tmp_path: Path) -> None:
    copy = source.copy(tmp_path / "cores")
    for cores, threads in ((2, "1"), (6, "3")):  # without a GPU
        text = copy.snakemake("-n", "-p", "--cores", str(cores), "results/judge").text
        assert re.findall(r"HW2_THREADS=(\d+) .* judge_train ", text) == [threads]


@pytest.mark.slow
def test_snakemake_lint(source: Scratch, tmp_path: Path) -> None:
    assert "good condition" in source.copy(tmp_path / "lint").snakemake("--lint").text


@pytest.mark.slow
def test_snakemake_accepts_what_dvc_built(built: Scratch) -> None:
    """`built` is the work of `dvc repro`; test_rebuild has the other direction."""
    assert (built.root / FIGURES / "index.html").is_file()
    assert not built.dvc("repro").ran
    by_snakemake = built.snakemake(FIGURES)
    assert "Nothing to be done" in by_snakemake.text
    assert not by_snakemake.ran
    assert built.git("status", "--porcelain") == ""
