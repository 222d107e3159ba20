"""The report's page: one HTML file with embedded images, which needs no other file."""

import base64
import re
from collections.abc import Mapping, Sequence
from html import escape

from hw2.figures.css import CSS
from hw2.figures.formatting import DASH
from hw2.figures.javascript import JAVASCRIPT
from hw2.figures.sections import Figure, Section, Stat, Table, Text

TITLE = "Diffusion, domain adaptation, CLIP and personalization"
SUBTITLE = "Report of a run of hw2, a reproduction of NTU's homework on these topics"
FOOT = "All figures and numbers are read from the results of the pipeline's stages."
_CODE = re.compile(r"`([^`]+)`")
_INTERVAL = re.compile(rf"[\d.]+{DASH}[^ ()]+")


def render(
    sections: Sequence[Section], images: Mapping[str, bytes], stages: Mapping[str, str]
) -> str:
    """Return the page as HTML.

    Args:
        sections: The sections, in the order of the page.
        images: The PNG files of all figures by name.
        stages: The stage that makes each record, by name in paths.yaml.

    Raises:
        KeyError: a figure's image is not among `images`, or its record not among `stages`.
    """
    body = "\n".join(_section(section, images, stages) for section in sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(TITLE)}</title>
<style>{CSS}</style>
</head>
<body>
<header><h1>{escape(TITLE)}</h1><p class="lead">{escape(SUBTITLE)}</p></header>
{_contents(sections)}
<main>
{body}
</main>
<footer>{escape(FOOT)}</footer>
<dialog id="enlarged" aria-label="Enlarged figure"></dialog>
<script>{JAVASCRIPT}</script>
</body>
</html>
"""


def _contents(sections: Sequence[Section]) -> str:
    if len(sections) < 2:
        return ""
    links = "".join(
        f'<li><a href="#{escape(section.anchor)}">{escape(section.title)}</a></li>'
        for section in sections
    )
    return f'<nav aria-label="Contents"><ol>{links}</ol></nav>'


def _text(text: str) -> str:
    """Return `text` for HTML: `code` in backticks, and intervals with their units on one line."""
    marked = _INTERVAL.sub(r'<span class="nowrap">\g<0></span>', escape(text))
    return _CODE.sub(r"<code>\1</code>", marked)


def _section(section: Section, images: Mapping[str, bytes], stages: Mapping[str, str]) -> str:
    parts = [
        f"<h2>{escape(section.title)}</h2>",
        f'<p class="lead">{_text(section.lead)}</p>',
        f'<dl class="stats">{"".join(map(_stat, section.stats))}</dl>' if section.stats else "",
        *map(_paragraphs, section.introduction),
        _figures(section.figures, images, stages),
        *map(_table, section.tables),
        *map(_paragraphs, section.conclusion),
    ]
    content = "\n".join(filter(None, parts))
    return f'<section id="{escape(section.anchor)}">\n{content}\n</section>'


def _paragraphs(text: Text) -> str:
    paragraphs = "\n".join(f"<p>{_text(paragraph)}</p>" for paragraph in text.paragraphs)
    return f'<div class="text"><h3>{_text(text.title)}</h3>\n{paragraphs}</div>'


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
<div class="scroll"><table><thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody></table></div>{note}</div>"""


def _row(row: Sequence[str], columns: int) -> str:
    label, *cells = row
    spare = columns - len(row)
    span = f' colspan="{spare + 1}"' if spare else ""
    tags = ["<td>"] * (len(cells) - 1) + [f"<td{span}>"]
    texts = "".join(f"{tag}{_text(cell)}</td>" for tag, cell in zip(tags, cells, strict=True))
    return f'<tr><th scope="row">{_text(label)}</th>{texts}</tr>'


def _figures(
    figures: Sequence[Figure], images: Mapping[str, bytes], stages: Mapping[str, str]
) -> str:
    shown = "\n".join(
        _figure(figure, images[figure.name], stages[figure.record]) for figure in figures
    )
    return f'<div class="figures">\n{shown}\n</div>' if figures else ""


def _figure(figure: Figure, png: bytes, stage: str) -> str:
    css_class = "panel wide" if figure.wide else "panel"
    data = base64.b64encode(png).decode("ascii")
    again = f"dvc repro --force --single-item {stage} report_figs"
    return f"""<figure class="{css_class}">
<img src="data:image/png;base64,{data}" alt="{escape(figure.alt)}">
<figcaption><h3>{_text(figure.title)}</h3>
{_text(figure.caption)}
<p class="source"><a href="{escape(figure.name)}">{escape(figure.name)}</a>, made again by
<code>{escape(again)}</code></p></figcaption>
</figure>"""
