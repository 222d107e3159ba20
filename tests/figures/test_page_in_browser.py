"""The report's page works in a real browser, on a laptop and a phone, light, dark and printed."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import browser
import pytest
import screenshots
from browser import Browser, Tab
from reading import draw_report

pytestmark = pytest.mark.slow

READABLE = 4.5  # least contrast of text: WCAG 2.2, success criterion 1.4.3, level AA
SHOWN_WITH = [(width, scheme) for width in screenshots.WIDTHS for scheme in screenshots.SCHEMES]

IMAGES = """
Promise.all([...document.images].map(async (image) => {
  image.loading = "eager";
  await image.decode().catch(() => null);
  return [image.alt.trim(), image.naturalWidth];
}))
"""
MISSING_TARGETS = """
[...document.querySelectorAll('a[href^="#"]')].map((link) => link.getAttribute("href"))
  .filter((href) => !document.getElementById(decodeURIComponent(href.slice(1))))
"""
# A vertical scroll bar takes part of the window's width.
EXCESS_WIDTH = """
document.documentElement.scrollWidth - document.documentElement.clientWidth
"""
# For each element with text of its own: its text, and the contrast of its color to what is behind
# it. A canvas turns every notation of a color into red, green, blue and opacity from 0 to 255.
CONTRASTS = """
(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const paint = (colors) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = (pixel) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, k) => {
    const value = pixel[k] / 255;
    return sum + weight * (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  }, 0);
  const behind = (element) => {
    const colors = [];
    for (let node = element; node; node = node.parentElement) {
      colors.unshift(getComputedStyle(node).backgroundColor);
    }
    return ["Canvas", ...colors];
  };
  const own = (element) => [...element.childNodes]
    .filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data).join("").trim();
  return [...document.body.querySelectorAll("*")]
    .filter((element) => own(element) && element.checkVisibility())
    .map((element) => {
      const background = behind(element);
      const shades = [paint(background), paint([...background, getComputedStyle(element).color])]
        .map(luminance).sort((a, b) => b - a);
      return [own(element), (shades[0] + 0.05) / (shades[1] + 0.05)];
    });
})()
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    binary = browser.find()
    if binary is None:
        pytest.skip("no Chromium: install it, or set HW2_CHROMIUM to its path")
    with Browser(binary) as started:
        yield started


@pytest.fixture(scope="module")
def page(
    records_in: Callable[..., dict[str, Path]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    paths = records_in(tmp_path_factory.mktemp("page"))
    draw_report(paths)
    return paths["report_figs"] / "index.html"


@pytest.fixture(scope="module", params=SHOWN_WITH, ids=lambda shown: f"{shown[0]}-{shown[1]}")
def tab(request: pytest.FixtureRequest, chromium: Browser, page: Path) -> Tab:
    width, scheme = request.param
    return Tab(chromium, page, width, scheme)


def test_it_loads_nothing_but_itself_and_without_a_complaint(tab: Tab, page: Path) -> None:
    elsewhere = [url for url in tab.requests if not url.startswith("data:")]
    assert elsewhere == [page.resolve().as_uri()]
    assert tab.problems == []


def test_every_image_is_shown_and_described(tab: Tab, page: Path) -> None:
    images = tab.value(IMAGES)
    assert len(images) == len(list(page.parent.glob("*.png")))
    assert not [alt for alt, width in images if not alt or width == 0]


def test_every_link_within_the_page_has_its_target(tab: Tab) -> None:
    assert tab.value("document.querySelectorAll('nav a[href^=\"#\"]').length") > 1
    assert tab.value(MISSING_TARGETS) == []


def test_it_fits_the_width_of_the_window(tab: Tab) -> None:
    assert tab.value("innerWidth") in screenshots.WIDTHS
    assert tab.value(EXCESS_WIDTH) == 0


def test_all_text_has_a_readable_contrast(tab: Tab) -> None:
    contrasts = tab.value(CONTRASTS)
    assert len(contrasts) > 100
    assert not [(text, contrast) for text, contrast in contrasts if contrast < READABLE]


def test_dark_and_light_differ(chromium: Browser, page: Path) -> None:
    color = "getComputedStyle(document.body).backgroundColor"
    colors = {Tab(chromium, page, 1440, scheme).value(color) for scheme in screenshots.SCHEMES}
    assert len(colors) == 2


def test_it_can_be_printed(chromium: Browser, page: Path) -> None:
    pdf = Tab(chromium, page, 1440, "light").pdf()
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", pdf)) > 1


FAULTY = """<!doctype html>
<meta name="viewport" content="width=device-width">
<style>p { color: #999; background: rgba(255, 255, 255, .9) }</style>
<a href="#nowhere">link</a>
<p>gray on white</p>
<div style="width: 2000px">wide</div>
<img src="data:image/png;base64,AAAA" alt="broken"><img src="http://127.0.0.1:9/none.png" alt="">
<script>throw Error("thrown")</script>
"""


@pytest.mark.parametrize("width", screenshots.WIDTHS)
def test_the_checks_find_the_faults_of_a_page(
    chromium: Browser, tmp_path: Path, width: int
) -> None:
    page = tmp_path / "faulty.html"
    page.write_text(FAULTY, encoding="utf-8")
    tab = Tab(chromium, page, width, "light")
    assert "http://127.0.0.1:9/none.png" in tab.requests
    assert any("thrown" in problem for problem in tab.problems)
    assert tab.value(IMAGES) == [["broken", 0], ["", 0]]
    assert tab.value(MISSING_TARGETS) == ["#nowhere"]
    assert tab.value(EXCESS_WIDTH) > 0
    contrasts = dict(tab.value(CONTRASTS))
    assert contrasts["gray on white"] == pytest.approx(2.85, abs=0.01)  # of #999 on white
    assert contrasts["wide"] == pytest.approx(21)


def test_screenshots_are_saved(chromium: Browser, page: Path, tmp_path: Path) -> None:
    Tab(chromium, page, 390, "dark").screenshot(tmp_path / "page.png")
    header = (tmp_path / "page.png").read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    assert int.from_bytes(header[16:20]) == 390
    assert int.from_bytes(header[20:24]) > 900


def test_a_browser_that_is_no_browser_is_reported(tmp_path: Path) -> None:
    with Browser("/bin/false") as none, pytest.raises(browser.BrowserError, match="ended"):
        none.call("Browser.getVersion")


def test_a_browser_that_is_named_but_missing_is_no_reason_to_skip(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HW2_CHROMIUM", "/nowhere/chromium")
    with pytest.raises(browser.BrowserError, match="HW2_CHROMIUM: no program '/nowhere/chromium'"):
        browser.find()


def test_the_script_of_screenshots_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["screenshots.py", str(tmp_path / "none.html"), str(tmp_path)])
    with pytest.raises(SystemExit, match=r"none\.html: no such page; `make report`"):
        screenshots.main()
