"""The rows of the table: what each of them learns from at a step.

A step is two parts, each of one domain, that are computed side by side. A row says which domain
each part is of and what its loss is; network, views, order, budget and loop are one frame.

Every step costs the same: `batch` images forward and backward, where a forward pass alone counts a
third. So the strong row, whose teacher looks at every target image first, takes three quarters of
the target images that DANN takes.
"""

import copy
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hw2.config import params
from hw2.dann import augmentations as views
from hw2.dann.classifier import Classifier
from hw2.dann.gradient_reversal import reverse, schedule
from hw2.digits.labels import NUM_DIGITS
from hw2.models.feature_extractor import domain_head
from hw2.training.ema import EMA

SOURCE, TARGET = 0, 1
Numbers = dict[str, float]


@dataclass(frozen=True)
class Part:
    """Half of a step.

    Attributes:
        images: float (N, 3, 28, 28) in [-1, 1], without views.
        digits: int64 (N,), or None where no label is known.
        slot: the network's, of all images.
        stream: of the views and of dropout.
        progress: share of the training that is done.
    """

    images: Tensor
    digits: Tensor | None
    slot: int
    stream: torch.Generator
    progress: float


class Row(Protocol):
    """How a row of the table learns. `loss` of both parts runs at once, on two threads."""

    @property
    def domains(self) -> tuple[int, int]:
        """SOURCE or TARGET for each part."""

    def sizes(self, batch: int) -> tuple[int, int]:
        """Images of each part."""

    def modules(self) -> dict[str, nn.Module]:
        """What it trains or remembers besides the classifier."""

    def loss(self, part: Part) -> tuple[Tensor, Numbers]:
        """A part's share of the step's loss and numbers; those of both parts are added."""

    def settle(self) -> None:
        """Once a step, after both parts: take over what they found."""


def make(dann: params.Dann, method: str, network: Classifier, ema: EMA) -> Row:
    """The row `method`; new weights come from the global random stream."""
    learner = Learner(network, dann.views, dann.network.dropout)
    width = network.extractor.features
    if method == "dann":
        return Adversarial(learner, domain_head(width, dann.faithful.hidden), dann.faithful.cap)
    if method == "dann_tuned":
        head = domain_head(width, dann.tuned.hidden)
        return Adversarial(learner, head, dann.tuned.cap, dann.tuned.entropy)
    if method == "strong":
        return SelfTraining(learner, ema, dann.strong)
    return Supervised(learner, TARGET if method == "target_only" else SOURCE)


@dataclass(frozen=True)
class Learner:
    """The classifier in training."""

    network: Classifier
    views: params.Views
    dropout: float

    def __call__(self, part: Part) -> tuple[Tensor, Tensor]:
        """Features (N, F) and logits (N, 10) of a strong view."""
        seen = views.strong(part.images, self.views, part.stream)
        features = self.network.features(seen, part.slot)
        # Not nn.Dropout: two threads would draw from one stream, in any order.
        kept = torch.rand(features.shape, generator=part.stream) >= self.dropout
        logits = self.network.head(features * kept.to(features) / (1 - self.dropout))
        return features, logits


class Supervised:
    """The labels of one domain, in both parts: both slots are then that domain's."""

    def __init__(self, learner: Learner, domain: int) -> None:
        self.learner = learner
        self.domains = (domain, domain)

    def sizes(self, batch: int) -> tuple[int, int]:
        return batch // 2, batch // 2

    def modules(self) -> dict[str, nn.Module]:
        return {}

    def loss(self, part: Part) -> tuple[Tensor, Numbers]:
        assert part.digits is not None
        _, logits = self.learner(part)
        loss = F.cross_entropy(logits, part.digits) / 2
        return loss, {"label": loss.item()}

    def settle(self) -> None:
        pass


class Adversarial:
    """DANN: what the domain head learns, the extractor unlearns (Ganin et al., 2016, eq. 9).

    `entropy`, which is not the paper's, weighs the target's mean entropy (Grandvalet & Bengio,
    2005); it grows with the training's progress.
    """

    domains = (SOURCE, TARGET)

    def __init__(self, learner: Learner, head: nn.Module, cap: float, entropy: float = 0.0) -> None:
        self.learner, self.head, self.cap, self.entropy = learner, head, cap, entropy

    def sizes(self, batch: int) -> tuple[int, int]:
        return batch // 2, batch // 2

    def modules(self) -> dict[str, nn.Module]:
        return {"domain_head": self.head}

    def loss(self, part: Part) -> tuple[Tensor, Numbers]:
        features, logits = self.learner(part)
        strength = schedule(part.progress, self.cap)
        guess = self.head(reverse(features, strength))[:, 0]
        truth = torch.full_like(guess, float(part.slot))
        domain = F.binary_cross_entropy_with_logits(guess, truth) / 2
        numbers = {"domain": domain.item(), "strength": strength / 2}
        if part.digits is not None:
            label = F.cross_entropy(logits, part.digits)
            return label + domain, numbers | {"label": label.item()}
        unsure = -(logits.softmax(1) * logits.log_softmax(1)).sum(1).mean()
        return self.entropy * part.progress * unsure + domain, numbers

    def settle(self) -> None:
        pass


