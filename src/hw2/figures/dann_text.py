"""What the report says of domain adaptation: implementation, difficulties, observations."""

from collections.abc import Iterator, Sequence

from hw2.figures import formatting
from hw2.figures.dann_records import BASE, Pair, Records, method_name
from hw2.figures.sections import Text
from hw2.figures.style import domain_name

DANN, ADAMATCH, REFERENCE = "dann_paper", "adamatch", "target_only"


def introduction(data: Records) -> tuple[Text, ...]:
    """What was implemented, and what was hard."""
    return Text("What was implemented", _IMPLEMENTED), Text("What was hard", _hard(data))


def conclusion(data: Records) -> tuple[Text, ...]:
    """What was observed."""
    return (Text("What was observed", tuple(_observed(pair) for pair in data.pairs)),)


_IMPLEMENTED = (
    "DANN (Ganin et al., 2016) trains three networks at once: a feature extractor, a digit "
    "classifier on labeled source images, and a domain classifier that separates source from "
    "target features. A layer between features and domain classifier is the identity in the "
    "forward pass and reverses the gradient in the backward pass, so that the features become ones "
    "that predict the digit and do not tell the domain. The strength of the reversal grows from "
    "zero during training, as published.",
    "The other methods share network, augmentations, optimizer and cost of a step with DANN, so "
    "that a difference between rows is one between methods: DANN with a weaker reversal, and with "
    "entropy minimization; CDAN with entropy weights (Long et al., 2018); "
    "minimum class confusion (Jin et al., 2020); self-training with confident pseudo-labels of "
    "weakly augmented target images; and AdaMatch as published (Berthelot et al., 2021).",
)


def shared(pair: Pair, pairs: Sequence[Pair]) -> str:
    """What the rows of a pair's table share, and what they do not."""
    return " ".join(
        [
            "All rows share the network, the augmentations, the optimizer with its learning rates, "
            "the averaging of weights, the number of steps and the cost of a step, unless "
            "params.yaml sets them differently.",
            _batches(pair),
            _strengths(pair),
            _statistics(pair),
            *_single_domains(pair, pairs),
        ]
    )


def _batches(pair: Pair) -> str:
    """How many images each method reads: methods differ in how often an image passes."""
    groups: dict[tuple[int, int], list[str]] = {}
    for result in pair.results:
        counts = (result.labeled_images, result.unlabeled_images)
        groups.setdefault(counts, []).append(method_name(result.method))
    parts = [
        f"{labeled} and {unlabeled} for {formatting.listed(methods)}"
        for (labeled, unlabeled), methods in groups.items()
    ]
    listed = "; ".join(parts)
    return f"They differ in the images that a step reads, labeled and unlabeled: {listed}."


def _strengths(pair: Pair) -> str:
    """The largest factors of the reversed gradient; empty without an adversary."""
    parts = [
        f"{strength.values[:, -1].mean():.2g} for {method_name(method)}"
        for method, strength in pair.curves["strength"].items()
        if method in pair.curves["domain"]
    ]
    if not parts:
        return ""
    return f"The reversed gradient is weighted by up to {formatting.listed(parts)}."


def _statistics(pair: Pair) -> str:
    """How batch normalization differs, where AdaMatch is among the rows."""
    text = "Batch normalization has separate statistics for each domain"
    if pair.result(ADAMATCH) is None:
        return f"{text}."
    return f"{text}, except in AdaMatch, which normalizes both domains together as published."


def _single_domains(pair: Pair, pairs: Sequence[Pair]) -> Iterator[str]:
    """Which rows stand in several tables, because their trainings read a single domain."""
    for result in pair.results:
        if result.single_domain is None:
            continue
        titles = [
            _title(other)
            for other in pairs
            if (same := other.result(result.method)) and same.trained_on == result.trained_on
        ]
        text = (
            f"{method_name(result.method)[0].upper()}{method_name(result.method)[1:]} reads "
            f"{domain_name(result.single_domain)} alone"
        )
        several = f": one training for each seed serves {formatting.listed(titles)}"
        yield f"{text}{several if len(titles) > 1 else ''}."


def _hard(data: Records) -> tuple[str, ...]:
    failed = [
        f"{method_name(result.method)} ({_title(pair)})"
        for pair in data.pairs
        for result in pair.results
        if not pair.has_trained(result.method)
    ]
    training = (
        f"The label loss stayed near that of guessing for {formatting.listed(failed)}; such a row "
        "says nothing about the method."
        if failed
        else "Every method learned the digits of its labeled images: no label loss stayed near "
        "that of guessing, so no row is that of an untrained network."
    )
    return (
        training,
        "Labels of the target may not choose anything, so neither a method nor its settings nor a "
        "checkpoint was selected by the accuracies below; the weights of the last step are "
        "evaluated.",
        *_source_accuracies(data),
    )


def _source_accuracies(data: Records) -> tuple[str, ...]:
    """What adversarial training does to the accuracy on the source; empty without DANN."""
    found = [text for pair in data.pairs if (text := _source_cost(pair))]
    return (f"Accuracy on the source itself: {formatting.listed(found)}.",) if found else ()


def _source_cost(pair: Pair) -> str:
    base, adapted = pair.result(BASE), pair.result(DANN)
    if base is None or adapted is None:
        return ""
    return (
        f"{formatting.percent(base.source_accuracy)} without and "
        f"{formatting.percent(adapted.source_accuracy)} with DANN as published ({_title(pair)})"
    )


def _observed(pair: Pair) -> str:
    """One pair: how far source and target are apart, and what each method changes."""
    base, reference = pair.result(BASE), pair.result(REFERENCE)
    texts = [f"{_title(pair)}:"]
    if base and reference:
        texts.append(
            "trained on the source only, the classifier reads "
            f"{formatting.accuracy(base.accuracy)} of the target, and trained on its labels "
            f"{formatting.accuracy(reference.accuracy)}."
        )
    texts += [
        f"{method_name(result.method)[0].upper()}{method_name(result.method)[1:]}: "
        f"{formatting.change(result.gain)}."
        for result in pair.results
        if result.gain is not None
        and result.method != REFERENCE
        and pair.has_trained(result.method)
    ]
    return " ".join(texts)


def _title(pair: Pair) -> str:
    return f"{domain_name(pair.source)} to {domain_name(pair.target)}"
