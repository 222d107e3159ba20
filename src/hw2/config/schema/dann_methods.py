"""Section `dann.hyperparameters`: the methods of domain adaptation and their hyperparameters.

`Hyperparameters` is the table of methods: its fields are their names, in the order of tables and
figures, and the titles are their names in the report. The classes are in
`hw2.dann.methods.registry`. Two fields of one type are one algorithm with different values.
"""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from hw2.config.choices import among
from hw2.config.loader import Section
from hw2.config.schema.ranges import Fraction, NonNegative


class NoHyperparameters(Section):
    """This method has no hyperparameters."""


class DannPaperHyperparameters(Section):
    """DANN as published: loss and schedules of Ganin et al. (2016), no entropy minimization."""

    optimizer: Literal["shared", "sgd"] = Field(
        description=(
            "Optimizer: shared with all methods, or the paper's sgd, which needs several times as "
            "many steps."
        )
    )
    network: Literal["shared", "ganin"] = Field(
        description="Network: shared with all methods, or ganin for that of the paper."
    )
    lr: PositiveFloat = Field(
        le=1, description="First learning rate mu_0 of sgd. The paper uses 0.01."
    )
    momentum: float = Field(ge=0, lt=1, description="Momentum of sgd. The paper uses 0.9.")
    max_strength: NonNegative = Field(
        le=10, description="Largest factor of the reversed gradient. The paper uses 1."
    )
    hidden_units: PositiveInt = Field(
        description="Hidden units of the domain classifier. The paper uses 100."
    )


class DannHyperparameters(Section):
    """DANN with entropy minimization and a weaker adversary, for small networks."""

    max_strength: NonNegative = Field(
        le=10, description="Largest factor of the reversed gradient. The paper uses 1."
    )
    hidden_units: PositiveInt = Field(description="Hidden units of the domain classifier.")
    entropy_weight: NonNegative = Field(
        le=10,
        description=(
            "Weight of the mean prediction entropy on the target. Higher values push "
            "target images off class boundaries."
        ),
    )


class CdanHyperparameters(Section):
    """CDAN+E (Long et al., 2018)."""

    max_strength: NonNegative = Field(
        le=10, description="Largest factor of the reversed gradient. The paper uses 1."
    )
    hidden_units: PositiveInt = Field(
        description=(
            "Hidden units of the domain classifier. The paper uses 1024, for larger networks."
        )
    )
    max_dimensions: PositiveInt = Field(
        description=(
            "Largest product of features and classes for which the multilinear map is exact; "
            "above it the map is random. The paper uses 4096."
        )
    )
    random_dimensions: PositiveInt = Field(
        description="Dimensions of the random multilinear map. The authors' code uses 1024."
    )


class MccHyperparameters(Section):
    """Minimum class confusion (Jin et al., 2020)."""

    temperature: PositiveFloat = Field(
        le=100,
        description=(
            "Temperature of the target's predictions; higher is less confident. The paper uses 2.5."
        ),
    )
    loss_weight: NonNegative = Field(
        le=10, description="Weight of the class confusion. The paper uses 1."
    )


class SelfTrainingHyperparameters(Section):
    """Self-training with a teacher, similar to AdaMatch."""

    confidence_threshold: Fraction = Field(
        description=(
            "Confidence that a pseudo-label needs, as a fraction of the mean confidence "
            "on the source. Higher gives fewer, surer labels."
        )
    )
    loss_weight: NonNegative = Field(le=10, description="Weight of the loss on pseudo-labels.")
    averaging: float = Field(
        ge=0, lt=1, description="Decay of the running mean predictions that align the two domains."
    )


class AdaMatchHyperparameters(Section):
    """AdaMatch (Berthelot et al., 2021)."""

    confidence_threshold: Fraction = Field(
        description=(
            "Threshold tau of a pseudo-label, as a fraction of the mean confidence on the source. "
            "The paper uses 0.9."
        )
    )
    loss_weight: NonNegative = Field(
        le=10, description="Final weight of the loss on pseudo-labels. The paper uses 1."
    )
    averaging: float = Field(
        ge=0,
        lt=1,
        description=(
            "Decay of the running mean predictions that align the two domains. The authors' code "
            "averages over hundreds of its 130,000 steps."
        ),
    )


class Hyperparameters(Section):
    """Hyperparameters of each method."""

    source_only: NoHyperparameters = Field(title="source only")
    dann_paper: DannPaperHyperparameters = Field(title="DANN as published")
    dann_capped: DannPaperHyperparameters = Field(title="DANN with weak reversal")
    dann: DannHyperparameters = Field(title="DANN with entropy")
    cdan: CdanHyperparameters = Field(title="CDAN+E")
    mcc: MccHyperparameters = Field(title="MCC")
    self_training: SelfTrainingHyperparameters = Field(title="self-training")
    adamatch: AdaMatchHyperparameters = Field(title="AdaMatch")
    target_only: NoHyperparameters = Field(title="trained on target")


TITLES: dict[str, str] = {
    name: str(field.title) for name, field in Hyperparameters.model_fields.items()
}
"""Names of the methods in the report, in their order."""


MethodName = Annotated[str, among(TITLES)]
"""A key of `Hyperparameters`."""
