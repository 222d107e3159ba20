"""Samplers by name: a new sampler is a file in this package, a line here and a name in choices."""

from collections.abc import Callable, Mapping

from hw2.diffusion.samplers.base import Sampler
from hw2.diffusion.samplers.ddim import DDIM
from hw2.diffusion.samplers.dpmpp import DPMSolverPP2M
from hw2.diffusion.samplers.heun import Heun
from hw2.diffusion.schedule import Schedule

REGISTRY: Mapping[str, Callable[[Schedule, float], Sampler]] = {
    "ddpm": lambda schedule, eta: DDIM(schedule, eta=1.0),
    "ddim": lambda schedule, eta: DDIM(schedule, eta),
    "dpmpp": lambda schedule, eta: DPMSolverPP2M(schedule),
    "heun": lambda schedule, eta: Heun(schedule),
}
"""Name to a function of the schedule and DDIM's eta that makes a sampler for one run."""


def make(name: str, schedule: Schedule, eta: float = 0.0) -> Sampler:
    """Make the sampler `name` for one sampling run.

    Raises:
        KeyError: for an unknown name; params.yaml accepts only `hw2.config.choices.SAMPLERS`.
    """
    return REGISTRY[name](schedule, eta)
