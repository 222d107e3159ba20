"""Names that params.yaml accepts for things the code implements, with their display names.

Each table here is the only list of its kind: the schema accepts its keys, figures show its values,
and the registry that implements it is tested to have the same keys. Adaptation methods have their
table beside their hyperparameters, in `schema.dann_methods`.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, WithJsonSchema

SAMPLERS = {
    "ddpm": "DDPM",
    "ddim": "DDIM",
    "dpmpp": "DPM-Solver++ 2M",
    "heun": "Heun",
}
"""Implemented in `hw2.diffusion.samplers.registry`."""

TimestepSpacing = Literal["trailing", "leading", "course"]
"""Implemented in `hw2.diffusion.samplers.timesteps`."""


def _among(table: dict[str, str]) -> AfterValidator:
    """A validator that accepts the keys of `table`."""

    def check(name: str) -> str:
        if name not in table:
            raise ValueError(f"should be one of {', '.join(table)}")
        return name

    return AfterValidator(check)


SamplerName = Annotated[
    str, _among(SAMPLERS), WithJsonSchema({"type": "string", "enum": list(SAMPLERS)})
]
