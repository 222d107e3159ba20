"""The report's section on personalization: figures, tables and captions."""

import csv
import io

from hw2.figures import formatting, personalization_plots, personalization_text
from hw2.figures.personalization_records import METHODS, SCORES, Concept, Records
from hw2.figures.records import Interval
from hw2.figures.sections import DataFile, Figure, Section, Stat, Table


def section(data: Records) -> Section:
    """Write the texts and tables of the section."""
    table = _methods(data)
    return Section(
        anchor="personalization",
        title="Personalization by textual inversion",
        lead=(
            "The embedding of a new token is learned from a few photographs of a concept; all "
            "other weights are frozen. Scores are 100 times the cosine similarity of CLIP features "
            "of an image: with the photographs (image score) and with the prompt (text score). "
            "Each concept is compared with its initializer, the word its embedding started from. "
            "A higher score does not show that a person recognizes the concept: compare the "
            "images of a token with the photographs above them."
        ),
        stats=_stats(data),
        introduction=personalization_text.introduction(data),
        conclusion=personalization_text.conclusion(data),
        tables=(_concepts(data), *((table,) if data.methods else ())),
        data_files=(
            (
                DataFile("multi_concept_table.csv", _csv(data)),
                DataFile("multi_concept_table.md", table.markdown()),
            )
            if data.methods
            else ()
        ),
    )


def _stats(data: Records) -> tuple[Stat, ...]:
    stats = [
        Stat("Prompts that pass the course's grading", f"{data.passed} of {data.cases}",
             "mean of the best 5 of 25 images; both scores must reach the baseline"),
    ]  # fmt: skip
    for item in data.concepts:
        if item.recognized is not None:
            token, word = item.recognized
            stats.append(
                Stat(f"Images in which {item.token} is recognized", formatting.percent(token.value),
                     f"by a classifier, {formatting.LEVEL} interval {formatting.bounds(token)};"
                     f" with {item.initializer!r} instead"
                     f" {formatting.accuracy(word)}{_ceiling(item.ceiling)}")
            )  # fmt: skip
        gain = item.scores["image_gain"]
        stats.append(
            Stat(
                f"Image score, {item.token} minus {item.initializer!r}",
                formatting.signed(gain.value),
                f"{formatting.LEVEL} interval {formatting.signed(gain.low)} to "
                f"{formatting.signed(gain.high)}, n = {gain.n}",
            )
        )
    if "sampled" in data.alignment:
        share = data.alignment["sampled"]
        stats.append(
            Stat("Prompt alignment of the trained model", formatting.percent(share.value),
                 f"{formatting.LEVEL} interval {formatting.bounds(share)}; color and shape as "
                 "prompted, according to a classifier")
        )  # fmt: skip
    return tuple(stats)


def _ceiling(share: Interval | None) -> str:
    return f"; photographs through the autoencoder {formatting.accuracy(share)}" if share else ""


def _concepts(data: Records) -> Table:
    rows = []
    for item in data.concepts:
        for name in ("image", "text"):
            grades = "; ".join(f"{g[name]:.1f} / {g[f'baseline_{name}']:g}" for g in item.grades)
            rows.append(
                (
                    item.token,
                    name,
                    _score(item.scores[name]),
                    _score(item.scores[f"word_{name}"]),
                    formatting.difference(item.scores[f"{name}_gain"]),
                    grades,
                )
            )
    return Table(
        title="Scores of single concepts",
        head=("Token", "Score", "Learned token", "Initializer", "Difference", "Graded / baseline"),
        rows=tuple(rows),
        note=(
            "Means over all images of the graded prompts. In parentheses: "
            f"{formatting.LEVEL} intervals. Differences are paired over images with the same "
            "initial noise. Graded: mean of the best 5 of 25 images, for each prompt. Checkpoints "
            "are selected on other prompts."
        ),
    )


def _methods(data: Records) -> Table:
    return Table(
        title="Two concepts in one image, by method",
        head=("Pair", "Method", "Both recognized", "Photographs",
              "Difference to Separate", "First", "Second", "Mean", "Lower",
              "Lower minus Separate", "Text", "Trained + sampled", "Bytes"),
        rows=tuple(
            (
                m.pair,
                METHODS[m.name],
                formatting.accuracy(m.recognized) if m.recognized else formatting.DASH,
                formatting.accuracy(m.ceiling) if m.ceiling else formatting.DASH,
                _optional(m.recognized_gain, 100),
                f"{m.first:.1f}",
                f"{m.second:.1f}",
                *(_score(m.scores[k]) for k in ("mean", "lesser")),
                _optional(m.gain),
                _score(m.scores["text"]) if "text" in m.scores else formatting.DASH,
                f"{m.trained} + {m.sampled}",
                f"{m.bytes}",
            )
            for m in data.methods
        ),
        note=(
            "Both recognized is the share of images in which a classifier of the concepts sees "
            "both, and its difference is in points. Photographs is the same share of held-out "
            "photographs of both that passed the model's autoencoder: what a perfect method could "
            "reach. "
            "First, Second, Mean and Lower are image scores. The two halves of an image are scored "
            "with the two concepts, in the assignment with the higher sum; an object in a style is "
            "scored with the whole image. A low value of Lower "
            f"means that one concept is missing. In parentheses: {formatting.LEVEL} intervals over "
            "seeds and images. Differences are paired; an interval that contains 0 is "
            "compatible with no difference. Trained + sampled is the number of images through the "
            "U-Net for one seed, in training (after textual inversion) and in sampling. Bytes is "
            "the size of the stored weights. Composited photographs are a reference without "
            "sampling."
        ),
    )  # fmt: skip


