"""The graph of stages as a diagram, without the stage of fingerprints."""

from pathlib import Path

import pytest

from hw2 import cli
from hw2.pipeline import stage_graph
from hw2.runtime.errors import UserError

ROOT = Path(__file__).parents[2]
DVC = """
stages:
  code: {cmd: x, outs: [code/a, code/b]}
  a:
    cmd: x
    deps: [code/a, raw]
    outs: [model: {type: directory}]
    plots: [details: {cache: false}]
  b: {cmd: x, deps: [code/b, details, model], metrics: [numbers: {cache: false}]}
  c: {cmd: x, deps: [numbers, model]}
"""


@pytest.fixture
def graph(tmp_path: Path) -> stage_graph.Graph:
    path = tmp_path / "dvc.yaml"
    path.write_text(DVC)
    return stage_graph.read(path)


def test_arrows_follow_outputs_of_every_kind(graph: stage_graph.Graph) -> None:
    assert graph == {"a": [], "b": ["a"], "c": ["a", "b"]}


def test_it_is_written_for_mermaid_and_graphviz(graph: stage_graph.Graph) -> None:
    arrows = {("a", "b"), ("a", "c"), ("b", "c")}
    for text, arrow, first in (
        (stage_graph.mermaid(graph), " --> ", "flowchart LR"),
        (stage_graph.dot(graph).replace(";", ""), " -> ", "digraph stages {"),
    ):
        lines = [line.strip() for line in text.splitlines()]
        assert lines[0] == first
        assert {tuple(line.split(arrow)) for line in lines if arrow in line} == arrows
        assert {"a", "b", "c"} <= set(lines)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"dvc\.yaml: cannot be read"):
        stage_graph.read(tmp_path / "dvc.yaml")


def test_the_command_draws_the_stages_of_this_pipeline(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert cli.main(["dag"]) == 0
    text = capsys.readouterr().out
    assert "    ddpm_train --> ddpm_sample" in text
    assert "    ddpm_evaluate --> report_figs" in text
    assert "code -->" not in text
