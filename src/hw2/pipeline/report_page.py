"""The texts of the report's page, for the report that Snakemake makes of the same figures.

Snakemake asks for category, labels and caption of a figure by its name. The page has all three, so
they are read from it and written nowhere else.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path


@dataclass(frozen=True)
class FigureText:
    """The texts of one figure.

    Attributes:
        section: Title of the section of the page that shows the figure.
        title: Title of the figure.
        caption: Its caption, as plain text.
    """

    section: str
    title: str
    caption: str


class FigureTexts:
    """The texts of the figures of a page, which is read when the first one is asked for.

    Without the page, and for a figure that it does not show, the texts are the figure's name or
    empty: Snakemake also reads its rules before there are results.
    """

    def __init__(self, page: Path) -> None:
        """Take the texts from the HTML file `page`."""
        self._page = page

    @cached_property
    def _texts(self) -> Mapping[str, FigureText]:
        return read(self._page.read_text(encoding="utf-8")) if self._page.is_file() else {}

    def of(self, figure: str) -> FigureText:
        """The texts of the file `figure`.png."""
        return self._texts.get(f"{figure}.png", FigureText("Figures", figure, ""))

    def restructured(self, figure: str) -> str:
        """The caption of `figure` in reStructuredText, in which nothing of it is markup."""
        return re.sub(r"([^\w\s])", r"\\\1", self.of(figure).caption)


def read(html: str) -> dict[str, FigureText]:
    """The texts of all figures of a page, by the name of the file that the caption links to."""
    parser = _Parser()
    parser.feed(html)
    return parser.figures


class _Parser(HTMLParser):
    """Collects `h2` as section, and of each `figcaption` its `h3`, its link and all other text.

    A paragraph in it (how to make the figure again) is no part of the caption.
    """

    def __init__(self) -> None:
        super().__init__()
        self.figures: dict[str, FigureText] = {}
        self._texts = {"h2": "", "h3": "", "a": "", "p": "", "figcaption": ""}
        self._open: list[str] = []  # the tags of interest that are open
        self._file = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self._texts:
            return
        if tag == "figcaption":
            self._texts |= {"h3": "", "a": "", "figcaption": ""}
            self._file = ""
        elif tag != "a":
            self._texts[tag] = ""
        elif "figcaption" in self._open:
            self._file = dict(attrs).get("href") or self._file
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            return
        while self._open.pop() != tag:
            pass
        if tag == "figcaption" and self._file:
            section, title, caption = (
                " ".join(self._texts[name].split()) for name in ("h2", "h3", "figcaption")
            )
            self.figures[self._file] = FigureText(section, title, caption)

    def handle_data(self, data: str) -> None:
        if self._open:
            self._texts[self._open[-1]] += data
