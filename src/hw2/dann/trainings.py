"""The trainings that params.yaml asks for, each listed once even if several pairs share it.

It is apart from `hw2.dann.train` because it knows all methods, and a training must not depend on
the code of other methods.
"""

from typing import Any

from hw2.config import params
from hw2.dann.methods.registry import METHODS
from hw2.dann.pairs import Pair
from hw2.dann.train import Training


def of(pair: Pair, method: str, seed: int) -> Training:
    """The training whose classifier stands for `method` on `pair`."""
    return Training(METHODS[method].trained_on(pair), method, seed)


def every(dann: params.Dann) -> list[Training]:
    """All trainings, in the order of params.yaml and without repetition."""
    return list(
        dict.fromkeys(
            of(Pair.parse(pair), method, seed)
            for pair in dann.pairs
            for method in dann.methods
            for seed in dann.seeds
        )
    )


def described(pair: Pair, method: str, batch_size: int) -> dict[str, Any]:
    """What the trainings of `method` on `pair` read, for records.

    Returns:
        The domains by name, `trained_on`, and the numbers of images that a step reads with their
        labels and without, `labeled_images` and `unlabeled_images`.
    """
    cls = METHODS[method]
    trained_on, sizes = cls.trained_on(pair), cls.batch_sizes(batch_size)
    labeled, unlabeled = (sum(sizes), 0) if trained_on.is_single else sizes
    return {
        "trained_on": trained_on.name,
        "labeled_images": labeled,
        "unlabeled_images": unlabeled,
    }
