"""The report's section on personalization: its figures, tables and words."""

import csv
import io

from hw2.figures import formatting, personalization_plots
from hw2.figures.personalization_records import METHODS, SCORES, Concept, Records
from hw2.figures.records import Interval
from hw2.figures.sections import DataFile, Figure, Section, Stat, Table

MINUS = "\N{MINUS SIGN}"


def section(data: Records) -> Section:
    """Write the texts and tables of the section."""
    table = _methods(data)
    return Section(
        anchor="inversion",
        title="Personalization by textual inversion",
        lead=(
            "A new word is learnt from a few photographs: only its row of the text encoder's "
            "embedding trains, the model stays as it is. Scores are 100 times a cosine of CLIP, "
            "of an image with the photographs (image score) and with the prompt (text score)."
        ),
        stats=_stats(data),
        tables=(_concepts(data), *((table,) if data.methods else ())),
        data_files=(
            (
                DataFile("multi_concept_table.csv", _csv(data)),
                DataFile("multi_concept_table.md", _markdown(table)),
            )
            if data.methods
            else ()
        ),
    )


def _stats(data: Records) -> tuple[Stat, ...]:
    stats = [
        Stat("Prompts passed by the course's rule", f"{data.passed} of {data.cases}",
             "the best 5 of 25 images of a prompt, both scores at or above the baseline"),
    ]  # fmt: skip
    for item in data.concepts:
        gain = item.scores["image_gain"]
        stats.append(
            Stat(f"{item.token} over {item.word!r}, image score", _signed(gain.value),
                 f"{formatting.LEVEL} interval {_signed(gain.low)} to {_signed(gain.high)},"
                 f" n = {gain.n}")
        )  # fmt: skip
    if "drawn" in data.alignment:
        drawn = data.alignment["drawn"]
        stats.append(
            Stat("Prompt alignment of the embedded model", formatting.percent(drawn.value),
                 f"{formatting.LEVEL} interval {formatting.bounds(drawn)}; judged by a classifier")
        )  # fmt: skip
    return tuple(stats)


def _concepts(data: Records) -> Table:
    rows = []
    for item in data.concepts:
        for name in ("image", "text"):
            grades = "; ".join(f"{g[name]:.1f} of {g[f'baseline_{name}']:g}" for g in item.grades)
            rows.append(
                (
                    item.token,
                    name,
                    _score(item.scores[name]),
                    _score(item.scores[f"word_{name}"]),
                    _gain(item.scores[f"{name}_gain"]),
                    grades,
                )
            )
    return Table(
        title="Each concept alone",
        head=("Token", "Score", "Learnt", "Initializer's word", "Difference", "Graded"),
        rows=tuple(rows),
        note=(
            f"Means over all images of the graded prompts, with {formatting.LEVEL} intervals; the "
            "difference is paired over images from the same noise. Graded: means of the best five "
            "of 25, and the baseline, prompt by prompt. Checkpoints are chosen on other prompts."
        ),
    )


def _methods(data: Records) -> Table:
    return Table(
        title="Two concepts in one picture",
        head=("Method", "First", "Second", "Mean", "Lesser", "Lesser over learnt apart", "Text",
              "Trained + drawn", "Bytes"),
        rows=tuple(
            (
                METHODS[m.name],
                f"{m.first:.1f}",
                f"{m.second:.1f}",
                *(_score(m.scores[k]) for k in ("mean", "lesser")),
                formatting.DASH if m.gain is None else _gain(m.gain),
                _score(m.scores["text"]) if "text" in m.scores else formatting.DASH,
                f"{m.trained} + {m.drawn}",
                f"{m.bytes}",
            )
            for m in data.methods
        ),
        note=(
            "Image scores of the two halves of a picture, each with the concept that fits better "
            "as a pair; the lesser one shows a concept that was dropped. "
            f"{formatting.LEVEL} intervals "
            "count images and seeds; differences are paired. Trained + drawn is the cost of one "
            "seed on any machine: pictures through the U-Net in training (forward and backward, "
            "with the start that methods share), and while images were drawn. Bytes have to be "
            "stored. A method whose difference is below zero or whose interval holds zero has not "
            "helped."
        ),
    )  # fmt: skip


def concepts(data: Records, dpi: int) -> list[Figure]:
    """Photographs, training and edits of every concept."""
    return [_concept(item, dpi) for item in data.concepts]


def training_curves(data: Records, dpi: int) -> list[Figure]:
    """Loss and validation scores of every concept."""
    return [
        Figure(
            name="ti_curves.png",
            plot=personalization_plots.curves(data.concepts),
            title="Learning the words",
            caption=(
                "Loss of the training, and scores of images of the validation prompts, always from "
                "the same noises. The ring is the look with the highest image + 2.5 text."
            ),
            alt="; ".join(
                f"{item.token}: image score {item.looks[0].image:.1f} at step 0, "
                f"{item.looks[-1].image:.1f} at step {item.looks[-1].step}"
                for item in data.concepts
            ),
        )
    ]


def multi_concept(data: Records, dpi: int) -> list[Figure]:
    """Two concepts in one image, by method."""
    if all(method.images is None for method in data.methods):
        return []
    return [
        Figure(
            name="multi_concept.png",
            plot=personalization_plots.methods(data, dpi),
            title="Two concepts in one picture, by method",
            caption=(
                "The first two images of every prompt with the first seed; a column starts "
                "from the same noise in every row. Nothing was picked."
            ),
            alt="Images by method; their scores are in the table.",
        )
    ]


def _concept(item: Concept, dpi: int) -> Figure:
    prompts = "; ".join(f"{k}: {text}" for k, text in enumerate(item.prompts, start=1))
    return Figure(
        name=f"ti_{item.token.strip('<>')}.png",
        plot=personalization_plots.concept(item, dpi),
        title=f"{item.token}, which began as {item.word!r}",
        caption=(
            "Photographs, images of a validation prompt during training, and images of the graded "
            f"prompts with the learnt word and with {item.word!r} from the same noises. {prompts}"
        ),
        alt=(
            f"Image score {item.scores['image'].value:.1f}, with the initializer's word "
            f"{item.scores['word_image'].value:.1f}."
        ),
    )


def _score(interval: Interval) -> str:
    return f"{interval.value:.1f} ({interval.low:.1f} to {interval.high:.1f})".replace("-", MINUS)


def _gain(interval: Interval) -> str:
    return f"{_signed(interval.value)} ({_signed(interval.low)} to {_signed(interval.high)})"


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", MINUS)


def _csv(data: Records) -> str:
    """Every number of the table of methods, unrounded."""
    text = io.StringIO()
    ends = ("", "_low", "_high")
    table = csv.writer(text, lineterminator="\n")
    names = [f"{name}{end}" for name in (*SCORES, "lesser_gain") for end in ends]
    table.writerow(["method", "first", "second", *names, "n", "seeds", "trained", "drawn", "bytes"])
    for m in data.methods:
        cells = [v for name in SCORES for v in _ends(m.scores.get(name))]
        n = m.scores["lesser"].n
        cost = (m.trained, m.drawn, m.bytes)
        table.writerow([m.name, m.first, m.second, *cells, *_ends(m.gain), n, m.seeds, *cost])
    return text.getvalue()


def _ends(interval: Interval | None) -> tuple[float | None, ...]:
    return (interval.value, interval.low, interval.high) if interval else (None, None, None)


def _markdown(table: Table) -> str:
    lines = [table.head, tuple("---" for _ in table.head), *table.rows]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"## {table.title}\n\n{body}\n\n{table.note}\n".replace(formatting.NBSP, " ")
