"""DANN as published: loss, schedules and optionally the optimizer of Ganin et al. (2016)."""

from torch import Tensor, nn
from torch.optim import SGD

from hw2.config import params
from hw2.dann.classifier import Classifier
from hw2.dann.method import Batch
from hw2.dann.methods.dann import Dann
from hw2.dann.recipe import Recipe
from hw2.training.optimizers import ScheduledOptimizers


class PaperRecipe(Recipe):
    """The optimizer of the paper: SGD with momentum and an annealed rate, and no averaging."""

    def __init__(
        self, train: params.DannTrain, hyperparameters: params.DannPaperHyperparameters
    ) -> None:
        super().__init__(train)
        self.hyperparameters = hyperparameters
        self.extractor = hyperparameters.network
        self.ema_decay = 0.0

    def optimizers(self, network: Classifier, weights: list[nn.Parameter]) -> ScheduledOptimizers:
        """SGD for all weights."""
        lr, momentum = self.hyperparameters.lr, self.hyperparameters.momentum
        return ScheduledOptimizers([(SGD(weights, lr=lr, momentum=momentum), lr)])

    def rate(self, step: int) -> float:
        """Fraction of mu_0: (1 + 10 p)^-0.75 (section 5.2.2)."""
        return (1 + 10 * step / self.train.steps) ** -0.75


class DannPaper(Dann):
    """DANN without entropy minimization."""

    @classmethod
    def recipe(
        cls, train: params.DannTrain, hyperparameters: params.DannPaperHyperparameters
    ) -> Recipe:
        """The shared recipe or the paper's, on the shared network or the paper's."""
        if hyperparameters.optimizer == "sgd":
            return PaperRecipe(train, hyperparameters)
        recipe = Recipe(train)
        recipe.extractor = hyperparameters.network
        return recipe

    def entropy_loss(self, target: Batch) -> Tensor:
        """Zero: the paper does not minimize entropy."""
        return target.logits.new_zeros(())
