"""The row of t-SNE."""

import numpy as np
from comparison import OURS, Comparison, Contender, Settings, missing
from sklearn.manifold import TSNE

from hw2 import rng
from rows.per_item import SEED, parameters

PEER = "openTSNE"


def embedding(settings: Settings) -> Comparison:
    """Two domains of features in the plane."""
    dann = parameters().dann
    count, width = settings.size(2 * dann.tsne.images, 40), settings.size(128, 8)
    perplexity = min(dann.tsne.perplexity, (count - 1) / 3)
    stream = rng.numpy_rng(SEED, "benchmark")
    centers = 4 * stream.standard_normal((10, width))
    features = centers[np.arange(count) % 10] + stream.standard_normal((count, width))
    features = features.astype(np.float32)

    def ours() -> object:  # as in stage dann_tsne
        method = TSNE(perplexity=perplexity, init="pca", random_state=SEED)
        return method.fit_transform(features)

    def theirs() -> object:
        from openTSNE import TSNE as OpenTSNE  # noqa: N811 - the same name as scikit-learn's

        method = OpenTSNE(perplexity=perplexity, n_jobs=settings.threads, random_state=SEED)
        return method.fit(features)

    absent = missing(PEER, "openTSNE")
    return Comparison(
        title="t-SNE of features",
        unit="embedding",
        contenders={
            OURS: Contender(ours, 1), **({} if absent else {PEER: Contender(theirs, 1)})
        },
        missing=absent,
        equal=f"{count:,} random features of {width} values in ten groups, perplexity"
        f" {perplexity:g}; ours is scikit-learn, as in stage `dann_tsne`.",
        reasons={
            PEER: "It interpolates forces on a grid. scikit-learn is kept because its coordinates"
            " have the same bits for any number of threads, so a figure can be reproduced."
        },
    )  # fmt: skip
