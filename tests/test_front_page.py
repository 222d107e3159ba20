"""What the README shows agrees with the measurements and with dvc.yaml."""

import re
import runpy
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from hw2.config import paths
from hw2.pipeline import stage_graph

ROOT = Path(__file__).parents[1]
PAGE = runpy.run_path(str(ROOT / "docs" / "front_page.py"))


def test_table_of_results_agrees_with_the_measurements() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert PAGE["with_table"](readme, PAGE["table"](ROOT / "results" / "details")) == readme


def test_every_reported_result_has_a_source() -> None:
    reported = yaml.safe_load((ROOT / "docs" / "reported_results.yaml").read_text("utf-8"))
    results = [row for task in reported.values() for row in (*task["students"], task["best"])]
    for result in results:
        assert 0 < result["percent"] <= 100
        assert 2019 <= result["year"] <= 2026
        assert result["source"].strip()
    for task, rows in reported.items():
        sources = [row["source"] for row in rows["students"]]
        assert len(sources) == len(set(sources)), task


def test_overview_fills_its_width_with_figures_of_any_size(tmp_path: Path) -> None:
    for row in PAGE["PANELS"]:
        for k, (name, _) in enumerate(row):
            Image.new("RGB", (300 + 400 * k, 200 + 100 * k), "navy").save(tmp_path / name)
    PAGE["overview"](tmp_path, (), tmp_path / "overview.jpg")
    drawn = np.array(Image.open(tmp_path / "overview.jpg").convert("L")) < 128
    width, gap = (round(100 * PAGE[name]) for name in ("WIDTH", "GAP"))
    assert drawn.shape[1] == width
    widest = np.flatnonzero(drawn.any(0))
    assert abs(widest[0] - gap) <= 1
    assert abs(width - 1 - widest[-1] - gap) <= 1


def test_diagram_shows_every_stage(tmp_path: Path) -> None:
    graph = stage_graph.read(ROOT / "dvc.yaml")
    PAGE["diagram"](graph, tmp_path / "pipeline.svg")
    diagram = (tmp_path / "pipeline.svg").read_text(encoding="utf-8")
    committed = (ROOT / "docs" / "pipeline.svg").read_text(encoding="utf-8")
    assert all(f">{name}<" in diagram and f">{name}<" in committed for name in graph)


def test_found_14_files_that_snakemake_is_asked_for_are_outputs() -> None:
    outputs = {getattr(paths.load(ROOT), name).relative_to(ROOT) for name in paths.load(ROOT)}
    pages = [ROOT / "README.md", ROOT / "Makefile", *(ROOT / "docs").glob("*.md")]
    texts = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    targets = set(re.findall(r"^.*\bsnakemake .*?(results/[\w./-]+)", texts, re.MULTILINE))
    assert len(targets) > 1
    assert {Path(target) for target in targets} <= outputs
