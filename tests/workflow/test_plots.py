"""`dvc plots` draws curves, sweeps, a confusion matrix and the figures, with texts for people."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from ruamel.yaml import YAML
from scratch import FIGURES, REPO, Scratch

PLOTS: list[Any] = YAML(typ="safe").load(REPO / "dvc.yaml")["plots"]
DRAWN: dict[str, dict[str, Any]] = {
    name: plot for item in PLOTS if isinstance(item, dict) for name, plot in item.items()
}
IMAGES = [item.replace("${path.report_figs}", FIGURES) for item in PLOTS if isinstance(item, str)]
TEMPLATES = {path.stem: path for path in (REPO / ".dvc/plots").glob("*.json")}
BY_TEMPLATE = {"rev", "interval"}  # fields that DVC or a template computes


def test_plots_have_titles_labels_and_known_templates() -> None:
    for name, plot in DRAWN.items():
        assert {"x", "y", "title", "x_label", "y_label"} <= set(plot), name
        assert not any("_" in plot[key] for key in ("title", "x_label", "y_label")), name
    used = {plot["template"] for plot in DRAWN.values() if "template" in plot}
    assert used == set(TEMPLATES)


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_a_template_uses_all_texts(template: str) -> None:
    text = json.dumps(json.loads(TEMPLATES[template].read_text(encoding="utf-8")))
    anchors = set(re.findall(r"<DVC_METRIC_(\w+)>", text))
    assert anchors == {"DATA", "TITLE", "X", "Y", "X_LABEL", "Y_LABEL"}


def _fields(spec: Any) -> Iterator[str]:
    """The columns of the data that a chart uses."""
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key == "field" and isinstance(value, str):
                yield value
            elif key != "data":
                yield from _fields(value)
    elif isinstance(spec, list):
        for item in spec:
            yield from _fields(item)


@pytest.mark.slow
def test_found_13_every_plot_is_drawn_from_the_results_of_a_run(built: Scratch) -> None:
    shown = json.loads(built.run("dvc", "plots", "show", "--json").text)
    assert shown.get("errors", []) == []
    charts = {name: items for name, items in shown["data"].items() if items}
    assert set(charts) == {*DRAWN, *IMAGES}
    for name, plot in DRAWN.items():
        (chart,) = charts[name]
        rows = chart["content"]["data"]["values"]
        assert rows, name
        assert chart["content"]["title"]["text"] == plot["title"]
        assert set(_fields(chart["content"])) - BY_TEMPLATE <= set(rows[0]), name
        text = json.dumps(chart["content"], ensure_ascii=False)
        assert plot["x_label"] in text
        assert plot["y_label"] in text
        assert "<DVC_METRIC" not in text
    assert all(charts[name][0]["type"] == "image" for name in IMAGES)


@pytest.mark.slow
def test_the_page_of_plots_compares_two_revisions(copy: Scratch) -> None:
    history = copy.root / "results/ddpm/history.csv"
    lines = history.read_text().splitlines()
    history.unlink()  # a link to the cache
    history.write_text("\n".join(lines[:-1]) + "\n")
    copy.dvc("plots", "diff", "HEAD")
    page = copy.text("dvc_plots/index.html")
    assert DRAWN["DDPM training loss"]["title"] in page
    assert '"rev": "HEAD"' in page
    assert '"rev": "workspace"' in page
    assert copy.git("status", "--porcelain", "dvc_plots") == ""
