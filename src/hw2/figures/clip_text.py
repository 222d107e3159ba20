"""What the report says of CLIP: how it classifies, difficulties, observations."""

from hw2.figures import formatting
from hw2.figures.clip_records import Records, Row
from hw2.figures.sections import Text


def introduction(data: Records) -> tuple[Text, ...]:
    """How CLIP classifies, and what was hard."""
    return Text("How CLIP classifies", _METHOD), Text("What was hard", _hard(data))


def conclusion(data: Records) -> tuple[Text, ...]:
    """What was observed."""
    return (Text("What was observed", _observed(data)),)


_METHOD = (
    "CLIP (Radford et al., 2021) is a pair of networks, one for images and one for texts, whose "
    "outputs are unit vectors in the same space. It was trained on images with captions by a "
    "contrastive loss: within a batch, the vector of an image should be more similar to that of "
    "its own caption than to those of all other captions, and the reverse.",
    "This makes a classifier of any list of names without training one. Each name is written into "
    "a prompt, the text network turns the prompts into vectors, and an image gets the name whose "
    "vector has the largest cosine similarity with its own. With several prompts for a name, the "
    "mean of their vectors is used. The softmax over similarities, scaled by the temperature that "
    "CLIP learned, is shown as confidence.",
)


def _hard(data: Records) -> tuple[str, ...]:
    rows = _of_first_model(data)
    lowest, highest = min(rows, key=_accuracy), max(rows, key=_accuracy)
    return (
        "The classifier is a sentence, so its wording counts. With the same model and images, "
        f"accuracy goes from {formatting.accuracy(lowest.acc1)} with the prompt set "
        f"{lowest.prompts} to {formatting.accuracy(highest.acc1)} with {highest.prompts}. No "
        f"prompt set is selected by these numbers: figures show {data.prompts}, which params.yaml "
        "names.",
    )


def _observed(data: Records) -> tuple[str, ...]:
    first, *others = _of_first_model(data)
    texts = [
        f"{row.prompts} against {first.prompts}: {formatting.change(row.gain)}"
        for row in others
        if row.gain is not None
    ]
    wrong = [p for p in data.predictions if not p.correct]
    pairs = [(p.true, p.top[0][0]) for p in wrong if p.top]
    result = [f"Accuracy by prompt set. {'; '.join(texts)}."] if texts else []
    if pairs:
        most = max(dict.fromkeys(pairs), key=pairs.count)
        result.append(
            f"With the prompt set {data.prompts}, {len(wrong)} of {len(data.predictions)} images "
            f"are classified wrongly; the most frequent confusion is {most[0]} as {most[1]} "
            f"({pairs.count(most)} images)."
        )
    return tuple(result)


def _of_first_model(data: Records) -> list[Row]:
    return [row for row in data.rows if row.model == data.rows[0].model]


def _accuracy(row: Row) -> float:
    return row.acc1.value
