"""What the report says of personalization: implementation, survey, difficulties, observations."""

from hw2.figures import formatting
from hw2.figures.personalization_records import METHODS, Method, Records
from hw2.figures.sections import Text


def introduction(data: Records) -> tuple[Text, ...]:
    """What was implemented, and what was hard."""
    return Text("What was implemented", _IMPLEMENTED), Text("What was hard", _hard(data))


def conclusion(data: Records) -> tuple[Text, ...]:
    """The survey of methods for several concepts, and what was observed."""
    if not data.methods:
        return ()
    return Text("Several concepts: a survey", _SURVEY), Text("What was observed", _observed(data))


_IMPLEMENTED = (
    "Textual inversion (Gal et al., 2023) adds a token to the vocabulary of the text encoder and "
    "learns its embedding alone, by the loss with which Stable Diffusion (Rombach et al., 2022) "
    "was trained, on a few photographs with captions such as “a photo of a <new1>”. All other "
    "weights are frozen. The embedding starts from that of an ordinary word, the initializer. The "
    "checkpoint is chosen on validation prompts: the one with the best image score among those "
    "that keep at least 0.9 of the initializer's text score. The graded prompts choose nothing.",
)
_SURVEY = (
    "One learned token each is enough for one concept. With two tokens in a prompt, each was "
    "learned without the other, and the model was never asked to draw both. Two papers attack this "
    "from opposite sides.",
    "Custom Diffusion (Kumari et al., 2023) trains more. Besides the token it trains the matrices "
    "that make keys and values of the text in cross-attention, since these decide what a word "
    "draws and hold only a few percent of the weights. Images of related captions are mixed into "
    "the batches, so that the model does not forget what the class looks like. Several concepts "
    "are either trained jointly, with the photographs of all of them in the batches, or trained "
    "apart and merged in closed form: the merged matrices are the ones nearest to the original "
    "model on ordinary captions that give each concept's words the values that its own matrices "
    "gave. Stored weights are the changes of these matrices, not a model.",
    "FreeCustom (Ding et al., 2024) trains nothing. A photograph of each concept, with a mask of "
    "where the concept is, is noised to the current level and runs through the network beside the "
    "image. The self-attention of the image then also attends to keys and values of the "
    "photographs, where logits outside the mask are dropped and those inside are multiplied by a "
    "weight. Details are copied from the photograph rather than learned, so a concept costs no "
    "training, but every step of every image costs a pass for each photograph, and a photograph "
    "shows the concept from one side only.",
)


def _hard(data: Records) -> tuple[str, ...]:
    texts = []
    for item in data.concepts:
        if item.recognized is not None:
            token, word = item.recognized
            texts.append(
                f"{item.token} is recognized by a classifier of the concepts, which saw renderings "
                f"only, in {formatting.accuracy(token)} of the graded images; with the initializer "
                f"in its place, in {formatting.accuracy(word)}."
                + (
                    " Of held-out photographs that passed the model's autoencoder it recognizes "
                    f"{formatting.accuracy(item.ceiling)}."
                    if item.ceiling
                    else ""
                )
            )
    texts.append(
        f"{data.passed} of {data.cases} prompts pass the course's grading. These scores are cosine "
        "similarities of CLIP features, which shape and colors dominate, so a pass does not show "
        "that the concept is recognizable. The classifier was added for this reason."
    )
    falls = [
        f"{item.token}: {formatting.change(item.scores['text_gain'], 'points', 1)}"
        for item in data.concepts
    ]
    texts.append(
        "What the image score gains, the text score may lose, because the token takes over the "
        f"image. Text score of token against initializer: {'; '.join(falls)}."
    )
    return tuple(texts)


def _observed(data: Records) -> tuple[str, ...]:
    return tuple(
        _pair(pair, [m for m in data.methods if m.pair == pair])
        for pair in dict.fromkeys(method.pair for method in data.methods)
    )


def _pair(pair: str, methods: list[Method]) -> str:
    """One pair: what each method changes against learning the concepts apart."""
    changes = [
        f"{METHODS[method.name]}: {formatting.change(method.gain, 'points', 1)}"
        for method in methods
        if method.gain is not None
    ]
    both = [
        f"{METHODS[method.name]} {formatting.percent(method.recognized.value)}"
        for method in methods
        if method.recognized is not None
    ]
    seen = f" Both concepts are recognized in: {', '.join(both)}." if both else ""
    return (
        f"Concepts {pair.replace('+', ' and ')}, lower of the two image scores against "
        f"{METHODS['separate']}. {'; '.join(changes)}.{seen}"
    )
