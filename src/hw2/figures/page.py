"""The report's page: one HTML file with embedded images, which needs no other file."""

import base64
import re
from collections.abc import Mapping, Sequence
from html import escape

from hw2.figures.css import CSS
from hw2.figures.formatting import DASH
from hw2.figures.sections import Figure, Section, Stat, Table

TITLE = "Homework 2: diffusion, domain adaptation, CLIP and personalization"
FOOT = "All figures and numbers are read from the results of the pipeline's stages."


def render(sections: Sequence[Section], images: Mapping[str, bytes]) -> str:
    """Return the page as HTML; `images` are the PNG files of all figures by name.

    Raises:
        KeyError: a figure's image is not among `images`.
    """
    links = "".join(
        f'<li><a href="#{escape(section.anchor)}">{escape(section.title)}</a></li>'
        for section in sections
    )
    nav = f'<nav aria-label="Sections"><ul>{links}</ul></nav>' if len(sections) > 1 else ""
    body = "\n".join(_section(section, images) for section in sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(TITLE)}</title>
<style>{CSS}</style>
</head>
<body>
<header><h1>{escape(TITLE)}</h1>{nav}</header>
<main>
{body}
</main>
<footer>{escape(FOOT)}</footer>
</body>
</html>
"""


def _text(text: str) -> str:
    """Return `text` for HTML; an interval and its unit stay on one line."""
    return re.sub(rf"[\d.]+{DASH}[^ ()]+", r'<span class="nowrap">\g<0></span>', escape(text))


def _section(section: Section, images: Mapping[str, bytes]) -> str:
    stats = "".join(_stat(stat) for stat in section.stats)
    tables = "\n".join(_table(table) for table in section.tables)
    figures = "\n".join(_figure(figure, images[figure.name]) for figure in section.figures)
    return f"""<section id="{escape(section.anchor)}">
<h2>{escape(section.title)}</h2>
<p class="lead">{_text(section.lead)}</p>
<dl class="stats">{stats}</dl>
{tables}
<div class="figures">
{figures}
</div>
</section>"""


def _stat(stat: Stat) -> str:
    return (
        f'<div class="stat"><dt>{_text(stat.label)}</dt>'
        f'<dd class="value">{_text(stat.value)}</dd>'
        f'<dd class="detail">{_text(stat.detail)}</dd></div>'
    )


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in table.head)
    rows = "\n".join(_row(row, len(table.head)) for row in table.rows)
    note = f'<p class="note">{_text(table.note)}</p>' if table.note else ""
    return f"""<div class="table"><h3>{_text(table.title)}</h3>
<table><thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody></table>{note}</div>"""


def _row(row: Sequence[str], columns: int) -> str:
    label, *cells = row
    spare = columns - len(row)
    span = f' colspan="{spare + 1}"' if spare else ""
    tags = ["<td>"] * (len(cells) - 1) + [f"<td{span}>"]
    texts = "".join(f"{tag}{_text(cell)}</td>" for tag, cell in zip(tags, cells, strict=True))
    return f'<tr><th scope="row">{escape(label)}</th>{texts}</tr>'


def _figure(figure: Figure, png: bytes) -> str:
    css_class = "panel wide" if figure.wide else "panel"
    data = base64.b64encode(png).decode("ascii")
    return f"""<figure class="{css_class}">
<img src="data:image/png;base64,{data}" alt="{escape(figure.alt)}">
<figcaption><h3>{_text(figure.title)}</h3>
{_text(figure.caption)} <a href="{escape(figure.name)}">{escape(figure.name)}</a></figcaption>
</figure>"""
