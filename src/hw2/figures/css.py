"""The page's style sheet. It is Python code, so a change of it reruns the report."""

CSS = """
:root {
  color-scheme: light dark;
  --ink: #1f2328; --muted: #57606a; --paper: #ffffff; --card: #f6f8fa;
  --line: #d8dee4; --accent: #0072b2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6edf3; --muted: #9aa4af; --paper: #0f1318; --card: #181d24;
    --line: #2c343d; --accent: #56b4e9;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 3rem; }
h1 { font-size: clamp(1.7rem, 4vw, 2.3rem); line-height: 1.2; margin: 0; letter-spacing: -.02em; }
h2 { font-size: 1.45rem; margin: 3rem 0 .5rem; letter-spacing: -.01em; }
h3 { font-size: 1rem; margin: 0 0 .6rem; }
a { color: var(--accent); text-underline-offset: .2em; }
code { font: .88em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.lead, .note, .source, figcaption, footer { color: var(--muted); }
.lead { max-width: 46rem; margin: .25rem 0 1.5rem; }
nav { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
nav ol { columns: 18rem; column-gap: 2rem; padding: .8rem 1.1rem .8rem 2.4rem; margin: 0;
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
nav li { break-inside: avoid; padding: .15rem 0; }
.text { max-width: 46rem; margin: 0 0 1.5rem; }
.text h3 { margin: 1.6rem 0 .4rem; }
.text p { margin: 0 0 .8rem; }
.stats, .figures { display: grid; gap: 1rem; padding: 0; margin: 0 0 1.5rem; }
.stats { grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); }
.stat, .panel, .table {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.1rem;
}
.stat dt, .stat .detail { color: var(--muted); font-size: .85rem; }
.stat dd { margin: 0; }
.stat .value {
  font-size: 1.9rem; font-weight: 650; line-height: 1.3; font-variant-numeric: tabular-nums;
}
.table { margin: 0 0 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .45rem 1.2rem .45rem 0; vertical-align: top; }
td { font-variant-numeric: tabular-nums; min-width: 4.5rem; }
thead th { color: var(--muted); font-weight: 500; }
tbody tr { border-top: 1px solid var(--line); }
tbody th { font-weight: 500; min-width: 7rem; }
.nowrap { white-space: nowrap; }
.note { font-size: .85rem; margin: .6rem 0 0; }
.figures { grid-template-columns: repeat(2, minmax(0, 1fr)); margin-top: 1.5rem; }
.panel { margin: 0; }
.panel.wide { grid-column: 1 / -1; }
.panel img { display: block; width: 100%; height: auto; background: #fff; border-radius: 6px;
  cursor: zoom-in; }
.panel.wide img { max-width: 46rem; margin: 0 auto; }
@media (prefers-color-scheme: dark) { .panel img { padding: .4rem; } }
figcaption { font-size: .9rem; margin-top: .8rem; }
figcaption h3 { color: var(--ink); margin: 0 0 .2rem; }
.source { font-size: .8rem; margin: .4rem 0 0; }
dialog { width: 96vw; max-width: 96vw; max-height: 96vh; padding: 0; border: 0; background: #fff; }
dialog img { display: block; width: 100%; max-height: 96vh; object-fit: contain;
  cursor: zoom-out; }
dialog::backdrop { background: rgb(0 0 0 / .8); }
footer { font-size: .85rem; padding-top: 1rem; padding-bottom: 3rem; }
@media (max-width: 46rem) { .figures { grid-template-columns: 1fr; } }
@media print {
  :root {
    --ink: #000; --muted: #333; --paper: #fff; --card: #fff; --line: #bbb; --accent: #000;
  }
  body { font-size: 10pt; }
  nav, .source { display: none; }
  .panel, .stat, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; }
}
"""
