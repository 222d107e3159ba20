"""The report's section on zero-shot classification: figures, tables and captions."""

import csv
import io
from collections import Counter

from hw2.figures import clip_attributes, clip_galleries, clip_plots, clip_text, formatting
from hw2.figures.clip_plots import MAX_CLASSES, p_value
from hw2.figures.clip_records import Attribute, Example, Records, Row
from hw2.figures.records import Interval
from hw2.figures.sections import DataFile, Figure, Section, Stat, Table


def section(data: Records) -> Section:
    """Write the texts and tables of the section."""
    tables = (_table(data), *_groups(data))
    return Section(
        anchor="clip",
        title="Zero-shot classification with CLIP",
        lead=(
            "A model that was trained on images with captions assigns each image to the class "
            "whose text features are the most similar; no classifier is trained. A prompt set is a "
            "list of templates for the class name, whose text features are averaged."
        ),
        stats=_stats(data),
        introduction=clip_text.introduction(data),
        conclusion=clip_text.conclusion(data),
        tables=tables,
        data_files=(
            DataFile("clip_table.csv", _csv(data)),
            DataFile("clip_table.md", "\n".join(table.markdown() for table in tables)),
        ),
    )


def _stats(data: Records) -> tuple[Stat, ...]:
    rows = [row for row in data.rows if row.prompts == data.prompts]
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


