"""Snakemake's report has the texts of the page's figures."""

from pathlib import Path

import pytest
from docutils.core import publish_parts

from hw2.pipeline import report_page
from hw2.pipeline.report_page import FigureText, FigureTexts

PAGE = """<!doctype html>
<nav><a href="#one">One</a></nav>
<h2>One</h2><p>Lead with a <a href="table.csv">link</a>.</p>
<figure><img src="data:," alt="A"><figcaption><h3>First &amp; best</h3>
<span>90.0 %</span> of <em>*all*</em> a_b | 2 &lt; 3. <a href="first.png">first.png</a>
</figcaption></figure>
<h2>Two</h2>
<figure><figcaption><h3>Second</h3><a href="2.png">2.png</a></figcaption></figure>
<figure><figcaption><h3>No file</h3>Nothing to link to.</figcaption></figure>
"""


@pytest.fixture
def texts(tmp_path: Path) -> FigureTexts:
    page = tmp_path / "index.html"
    page.write_text(PAGE, encoding="utf-8")
    return FigureTexts(page)


def test_texts_are_those_of_the_page() -> None:
    assert report_page.read(PAGE) == {
        "first.png": FigureText("One", "First & best", "90.0 % of *all* a_b | 2 < 3."),
        "2.png": FigureText("Two", "Second", ""),
    }


def test_a_figure_is_known_by_its_name(texts: FigureTexts) -> None:
    assert texts.of("first").title == "First & best"
    assert texts.of("third") == FigureText("Figures", "third", "")


def test_there_may_be_no_page_yet(tmp_path: Path) -> None:
    assert FigureTexts(tmp_path / "none.html").of("first") == FigureText("Figures", "first", "")


def test_found_19_nothing_in_a_caption_is_markup(texts: FigureTexts) -> None:
    body = publish_parts(texts.restructured("first"), writer="html")["body"]
    assert body.strip() == "<p>90.0 % of *all* a_b | 2 &lt; 3.</p>"
