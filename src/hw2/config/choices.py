"""Names that params.yaml accepts for things the code implements, with their display names.

Each table here is the only list of its kind: the schema accepts its keys, figures show its values,
and the registry that implements it is tested to have the same keys. Adaptation methods have their
table beside their hyperparameters, in `schema.dann_methods`.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, WithJsonSchema

from hw2.config.loader import nearest

SAMPLERS = {
    "ddpm": "DDPM",
    "ddim": "DDIM",
    "dpmpp": "DPM-Solver++ 2M",
    "heun": "Heun",
}
"""Implemented in `hw2.diffusion.samplers.registry`."""

DIGIT_DOMAINS = {
    "mnistm": "MNIST-M",
    "svhn": "SVHN",
    "usps": "USPS",
    "mnist": "MNIST",
    "emnist": "EMNIST",
}
"""Implemented in `hw2.digits.domains`."""

GENERATED_DOMAINS = {key: DIGIT_DOMAINS[key] for key in ("mnistm", "svhn")}
"""Implemented by the conditions of the DDPM, in `hw2.digits.labels`."""

TimestepSpacing = Literal["trailing", "leading", "course"]
"""Implemented in `hw2.diffusion.samplers.timesteps`."""

Precision = Literal["auto", "fp32", "bf16"]
"""Implemented in `hw2.training.precision`."""


def among(table: dict[str, str]) -> AfterValidator:
    """A validator that accepts the keys of `table`."""

    def check(name: str) -> str:
        if name not in table:
            raise ValueError(nearest(name, list(table)))
        return name

    return AfterValidator(check)


def _name(table: dict[str, str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(table)})


SamplerName = Annotated[str, among(SAMPLERS), _name(SAMPLERS)]
DomainKey = Annotated[str, among(DIGIT_DOMAINS), _name(DIGIT_DOMAINS)]
GeneratedDomain = Annotated[str, among(GENERATED_DOMAINS), _name(GENERATED_DOMAINS)]
