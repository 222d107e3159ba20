"""The report's section on zero-shot classification: its figures, tables and words."""

import csv
import io

from hw2.figures import clip_plots, formatting
from hw2.figures.clip_plots import MOST, p_value
from hw2.figures.clip_records import Row, Zeroshot
from hw2.figures.records import Interval
from hw2.figures.sections import Plate, Section, Sheet, Stat, Table


def section(found: Zeroshot) -> Section:
    """Draw every figure of the section and write its words."""
    shown = found.prompts
    tables = (_table(found), *_groups(found))
    return Section(
        anchor="clip",
        title="Zero-shot classification with CLIP",
        lead=(
            "A model that was trained on pictures with captions classifies images by the caption "
            "that fits best: no classifier is trained. A prompt set is the list of sentences into "
            "which the name of a class is put; their features are averaged."
        ),
        stats=_stats(found, shown),
        tables=tables,
        plates=(*_galleries(found, shown), *_overviews(found, shown)),
        sheets=(
            Sheet("clip_table.csv", _csv(found)),
            Sheet("clip_table.md", "\n".join(_markdown(table) for table in tables)),
        ),
    )


def _stats(found: Zeroshot, shown: str) -> tuple[Stat, ...]:
    rows = [row for row in found.rows if row.prompts == shown]
    stats = [
        Stat(
            f"{row.model}, prompts {row.prompts}",
            formatting.percent(row.acc1.value),
            f"{formatting.LEVEL} interval {formatting.bounds(row.acc1)}",
        )
        for row in rows
    ]
    stats += [
        Stat(f"{rows[0].model}, {name}", formatting.percent(share.value),
             f"{formatting.LEVEL} interval {formatting.bounds(share)}")
        for name, share in rows[0].groups.items()
        if name.startswith("unseen")
    ]  # fmt: skip
    return tuple(stats)


def _table(found: Zeroshot) -> Table:
    several = len(found.models) > 1
    head = (
        *("Model", "Prompts", "Accuracy", "Top 5", "Mean recall"),
        *("Over the first prompts", "p"),
        *(("Over the first model", "p") if several else ()),
    )
    return Table(
        title="Accuracy by model and prompt set",
        head=head,
        rows=tuple(_cells(row, several) for row in found.rows),
        note=(
            f"In brackets: the number of prompts, and {formatting.LEVEL} intervals. "
            "Differences, in "
            "points, are paired over the images; p is McNemar's exact test of each against the "
            "first prompt set of its model, or against the first model with the same prompts. "
            "The p-values are not corrected for their number."
        ),
    )


def _cells(row: Row, several: bool) -> tuple[str, ...]:
    cells = (
        row.model,
        f"{row.prompts} ({row.templates})",
        formatting.accuracy(row.acc1),
        formatting.percent(row.acc5.value),
        formatting.percent(row.recall),
        *_compared(row.gain, row.p),
    )
    return (*cells, *_compared(row.model_gain, row.model_p)) if several else cells


def _compared(gain: Interval | None, p: float | None) -> tuple[str, str]:
    if gain is None or p is None:
        return formatting.DASH, formatting.DASH
    value, low, high = (
        f"{100 * v:+.1f}".replace("-", "\N{MINUS SIGN}") for v in (gain.value, gain.low, gain.high)
    )
    return f"{value} ({low} to {high})", p_value(p).removeprefix("p = ").removeprefix("p ")


def _groups(found: Zeroshot) -> tuple[Table, ...]:
    """Accuracy of parts of the images apart, of every model."""
    names = list(dict.fromkeys(name for row in found.rows for name in row.groups))
    if not names:
        return ()
    return (
        Table(
            title="The same for groups of images",
            head=("Model", "Prompts", *(name.capitalize() for name in names)),
            rows=tuple(
                (
                    row.model,
                    row.prompts,
                    *(formatting.accuracy(row.groups[name]) for name in names),
                )
                for row in found.rows
            ),
            note="Unseen pairs: no training picture shows this colour with this shape.",
        ),
    )


