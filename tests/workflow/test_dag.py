"""The DAG is complete, its scripts are thin, and both tools accept it."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from scratch import EVERYTHING, FIGURES, REPO, Scratch, environment

STAGES: dict[str, dict[str, Any]] = YAML(typ="safe").load(REPO / "dvc.yaml")["stages"]
SCRIPTS = sorted((REPO / "workflow/scripts").glob("*.py"))


def _declared(stage: str, *kinds: str) -> list[str]:
    items = [item for kind in kinds for item in STAGES[stage].get(kind, [])]
    return [item if isinstance(item, str) else next(iter(item)) for item in items]


def _attributes(script: Path, start: str) -> list[str]:
    """Dotted names below `start` that a script uses, e.g. `ddpm.train` below `job.params`."""
    dotted = [ast.unparse(node) for node in ast.walk(ast.parse(script.read_text()))]
    names = [name.removeprefix(f"{start}.") for name in dotted if name.startswith(f"{start}.")]
    names = [name for name in names if name.replace(".", "").isidentifier()]
    return [n for n in dict.fromkeys(names) if not any(o.startswith(f"{n}.") for o in names)]


def test_each_script_is_a_stage() -> None:
    assert {script.stem for script in SCRIPTS} == set(STAGES) == EVERYTHING | {"code"}


KEPT = {"${path.raw}", "${path.clip_cache}"}  # as resume files are: neither input nor output
NAMED = {"clip_fetch": {"${path.clip_model}"}}  # in a message at most: the stage does not read it


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_scripts_are_thin(script: Path) -> None:
    tree = ast.parse(script.read_text())
    nodes = list(ast.walk(tree))
    calls = [ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)]
    assert len(calls) == 2, "one stage function, and the runner"
    assert "runner.run" in calls
    assert not [n for n in nodes if isinstance(n, ast.For | ast.While | ast.Try | ast.With)]
    assert sum(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in nodes) == 1
    assert len(script.read_text().splitlines()) <= 40


def _sections(keys: list[str]) -> list[str]:
    """The sections of keys, of which a script may pass on the declared part."""
    return list(dict.fromkeys(key.split(".")[0] for key in keys))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_stage_declares_what_its_script_uses(script: Path) -> None:
    stage = script.stem
    declared_params, used = _declared(stage, "params"), _attributes(script, "job.params")
    assert declared_params == used or _sections(declared_params) == used
    paths = {f"${{path.{name}}}" for name in _attributes(script, "job.paths")}
    declared = set(_declared(stage, "deps", "outs", "metrics"))
    if stage == "code":
        assert declared >= {f"${{path.code}}/{name}" for name in EVERYTHING}
    else:
        assert declared == paths - KEPT - NAMED.get(stage, set()) | {f"${{path.code}}/{stage}"}
        assert STAGES[stage]["cmd"] == f"${{run}}/{stage}.py"


def test_fingerprints_can_see_all_that_runs() -> None:
    files = [f for f in (REPO / "src/hw2").rglob("*") if f.is_file() and f.suffix != ".pyc"]
    assert not [f for f in files if f.suffix != ".py" and f.name != "py.typed"], "only Python"
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{file}: relative"
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            dynamic = called in {"__import__", "importlib.import_module", "import_module"}
            assert not dynamic, f"{file}:{getattr(node, 'lineno', 0)}: dynamic import"


def test_imports_keep_to_the_layers() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_snakefile_is_formatted() -> None:
    command = ["snakefmt", "--check", "Snakefile"]
    done = subprocess.run(command, cwd=REPO, env=environment(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.slow
def test_snakemake_lint(source: Scratch, tmp_path: Path) -> None:
    assert "good condition" in source.copy(tmp_path / "lint").snakemake("--lint").text


@pytest.mark.slow
def test_what_dvc_built_snakemake_accepts_in_little_time(built: Scratch) -> None:
    """`built` is the work of `dvc repro`; test_rebuild has the other direction."""
    assert (built.root / FIGURES / "index.html").is_file()
    rounds = [
        (built.dvc("repro"), built.snakemake(FIGURES), built.run("snakemake", "--version"))
        for _ in range(3)
    ]
    assert not rounds[0][0].ran
    assert "Nothing to be done" in rounds[0][1].text
    dvc, snakemake, loading = (
        min(done.seconds for done in tool) for tool in zip(*rounds, strict=True)
    )
    # 2 s and 4 s, in what this machine takes to load Snakemake: a second where they were set.
    assert dvc < 2 * loading
    assert snakemake < 4 * loading
    assert built.git("status", "--porcelain") == ""