def _table(data: Records) -> Table:
    several = len(data.models) > 1
    head = (
        *("Model", "Prompts", "Accuracy", "Top 5", "Mean recall"),
        *("Gain over first prompts", "p"),
        *(("Gain over first model", "p") if several else ()),
    )
    return Table(
        title="Accuracy by model and prompt set",
        head=head,
        rows=tuple(_cells(row, several) for row in data.rows),
        note=(
            f"In parentheses: the number of prompts, and {formatting.LEVEL} intervals. "
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
    return formatting.difference(gain, 100), p_value(p).removeprefix("p = ").removeprefix("p ")


def _groups(data: Records) -> tuple[Table, ...]:
    """Accuracy of each group of images, for every model and prompt set."""
    names = list(dict.fromkeys(name for row in data.rows for name in row.groups))
    if not names:
        return ()
    return (
        Table(
            title="Accuracy by group of images",
            head=("Model", "Prompts", *(name.capitalize() for name in names)),
            rows=tuple(
                (
                    row.model,
                    row.prompts,
                    *(formatting.accuracy(row.groups[name]) for name in names),
                )
                for row in data.rows
            ),
            note="Unseen pairs: no training image shows this color with this shape.",
        ),
    )


def correct_predictions(data: Records, dpi: int) -> list[Figure]:
    """Images that the model classifies correctly."""
    return [_gallery(data, "clip_successes.png", "Correct predictions", "correctly")]


def wrong_predictions(data: Records, dpi: int) -> list[Figure]:
    """Images that the model classifies wrongly."""
    return [_gallery(data, "clip_failures.png", "Wrong predictions", "wrongly")]


def _gallery(data: Records, name: str, title: str, outcome: str) -> Figure:
    """The examples whose predictions are correct, or wrong, and how many there are of them."""
    correct = outcome == "correctly"
    examples = [e for e in data.examples if e.prediction.correct == correct]
    count = sum(p.correct == correct for p in data.predictions)
    note = _note(count, len(examples), len(data.predictions), outcome)
    start = f"With {data.shown_model} and the prompt set {data.prompts}"
    texts = [f"{start}, {note[0].lower()}{note[1:]}"]
    if len(examples) < count:
        texts.append("They are sampled at random, of different classes where there are enough.")
    if examples:
        wrong = "" if correct else ", orange is the wrong prediction"
        texts.append(
            "Bars show the five most likely classes and their confidence; blue is the true class"
            f"{wrong}."
        )
    return Figure(
        name=name,
        record="clip_examples",
        plot=clip_galleries.gallery(examples, note),
        title=title,
        caption=" ".join(texts),
        alt=_predictions(examples) or note,
        wide=False,
    )


def _note(count: int, shown: int, images: int, outcome: str) -> str:
    if not count:
        return f"None of the {images} images is classified {outcome}."
    verb = "is" if count == 1 else "are"
    if shown == count:
        these = "it is shown" if count == 1 else "all are shown"
        return f"Only {count} of {images} images {verb} classified {outcome}; {these}."
    return f"{count} of {images} images {verb} classified {outcome}; {shown} of them are shown."


def _predictions(examples: list[Example]) -> str:
    return "; ".join(
        f"{example.prediction.true}: predicted {name}, {100 * share:.0f} %"
        for example in examples
        for name, share in example.prediction.top[:1]
    )


def prompt_sets(data: Records, dpi: int) -> list[Figure]:
    """Accuracy of every prompt set."""
    return [
        Figure(
            name="clip_templates.png",
            record="clip_details",
            plot=clip_plots.templates(data),
            title="Accuracy by prompt set",
            caption=(
                f"Accuracy on {data.rows[0].acc1.n} images with {formatting.LEVEL} intervals; the "
                "number of prompts of each set is in parentheses. Dashed: the first prompt set. p: "
                "McNemar's exact test against the first prompt set on the same images."
            ),
            alt="; ".join(
                f"{row.model}, {row.prompts}: {100 * row.acc1.value:.1f} %" for row in data.rows
            ),
        )
    ]


def per_class(data: Records, dpi: int) -> list[Figure]:
    """Accuracy of every class."""
    return [
        Figure(
            name="clip_per_class.png",
            record="clip_classes",
            plot=clip_plots.per_class(data),
            title="Accuracy by class",
            caption=(
                f"{_subject(data)} Bars are {formatting.LEVEL} intervals. On the right: the most "
                "frequent wrong prediction and its number of images."
            ),
            alt="Accuracy of every class with its interval, in rising order.",
        )
    ]


def confusion(data: Records, dpi: int) -> list[Figure]:
    """The confusion matrices of the classes' attributes, or that of the classes."""
    return [_attributes(data) if clip_attributes.drawable(data) else _classes(data)]


def _attributes(data: Records) -> Figure:
    name = " and ".join(attribute.name for attribute in data.attributes)
    shares = [f"{attribute.name} {_right(attribute)}" for attribute in data.attributes]
    return Figure(
        name="clip_confusion.png",
        record="clip_predictions",
        plot=clip_attributes.matrices(data),
        title=f"Confusions of {name}",
        caption=(
            f"{data.shown_model} with the prompt set {data.prompts}, "
            f"n{formatting.NBSP}={formatting.NBSP}{len(data.predictions)} images. Each cell is the "
            "share, in %, of the images of its row whose prediction is of its column; empty cells "
            f"are 0. Correct: {', '.join(shares)}."
        ),
        alt=f"Matrix of true against predicted values of each attribute: {'; '.join(shares)}.",
    )


def _right(attribute: Attribute) -> str:
    """How often an attribute is predicted correctly, and the number of images of its values."""
    pairs = zip(attribute.true, attribute.predicted, strict=True)
    correct = sum(true == predicted for true, predicted in pairs) / len(attribute.true)
    sizes = formatting.sizes(list(Counter(attribute.true).values()))
    return f"{formatting.percent(correct)} ({sizes} of each)"


def _classes(data: Records) -> Figure:
    return Figure(
        name="clip_confusion.png",
        record="clip_predictions",
        plot=clip_plots.confusion(data),
        title="Confusion matrix",
        caption=(
            f"{_subject(data)} Each cell is the share of the images of the true class (row) "
            "that were predicted as the class of the column."
        ),
        alt="Matrix of the true class against the predicted class.",
    )


def _subject(data: Records) -> str:
    classes = len({prediction.true for prediction in data.predictions})
    images = f"{len(data.predictions)} images."
    if classes > MAX_CLASSES:
        images += f" Of {classes} classes, the {MAX_CLASSES} with the most errors."
    return f"{data.shown_model} with the prompt set {data.prompts}, {images}"


def _csv(data: Records) -> str:
    """Every number of the tables, unrounded: one row per model and prompt set."""
    text = io.StringIO()
    groups = list(dict.fromkeys(name for row in data.rows for name in row.groups))
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
    for row in data.rows:
        table.writerow(
            [
                *(
                    row.model,
                    row.prompts,
                    row.templates,
                    *formatting.csv_cells(row.acc1),
                    row.acc1.n,
                ),
                *(*formatting.csv_cells(row.acc5), row.recall),
                *(*formatting.csv_cells(row.gain), row.p),
                *(*formatting.csv_cells(row.model_gain), row.model_p),
                *(
                    v
                    for g in groups
                    for v in (*formatting.csv_cells(row.groups[g]), row.groups[g].n)
                ),
            ]
        )
    return text.getvalue()