class SelfTraining:
    """Like AdaMatch (Berthelot et al., 2021): a teacher reads weak views of the target, the
    classifier learns its surer answers on strong views of the same images.

    The answers are aligned to the source's mean prediction, and an answer is sure above a share of
    the source's mean confidence (sections 3.2 and 3.3). Unlike AdaMatch: the teacher is the
    averaged network (Tarvainen & Valpola, 2017), means run over steps because batches are small,
    the source has strong views only, the weight rises linearly over the first half of the
    training, and logits are not interpolated.
    """

    domains = (SOURCE, TARGET)

    def __init__(self, learner: Learner, ema: EMA, settings: params.StrongAdaptation) -> None:
        self.learner, self.settings = learner, settings
        self.means = Means(settings.average)
        # Its tensors are those of `ema`, which changes and loads them in place.
        self.teacher = copy.deepcopy(learner.network).eval().requires_grad_(False)
        self.teacher.load_state_dict(ema.weights, assign=True)

    def sizes(self, batch: int) -> tuple[int, int]:
        return batch // 2, batch // 8 * 3

    def modules(self) -> dict[str, nn.Module]:
        return {"means": self.means}

    def loss(self, part: Part) -> tuple[Tensor, Numbers]:
        if part.digits is not None:
            _, logits = self.learner(part)
            self.means.note(SOURCE, logits.detach().softmax(1))
            label = F.cross_entropy(logits, part.digits)
            return label, {"label": label.item()}
        answers, sure = self._answers(part)
        _, logits = self.learner(part)
        each = F.cross_entropy(logits, answers, reduction="none")
        taught = (each * sure).mean()
        weight = self.settings.weight * min(1.0, 2 * part.progress)
        numbers = {"taught": taught.item(), "kept": sure.mean().item(), "strength": weight}
        return weight * taught, numbers

    @torch.no_grad()
    def _answers(self, part: Part) -> tuple[Tensor, Tensor]:
        """The teacher's digits (N,) and whether they are sure: 0 or 1, float (N,)."""
        seen = views.weak(part.images, self.learner.views, part.stream)
        guess = self.teacher(seen, part.slot).softmax(1)
        self.means.note(TARGET, guess)
        aligned = guess * self.means.ratio
        aligned = aligned / aligned.sum(1, keepdim=True)
        confidence, digits = aligned.max(1)
        return digits, (confidence >= self.settings.threshold * self.means.confidence).float()

    def settle(self) -> None:
        self.means.settle()


class Means(nn.Module):
    """Running means of both domains' predictions and of the source's confidence.

    A step uses the means of the steps before it, because its parts run at the same time.
    """

    predictions: Tensor
    confidence: Tensor
    steps: Tensor

    def __init__(self, average: float) -> None:
        super().__init__()
        self.average = average
        self.register_buffer("predictions", torch.full((2, NUM_DIGITS), 1 / NUM_DIGITS))
        self.register_buffer("confidence", torch.ones(()))
        self.register_buffer("steps", torch.zeros(()))
        self._noted: dict[int, Tensor] = {}

    @property
    def ratio(self) -> Tensor:
        """What makes the target's mean prediction that of the source: (10,)."""
        return self.predictions[SOURCE] / self.predictions[TARGET].clamp(min=1e-6)

    def note(self, domain: int, guess: Tensor) -> None:
        """Predictions (N, 10) of a part."""
        self._noted[domain] = guess

    def settle(self) -> None:
        keep = min(self.average, float(self.steps) / (1 + float(self.steps)))
        for domain, guess in self._noted.items():
            self.predictions[domain].lerp_(guess.mean(0), 1 - keep)
        self.confidence.lerp_(self._noted[SOURCE].max(1).values.mean(), 1 - keep)
        self.steps += 1
        self._noted = {}
