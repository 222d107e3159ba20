"""`snakemake --report` shows the figures by section, with the titles and captions of the page."""

import json
import re
import zipfile

import pytest
from scratch import FIGURES, Scratch

from hw2.pipeline import report_page

pytestmark = pytest.mark.slow


def test_found_31_figures_have_the_texts_of_the_page(copy: Scratch) -> None:
    copy.snakemake("--report", "report.zip", FIGURES)
    with zipfile.ZipFile(copy.root / "report.zip") as archive:
        html = archive.read("report/report.html").decode()
        images = {name.rpartition("/")[2] for name in archive.namelist() if name.endswith(".png")}
    results = _variable(html, "results")
    categories = _variable(html, "categories")
    texts = report_page.read(copy.text(f"{FIGURES}/index.html"))
    assert set(texts) == images == {result["name"] for result in results.values()}
    assert set(categories) == {text.section for text in texts.values()}
    for result in results.values():
        text = texts[result["name"]]
        assert result["labels"] == {"figure": text.title}
        assert bool(result["caption"]) == bool(text.caption)


def _variable(html: str, name: str) -> dict[str, dict[str, str]]:
    """A variable of the report's script."""
    match = re.search(rf'<script id="{name}">\s*var {name} = ', html)
    assert match
    return dict(json.JSONDecoder().raw_decode(html, match.end())[0])
