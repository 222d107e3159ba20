"""What the report says of domain adaptation: implementation, difficulties, observations."""

from hw2.figures import formatting
from hw2.figures.dann_records import BASE, Pair, Records, method_name
from hw2.figures.sections import Text
from hw2.figures.style import domain_name

DANN, REFERENCE = "dann_paper", "target_only"


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
    "The other methods share network, augmentations, optimizer and number of training images with "
    "DANN, so that a difference between rows is one between methods: CDAN with entropy weights "
    "(Long et al., 2018), minimum class confusion (Jin et al., 2020), and self-training with "
    "confident pseudo-labels of weakly augmented target images. Batch normalization keeps separate "
    "statistics for each domain in all of them.",
)


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
