"""The report's section on domain adaptation: its figures, its tables and what stands under them."""

import csv
import io

from hw2.figures import dann_plots, formatting
from hw2.figures.dann_records import Pair, Result, method_name
from hw2.figures.records import Interval
from hw2.figures.sections import DataFile, Figure, Section, Stat, Table
from hw2.figures.style import domain_name

HEAD = (
    *("Method", "Accuracy on the target", "Spread over seeds", "Gain over source only"),
    *("On the source", "A-distance"),
)


def section(pairs: list[Pair]) -> Section:
    """Write the texts and tables of the section."""
    tables = tuple(_table(pair) for pair in pairs)
    return Section(
        anchor="dann",
        title="Domain adaptation of a digit classifier",
        lead=(
            "A digit classifier is trained on labeled images of the source domain and unlabeled "
            "images of the target domain, and is evaluated on the target. All methods have the "
            "same network, augmentations and number of images per training, unless a parameter "
            "says otherwise. The weights of the last step are evaluated, and only the method that "
            "is trained on the target uses labels of the target."
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


def _best(pair: Pair) -> Result:
    """The best method that was not trained on the target's labels."""
    return max(
        (result for result in pair.results if result.method != "target_only"),
        key=lambda result: result.accuracy.value,
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
                _capitalized(method_name(result.method)),
                formatting.accuracy(result.accuracy),
                _spread(result),
                _gain(result.gain),
                formatting.percent(result.source_accuracy),
                f"{result.a_distance:.2f}",
            )
            for result in pair.results
        ),
        note=(
            f"Means over seeds. In parentheses: {formatting.LEVEL} intervals, where n is the "
            "number of images of the test split. The interval of a gain is paired over images, and "
            "covers the seeds if there are several. The A-distance is near 0 if a linear "
            "classifier cannot separate the domains."
        ),
    )


def _capitalized(name: str) -> str:
    return name[0].upper() + name[1:]


def _spread(result: Result) -> str:
    if result.spread is None:
        return "one seed"
    return f"{100 * result.spread:.1f} ({result.trainings} seeds)"


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
        f"t-SNE of the features of {len(first.domains)} images of the test split: {before} on the "
        f"left, {after} on the right. Distances between clusters mean little; what matters is "
        "whether the domains share clusters."
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
    """The A-distances of the methods that are shown."""
    results = [pair.result(method) for method in pair.clouds]
    distances = [f"{r.a_distance:.2f} for {method_name(r.method)}" for r in results if r]
    return f"A-distance: {', '.join(distances)}."


def training_curves(pairs: list[Pair], dpi: int) -> list[Figure]:
    """The losses of every method."""
    kept = [
        f"{formatting.percent(float(curve.values[:, -1].mean()))} ({_title(pair)})"
        for pair in pairs
        for curve in pair.curves["kept"].values()
    ]
    final = f" At the end, self-training uses {', '.join(kept)} of its pseudo-labels."
    return [
        Figure(
            name="dann_curves.png",
            plot=dann_plots.curves(pairs),
            title="Trainings",
            caption=(
                "Top: the loss on the labels that a method trains on. Bottom: the loss of the "
                "domain classifier, which rises to the dashed line as the features of both domains "
                f"become alike.{final if kept else ''} The shaded band covers all seeds."
            ),
            alt="Loss curves of every method: label loss at the top, domain loss at the bottom, a "
            "column per pair.",
        )
    ]


def _csv(pairs: list[Pair]) -> str:
    """Every number of the tables, unrounded: a line per pair and method."""
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
        for result in pair.results:
            accuracy, gain = result.accuracy, result.gain
            table.writerow(
                [
                    *(pair.source, pair.target, result.method),
                    *(accuracy.value, accuracy.low, accuracy.high, accuracy.n),
                    *(result.trainings, result.spread),
                    *((gain.value, gain.low, gain.high) if gain else (None, None, None)),
                    *(result.source_accuracy, result.a_distance),
                ]
            )
    return text.getvalue()


def _markdown(table: Table) -> str:
    lines = [table.head, tuple("---" for _ in table.head), *table.rows]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"## {table.title}\n\n{body}\n\n{table.note}\n".replace(formatting.NBSP, " ")
