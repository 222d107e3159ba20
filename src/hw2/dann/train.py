"""Training of one row of the table: a method on a pair of domains with one seed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD

from hw2 import rng
from hw2.config import params
from hw2.dann import pairs
from hw2.dann.classifier import Classifier, kind_of
from hw2.dann.methods import SOURCE, TARGET, Numbers, Part, make
from hw2.dann.pairs import Pair, TrainingImages
from hw2.pixels import from_uint8
from hw2.training.batch_sampler import BatchSampler
from hw2.training.ema import EMA
from hw2.training.loop import finite, train
from hw2.training.microbatches import Microbatches
from hw2.training.optimizers import ScheduledOptimizers, adamw_and_muon, half_cosine
from hw2.training.resume import Resume

PARTS = 2


@dataclass(frozen=True)
class Training:
    """One cell of the table and one seed."""

    pair: Pair
    method: str
    seed: int

    @property
    def slug(self) -> str:
        """As in file names."""
        return f"{self.pair.slug}/{self.method}-{self.seed}"


def every(dann: params.Dann) -> list[Training]:
    """All trainings, in the order of params.yaml."""
    return [
        Training(Pair.parse(pair), method, seed)
        for pair in dann.pairs
        for method in dann.methods
        for seed in dann.seeds
    ]


def identity(dann: params.Dann, training: Training, packed: Path) -> dict[str, Any]:
    """What makes it this training and no other; how often it is saved does not."""
    used = {"dann": {"faithful"}, "dann_tuned": {"tuned"}, "strong": {"strong"}}
    sections = {"network", "views", "train"} | used.get(training.method, set())
    described = dann.model_dump(mode="json", include=sections)
    del described["train"]["save_every"]
    return {
        "training": [training.pair.name, training.method, training.seed],
        "dann": described,
        "data": pairs.identity(packed, training.pair, training.method),
    }


def fit(
    dann: params.Dann, training: Training, packed: Path, resume: Resume, device: torch.device
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """Train; returns the last averaged weights and the history (`step` and numbers by row).

    No label of the target is read, but for the row `target_only`. The last weights are the
    result: nothing is chosen on the way.
    """
    settings, faithful = dann.train, training.method == "dann"
    images = TrainingImages.load(packed, training.pair, training.method)
    network = _new_network(dann, training, images, device)
    ema = EMA(network, 0.0 if faithful else settings.ema)
    with rng.seeded_init(training.seed, "initial weights of the row"):
        row = make(dann, training.method, network, ema)
    modules = {name: module.to(device) for name, module in row.modules().items()}
    batches = _Batches(images, row.domains, row.sizes(settings.batch), training.seed, device)
    weights = [p for module in (network, *modules.values()) for p in module.parameters()]
    optimizers = _optimizers(weights, network.extractor.inner_weights(), dann, faithful)
    microbatches = Microbatches(PARTS)

    def advance(step: int) -> dict[str, float]:
        progress = step / settings.steps
        numbers: list[Numbers] = [{}, {}]

        def loss(part: slice) -> Tensor:
            place = part.start
            value, numbers[place] = row.loss(batches.part(step, place, progress))
            return PARTS * value  # Microbatches takes the mean, and parts are added

        factor = (
            _faithful_rate(progress)
            if faithful
            else half_cosine(step, settings.steps, warmup_fraction=settings.warmup)
        )
        value = finite(microbatches.backward(loss, PARTS, weights), step, "lower dann.train.lr")
        lr = optimizers.step(factor)
        row.settle()
        ema.update(network)
        names = dict.fromkeys([*numbers[0], *numbers[1]])
        added = {n: sum(part.get(n, 0.0) for part in numbers) for n in names}
        return {"loss": value, "lr": lr, **added}

    network.train()
    history = train(
        advance,
        {
            "network": network,
            "ema": ema,
            "optimizers": optimizers,
            **modules,
        },
        steps=settings.steps,
        resume=resume,
        save_every=settings.save_every,
        desc=f"{training.pair.name} {training.method} {training.seed}",
    )
    return ema.weights, history


class _Batches:
    """The parts of every step, from streams that only the seed and the step decide.

    All rows with the same seed see the images of a domain in the same order.
    """

    def __init__(
        self,
        images: TrainingImages,
        domains: tuple[int, int],
        sizes: tuple[int, int],
        seed: int,
        device: torch.device,
    ) -> None:
        self.domains, self.sizes, self.seed, self.device = domains, sizes, seed, device
        self.images = (images.source, images.target)
        self.digits = (images.source_digits, images.target_digits)
        self.orders = [
            BatchSampler(len(self.images[domain]), rng.derive(seed, "order", domain, place))
            for place, domain in enumerate(domains)
        ]

    def part(self, step: int, place: int, progress: float) -> Part:
        domain = self.domains[place]
        rows = self.orders[place].batch(step, self.sizes[place])
        digits = self.digits[domain]
        known = None if digits is None else torch.from_numpy(digits[rows]).to(self.device)
        return Part(
            images=from_uint8(self.images[domain][rows]).to(self.device),
            digits=known,
            slot=place,
            stream=rng.torch_rng(self.seed, "views", step, place),
            progress=progress,
        )


def _new_network(
    dann: params.Dann, training: Training, images: TrainingImages, device: torch.device
) -> Classifier:
    with rng.seeded_init(training.seed, "initial weights"):
        network = Classifier(dann.network, kind_of(dann, training.method))
    network.units.measure(images.source, SOURCE)
    network.units.measure(images.target, TARGET)
    return network.to(device).to(memory_format=torch.channels_last)


def _optimizers(
    weights: list[nn.Parameter], inner: list[nn.Parameter], dann: params.Dann, faithful: bool
) -> ScheduledOptimizers:
    """The paper's SGD for the faithful DANN, else AdamW and Muon."""
    if faithful:
        settings = dann.faithful
        sgd = SGD(weights, lr=settings.lr, momentum=settings.momentum)
        return ScheduledOptimizers([(sgd, settings.lr)])
    train = dann.train
    return adamw_and_muon(
        weights, inner, lr=train.lr, muon_lr=train.muon_lr, weight_decay=train.weight_decay
    )


def _faithful_rate(progress: float) -> float:
    """Share of mu_0: (1 + 10 p)^-0.75 (Ganin et al., 2016, section 5.2.2)."""
    return (1 + 10 * progress) ** -0.75
