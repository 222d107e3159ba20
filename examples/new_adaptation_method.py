"""Define Deep CORAL (Sun & Saenko, 2016) as a new method and train it.

Usage: python examples/new_adaptation_method.py [DIGITS] [PAIR]

In the project the class would be dann/methods/coral.py, with a line in the registry and its
hyperparameters in the schema; here it is trained without them.
"""

import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor
from torch.nn import functional as F

from hw2.config import params
from hw2.dann import classifier, train
from hw2.dann.method import Batch, Method, Numbers
from hw2.dann.pairs import Pair
from hw2.dann.train import Training
from hw2.digits import arrays
from hw2.training.resume import Resume


class Coral(Method):
    """Match the covariance of the features of both domains."""

    def loss(self, source: Batch, target: Batch) -> tuple[Tensor, Numbers]:
        assert source.digits is not None
        label = F.cross_entropy(source.logits, source.digits)
        width = source.features.shape[1]
        gap = (source.features.T.cov() - target.features.T.cov()).square().sum() / (4 * width**2)
        return label + self.hyperparameters.weight * gap, {"label": label.item(), "gap": gap.item()}


def main(digits: str = "data/arrays", pair: str = "mnistm->usps") -> None:
    """Train the method on a pair of domains and print its accuracy."""
    dann = params.load().dann.model_copy(
        update={"hyperparameters": SimpleNamespace(coral=SimpleNamespace(weight=1.0))}
    )
    training, cpu = Training(Pair.parse(pair), "coral", dann.seeds[0]), torch.device("cpu")
    with tempfile.TemporaryDirectory() as folder:
        resume = Resume(folder, {"method": "coral"})
        weights, _ = train.train_method(dann, training, Coral, Path(digits), resume, cpu)
    network = classifier.Classifier(dann.network)
    network.load_state_dict(weights)
    network.eval().requires_grad_(False)
    test = arrays.load(Path(digits), training.pair.target, "test")
    trained = classifier.Trained(network, training.pair, "coral")
    accuracy = (trained.predict(test.rgb, training.pair.target) == test.digits).mean()
    print(
        f"{pair}, coral: accuracy {accuracy:.3f} on the target's test split, n = {len(test.digits)}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