def _galleries(found: Zeroshot, shown: str) -> tuple[Plate, ...]:
    right = [example for example in found.examples if example.answer.right]
    wrong = [example for example in found.examples if not example.answer.right]
    how = (
        f"Drawn at random among the images that {found.shown} classifies {{}} with the prompts "
        f"{shown}, of different classes. Bars: its five most likely classes and their confidence; "
        "blue is the true class"
    )
    plates = []
    if right:
        plates.append(
            Plate(
                name="clip_successes.png",
                figure=clip_plots.answers(right),
                title="Right answers",
                caption=f"{how.format('rightly')}.",
                alt="; ".join(_told(example.answer.true, example.answer.top) for example in right),
                wide=False,
            )
        )
    if wrong:
        plates.append(
            Plate(
                name="clip_failures.png",
                figure=clip_plots.answers(wrong),
                title="Wrong answers",
                caption=f"{how.format('wrongly')}, orange the wrong answer.",
                alt="; ".join(_told(example.answer.true, example.answer.top) for example in wrong),
                wide=False,
            )
        )
    return tuple(plates)


def _told(true: str, top: tuple[tuple[str, float], ...]) -> str:
    name, share = top[0]
    return f"{true}: {name}, {100 * share:.0f} %"


def _overviews(found: Zeroshot, shown: str) -> tuple[Plate, ...]:
    classes = len({answer.true for answer in found.answers})
    some = "" if classes <= MOST else f" Of {classes} classes the {MOST} with the most mistakes."
    of = f"{found.shown} with the prompts {shown}, {len(found.answers)} images.{some}"
    return (
        Plate(
            name="clip_templates.png",
            figure=clip_plots.templates(found),
            title="Prompt sets",
            caption=(
                "Accuracy of every prompt set, the number of its prompts in brackets; dashed: the "
                "first. p: McNemar's exact test against the first on the same images."
            ),
            alt="; ".join(
                f"{row.model}, {row.prompts}: {100 * row.acc1.value:.1f} %" for row in found.rows
            ),
        ),
        Plate(
            name="clip_per_class.png",
            figure=clip_plots.per_class(found),
            title="Class by class",
            caption=f"{of} At the right the commonest wrong answer and how often it was given.",
            alt="Accuracy of every class with its interval, the worst first.",
        ),
        Plate(
            name="clip_confusion.png",
            figure=clip_plots.confusion(found),
            title="Which class is taken for which",
            caption=f"{of} Rows sum to one where no class is left out.",
            alt="Matrix of the true class against the predicted one.",
        ),
    )


def _csv(found: Zeroshot) -> str:
    """Every number of the tables, unrounded: a line per model and prompt set."""
    text = io.StringIO()
    groups = list(dict.fromkeys(name for row in found.rows for name in row.groups))
    ends = ("", "_low", "_high")
    head = [
        *("model", "prompts", "templates", *(f"acc1{e}" for e in ends), "n"),
        *(*(f"acc5{e}" for e in ends), "recall"),
        *(*(f"gain{e}" for e in ends), "p"),
        *(*(f"model_gain{e}" for e in ends), "model_p"),
        *(f"{group}{e}" for group in groups for e in ("", " low", " high", " n")),
    ]
    table = csv.writer(text, lineterminator="\n")
    table.writerow(head)
    for row in found.rows:
        table.writerow(
            [
                *(row.model, row.prompts, row.templates, *_ends(row.acc1), row.acc1.n),
                *(*_ends(row.acc5), row.recall),
                *(*_ends(row.gain), row.p),
                *(*_ends(row.model_gain), row.model_p),
                *(v for g in groups for v in (*_ends(row.groups[g]), row.groups[g].n)),
            ]
        )
    return text.getvalue()


def _ends(found: Interval | None) -> tuple[float | None, ...]:
    return (found.value, found.low, found.high) if found else (None, None, None)


def _markdown(table: Table) -> str:
    lines = [table.head, tuple("---" for _ in table.head), *table.rows]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"## {table.title}\n\n{body}\n\n{table.note}\n".replace(formatting.NBSP, " ")
