"""The report's section on domain adaptation: figures, tables and captions."""

import csv
import io

from hw2.figures import architecture, dann_plots, dann_text, formatting
from hw2.figures.dann_records import CONVERGED, Pair, Records, Result, method_name
from hw2.figures.sections import DataFile, Figure, Section, Stat, Table
from hw2.figures.style import domain_name

HEAD = (
    *("Method", "Target accuracy", "SD over seeds", "Gain over source only"),
    *("Source accuracy", "A-distance"),
)
HEADLINE = "self_training"  # fixed in advance: nothing is selected by accuracy on the target


def section(data: Records) -> Section:
    """Write the texts and tables of the section."""
    pairs = data.pairs
    tables = tuple(_table(pair, dann_text.shared(pair, pairs)) for pair in pairs)
    return Section(
        anchor="dann",
        title="Domain adaptation of a digit classifier",
        lead=(
            "A digit classifier is trained on labeled images of the source domain and unlabeled "
            "images of the target domain, and is evaluated on the test split of the target. The "
            "text under the tables says what the methods share. The weights of the last step are "
            "evaluated. Only the method “trained on target” uses target labels; it is an upper "
            "reference."
        ),
        introduction=dann_text.introduction(data),
        conclusion=dann_text.conclusion(data),
        stats=tuple(_stat(pair, result) for pair in pairs if (result := pair.result(HEADLINE))),
        tables=tables,
        data_files=(
            DataFile("dann_table.csv", _csv(pairs)),
            DataFile("dann_table.md", "\n".join(table.markdown() for table in tables)),
        ),
    )


def networks(data: Records, dpi: int) -> list[Figure]:
    """The architecture of DANN."""
    count = sum(layer.parameters for part in data.network.values() for layer in part)
    return [
        Figure(
            name="dann_architecture.png",
            record="dann_network",
            plot=architecture.dann(data.network),
            title="Networks of DANN",
            caption=(
                "The feature extractor and the digit classifier minimize the digit loss on the "
                "source. The domain classifier minimizes the domain loss on both domains; the "
                "gradient reversal passes its gradient to the features with the opposite sign. "
                "Boxes show the shape of the output, channels first. The network was recorded "
                f"while it ran; it has {count:,} weights."
            ),
            alt=(
                f"{len(data.network['features'])} layers of features, followed by the digit "
                "classifier and, behind a gradient reversal, by the domain classifier."
            ),
        )
    ]


def features(data: Records, dpi: int) -> list[Figure]:
    """t-SNE of the features of every pair, by digit and by domain."""
    return [figure for pair in data.pairs for figure in _tsne(pair)]


def _title(pair: Pair) -> str:
    return f"{domain_name(pair.source)} to {domain_name(pair.target)}"


def _stat(pair: Pair, result: Result) -> Stat:
    return Stat(
        f"{_title(pair)}, {method_name(result.method)}",
        formatting.percent(result.accuracy.value),
        f"{formatting.LEVEL} interval {formatting.bounds(result.accuracy)}",
    )


def _table(pair: Pair, shared: str) -> Table:
    return Table(
        title=_title(pair),
        head=HEAD,
        rows=tuple(
            (
                _row_name(pair, result.method),
                formatting.accuracy(result.accuracy),
                _spread(result),
                formatting.difference(result.gain, 100) if result.gain else formatting.DASH,
                formatting.percent(result.source_accuracy),
                f"{result.a_distance:.2f}",
            )
            for result in pair.results
        ),
        note=(
            f"Means over seeds. In parentheses: {formatting.LEVEL} intervals, where n is the "
            "number of test images. Gains and standard deviations (SD) are in percentage points. "
            "The interval of a gain is paired over images and covers the seeds if there are "
            "several. The A-distance is near 0 if a linear classifier cannot separate the features "
            "of the domains, and 2 if it separates them without errors. A row is marked if its "
            f"last label loss is {CONVERGED} or more, which says that its training was not done. "
            f"{shared}"
        ),
    )


def _row_name(pair: Pair, method: str) -> str:
    """The name of a method, which says so if the method did not learn its labels."""
    name = _capitalized(method_name(method))
    if not pair.has_trained(method):
        return f"{name} (did not train: label loss near chance)"
    loss = pair.label_loss(method)
    return name if loss < CONVERGED else f"{name} (label loss {loss:.2f})"


def _capitalized(name: str) -> str:
    return name[0].upper() + name[1:]


def _spread(result: Result) -> str:
    if result.spread is None:
        return "one seed"
    return f"{100 * result.spread:.1f} ({result.trainings} seeds)"


def _tsne(pair: Pair) -> tuple[Figure, Figure]:
    before, after = (
        method_name(m) for m in (next(iter(pair.embeddings)), list(pair.embeddings)[-1])
    )
    first = next(iter(pair.embeddings.values()))
    domains = f"{domain_name(pair.source)} and {domain_name(pair.target)}"
    caption = (
        f"t-SNE of the features of {len(first.domains)} test images: {before} on the left, {after} "
        "on the right. Colors are digits, markers are domains. Where images of a digit from both "
        "domains form one cluster, their features are aligned. t-SNE does not preserve distances "
        "between clusters."
    )
    return (
        Figure(
            name=f"dann_tsne_{pair.name}_class.png",
            record="dann_tsne",
            plot=dann_plots.by_class(pair),
            title=f"{_title(pair)}: features by digit",
            caption=caption,
            alt=(
                f"Scatter plots of features of {domains}, {before} and {after}, one color per "
                "digit."
            ),
        ),
        Figure(
            name=f"dann_tsne_{pair.name}_domain.png",
            record="dann_tsne",
            plot=dann_plots.by_domain(pair),
            title=f"{_title(pair)}: features by domain",
            caption=f"The same points, colored by domain. {_a_distances(pair)}",
            alt=(
                f"Scatter plots of features of {domains}, {before} and {after}, one color per "
                "domain."
            ),
        ),
    )


def _a_distances(pair: Pair) -> str:
    """The A-distances of the methods shown."""
    results = [pair.result(method) for method in pair.embeddings]
    distances = [f"{r.a_distance:.2f} for {method_name(r.method)}" for r in results if r]
    return f"A-distance: {', '.join(distances)}."


def training_curves(data: Records, dpi: int) -> list[Figure]:
    """The training losses of every method."""
    pairs = data.pairs
    kept = [
        f"{formatting.percent(float(curve.values[:, -1].mean()))} ({_title(pair)})"
        for pair in pairs
        for curve in pair.curves["kept"].values()
    ]
    final = f" In the last step, self-training uses {', '.join(kept)} of its pseudo-labels."
    return [
        Figure(
            name="dann_curves.png",
            record="dann_history",
            plot=dann_plots.curves(pairs),
            title="Training losses",
            caption=(
                "Top: loss on the labels that a method is trained with. Bottom: loss of "
                "the domain classifier; at the dashed line it does not separate the domains. Lines "
                f"are means over seeds and shaded bands cover all seeds.{final if kept else ''}"
            ),
            alt="Loss curves of every method, one column per pair: label loss at the top, domain "
            "loss at the bottom.",
        )
    ]


def _csv(pairs: list[Pair]) -> str:
    """Every number of the tables, unrounded: one row per pair and method."""
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
            table.writerow(
                [
                    *(pair.source, pair.target, result.method),
                    *(*formatting.csv_cells(result.accuracy), result.accuracy.n),
                    *(result.trainings, result.spread),
                    *formatting.csv_cells(result.gain),
                    *(result.source_accuracy, result.a_distance),
                ]
            )
    return text.getvalue()
