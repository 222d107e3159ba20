"""The report's section on domain adaptation: its figures, its tables and what stands under them."""

import csv
import io

from hw2.figures import dann_plots, formatting
from hw2.figures.dann_records import Pair, Row, method_name
from hw2.figures.records import Interval
from hw2.figures.sections import DataFile, Figure, Section, Stat, Table
from hw2.figures.style import domain_name

HEAD = (
    *("Row", "Accuracy on the target", "Spread over seeds", "Gain over source only"),
    *("On the source", "A-distance"),
)


def section(pairs: list[Pair]) -> Section:
    """Write the texts and tables of the section."""
    tables = tuple(_table(pair) for pair in pairs)
    return Section(
        anchor="dann",
        title="Domain adaptation of a digit reader",
        lead=(
            "A reader of digits learns from labelled images of one domain and from unlabelled "
            "images of another, and is measured on the other. All rows have the same network, "
            "random views and images per training, unless a parameter says otherwise; the last "
            "weights count, and no label of the target was used before this table, but by the row "
            "that is trained on it."
        ),
        stats=tuple(_stat(pair) for pair in pairs),
        tables=tables,
        data_files=(
            DataFile("dann_table.csv", _csv(pairs)),
            DataFile("dann_table.md", "\n".join(_markdown(table) for table in tables)),
        ),
    )


def features(pairs: list[Pair], dpi: int) -> list[Figure]:
    """The features of every pair in the plane, by digit and by domain."""
    return [figure for pair in pairs for figure in _clouds(pair)]


def _title(pair: Pair) -> str:
    return f"{domain_name(pair.source)} to {domain_name(pair.target)}"


def _best(pair: Pair) -> Row:
    """The best row that has not seen the target's labels."""
    return max(
        (row for row in pair.rows if row.method != "target_only"),
        key=lambda row: row.accuracy.value,
    )


def _stat(pair: Pair) -> Stat:
    best = _best(pair)
    return Stat(
        f"{_title(pair)}, {method_name(best.method)}",
        formatting.percent(best.accuracy.value),
        f"{formatting.LEVEL} interval {formatting.bounds(best.accuracy)}",
    )


def _table(pair: Pair) -> Table:
    return Table(
        title=_title(pair),
        head=HEAD,
        rows=tuple(
            (
                method_name(row.method).capitalize().replace("Dann", "DANN"),
                formatting.accuracy(row.accuracy),
                _spread(row),
                _gain(row.gain),
                formatting.percent(row.source_accuracy),
                f"{row.a_distance:.2f}",
            )
            for row in pair.rows
        ),
        note=(
            f"Means over seeds. In brackets: {formatting.LEVEL} intervals, of n images of "
            "the report "
            "part; the gain's is paired over the images, and counts the seeds where there are "
            "several. A-distance: near zero where a linear reader cannot tell the domains apart."
        ),
    )


def _spread(row: Row) -> str:
    if row.spread is None:
        return "one seed"
    return f"{100 * row.spread:.1f} ({row.trainings} seeds)"


def _gain(gain: Interval | None) -> str:
    if gain is None:
        return formatting.DASH
    value, low, high = (_signed(100 * v) for v in (gain.value, gain.low, gain.high))
    return f"{value} ({low} to {high})"


def _signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", "\N{MINUS SIGN}")


def _clouds(pair: Pair) -> tuple[Figure, Figure]:
    before, after = (method_name(m) for m in (next(iter(pair.clouds)), list(pair.clouds)[-1]))
    first = next(iter(pair.clouds.values()))
    kinds = f"{domain_name(pair.source)} and {domain_name(pair.target)}"
    caption = (
        f"The extractor's features of {len(first.domains)} images of the test split in the plane "
        f"(t-SNE): {before} on the left, {after} on the right. Distances between groups mean "
        "little; whether the domains share groups means much."
    )
    return (
        Figure(
            name=f"dann_tsne_{pair.name}_class.png",
            plot=dann_plots.by_class(pair),
            title=f"{_title(pair)}: features by digit",
            caption=caption,
            alt=f"Scatter plots of features of {kinds}, {before} and {after}, a color per digit.",
        ),
        Figure(
            name=f"dann_tsne_{pair.name}_domain.png",
            plot=dann_plots.by_domain(pair),
            title=f"{_title(pair)}: features by domain",
            caption=f"The same points. {_apart(pair)}",
            alt=f"Scatter plots of features of {kinds}, {before} and {after}, a color per domain.",
        ),
    )


def _apart(pair: Pair) -> str:
    """The A-distances of the rows that are shown."""
    found = [pair.row(method) for method in pair.clouds]
    said = [f"{row.a_distance:.2f} for {method_name(row.method)}" for row in found if row]
    return f"A-distance: {', '.join(said)}."


def training_curves(pairs: list[Pair], dpi: int) -> list[Figure]:
    """The losses of every method."""
    kept = [
        f"{formatting.percent(float(curve.values[:, -1].mean()))} in {_title(pair)}"
        for pair in pairs
        for curve in pair.curves["kept"].values()
    ]
    taught = f" Self-training ends with a share of learnt labels of {', '.join(kept)}."
    return [
        Figure(
            name="dann_curves.png",
            plot=dann_plots.curves(pairs),
            title="Trainings",
            caption=(
                "Above, the loss on the labels that a row learns from; below, the loss of the head "
                "that tells the domains apart, which rises to the dashed line as the "
                "features become "
                f"alike.{taught if kept else ''} Shaded: all seeds."
            ),
            alt="Loss curves of every row: label loss above, domain loss below, a column per pair.",
        )
    ]


def _csv(pairs: list[Pair]) -> str:
    """Every number of the tables, unrounded: a line per pair and row."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        [
            *("source", "target", "method", "accuracy", "accuracy_low", "accuracy_high", "n"),
            *("trainings", "spread", "gain", "gain_low", "gain_high"),
            *("source_accuracy", "a_distance"),
        ]
    )
    for pair in pairs:
        for row in pair.rows:
            share, gain = row.accuracy, row.gain
            table.writerow(
                [
                    *(pair.source, pair.target, row.method),
                    *(share.value, share.low, share.high, share.n, row.trainings, row.spread),
                    *((gain.value, gain.low, gain.high) if gain else (None, None, None)),
                    *(row.source_accuracy, row.a_distance),
                ]
            )
    return text.getvalue()


def _markdown(table: Table) -> str:
    lines = [table.head, tuple("---" for _ in table.head), *table.rows]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"## {table.title}\n\n{body}\n\n{table.note}\n".replace(formatting.NBSP, " ")