def concepts(data: Records, dpi: int) -> list[Figure]:
    """Photographs, validation snapshots and images of the graded prompts, for every concept."""
    return [_concept(item, dpi) for item in data.concepts]


def training_curves(data: Records, dpi: int) -> list[Figure]:
    """Training loss and validation scores of every concept."""
    return [
        Figure(
            name="ti_curves.png",
            record="personalization_history",
            plot=personalization_plots.curves(data.concepts),
            title="Training curves of textual inversion",
            caption=(
                "Training loss, and image and text score of the validation snapshots, which start "
                "from the same noises at every step. The ring marks the selected checkpoint, with "
                "the best image score among those that keep the prompt: a text score of at least "
                "0.9 of that at step 0, the initializer's."
            ),
            alt="; ".join(
                f"{item.token}: image score {item.snapshots[0].image:.1f} at step 0, "
                f"{item.snapshots[-1].image:.1f} at step {item.snapshots[-1].step}"
                for item in data.concepts
            ),
        )
    ]


def multi_concept(data: Records, dpi: int) -> list[Figure]:
    """Two concepts in one image, by method: a figure for each pair."""
    shown = [method for method in data.methods if method.images is not None]
    return [
        Figure(
            name=f"multi_concept_{pair}.png",
            record="multi_concept_images",
            plot=personalization_plots.methods([m for m in shown if m.pair == pair], dpi),
            title=f"Images of the concepts {pair.replace('+', ' and ')}, by method",
            caption=(
                "The first two images of every prompt with the first seed, without selection. "
                "Images of a column start from the same noise. Prompt only and FreeCustom draw the "
                "initializers in place of the tokens."
            ),
            alt="Grid of images of two concepts, one row per method. The table lists their scores.",
        )
        for pair in dict.fromkeys(method.pair for method in shown)
    ]


def _concept(item: Concept, dpi: int) -> Figure:
    prompts = "; ".join(f"{k}: {text}" for k, text in enumerate(item.prompts, start=1))
    return Figure(
        name=f"ti_{item.token.strip('<>')}.png",
        record="personalization_samples",
        plot=personalization_plots.concept(item, dpi),
        title=f"Concept {item.token}, initialized with {item.initializer!r}",
        caption=(
            "From the top: photographs; validation snapshots; images of each graded prompt with "
            f"{item.token} and with {item.initializer!r}, from the same noises. Prompts: {prompts}"
        ),
        alt=(
            f"Images of {item.token} by row. Image score {item.scores['image'].value:.1f}, with "
            f"the initializer {item.scores['word_image'].value:.1f}."
        ),
    )


def _score(interval: Interval) -> str:
    text = f"{interval.value:.1f} ({interval.low:.1f} to {interval.high:.1f})"
    return text.replace("-", "\N{MINUS SIGN}")


def _optional(gain: Interval | None, factor: float = 1) -> str:
    return formatting.difference(gain, factor) if gain else formatting.DASH


def _csv(data: Records) -> str:
    """Every number of the table of methods, unrounded: one row per pair and method."""
    text = io.StringIO()
    ends = ("", "_low", "_high")
    table = csv.writer(text, lineterminator="\n")
    kinds = (*SCORES, "lesser_gain", "recognized", "recognized_gain", "ceiling")
    names = [f"{name}{end}" for name in kinds for end in ends]
    table.writerow(
        ["pair", "method", "first", "second", *names, "n", "seeds", "trained", "sampled", "bytes"]
    )
    for m in data.methods:
        cells = [v for name in SCORES for v in formatting.csv_cells(m.scores.get(name))]
        n = m.scores["lesser"].n
        counts = (n, m.seeds, m.trained, m.sampled, m.bytes)
        cells += formatting.csv_cells(m.gain)
        for share in (m.recognized, m.recognized_gain, m.ceiling):
            cells += formatting.csv_cells(share)
        table.writerow([m.pair, m.name, m.first, m.second, *cells, *counts])
    return text.getvalue()
