"""The row of faces by DDIM, against diffusers' own pipeline."""

from types import SimpleNamespace
from typing import Any

import torch
from ceilings import of_work
from comparison import OURS, Comparison, Contender, Settings
from diffusers import DDIMPipeline, DDIMScheduler
from measure import work_of
from torch import Tensor, nn

from hw2 import rng
from hw2.faces import model as models
from hw2.faces import noises, train
from hw2.faces.model import FaceModel
from hw2.faces.sample import Setting, sample, stretched
from rows.per_item import SEED, parameters

PEER = "diffusers DDIMPipeline"
CPU = torch.device("cpu")
PREDICTIONS = {"eps": "epsilon", "v": "v_prediction", "x0": "sample"}


class AsTheirs(nn.Module):
    """Our network in the form of a UNet2DModel."""

    def __init__(self, model: FaceModel) -> None:
        super().__init__()
        self.network = model.network
        self.config = SimpleNamespace(sample_size=model.size, in_channels=3)
        self.dtype, self.device = torch.float32, CPU

    def forward(self, images: Tensor, t: Tensor) -> SimpleNamespace:
        return SimpleNamespace(sample=self.network(images, t.expand(len(images))))


def ddim(settings: Settings) -> Comparison:
    """Ten faces with the same network, weights and noise levels."""
    faces = parameters().faces
    blueprint = train.blueprint(faces)
    with rng.seeded_init(SEED, "benchmark"):
        network = blueprint.build()
    model = models.ready(network, blueprint, train.levels(faces), CPU)
    steps = settings.size(50, 1)
    noise_by_name = noises.draw(faces.ddim.seed, model.size)
    names, stack = list(noise_by_name), torch.stack(list(noise_by_name.values()))
    setting = Setting(steps, "leading", 0.0)
    scheduler: Any = DDIMScheduler(
        model.schedule.timesteps, prediction_type=PREDICTIONS[model.prediction], clip_sample=True
    )
    scheduler.alphas_cumprod = model.schedule.abar.float()
    pipeline: Any = DDIMPipeline(AsTheirs(model), scheduler)
    pipeline.set_progress_bar_config(disable=True)

    def ours() -> object:
        sampled = sample(
            model, stack, names, setting,
            seed=faces.ddim.seed, batch=faces.ddim.batch_size, precision="fp32",
        )  # fmt: skip
        return stretched(sampled).numpy()

    def theirs() -> object:
        return pipeline(
            batch_size=len(names), generator=rng.torch_rng(SEED, "benchmark"),
            num_inference_steps=steps, eta=0.0, output_type="np",
        ).images  # fmt: skip

    count = len(names)
    times = torch.zeros(count, dtype=torch.int64)
    work = work_of(lambda: model.network(stack, times)).times(steps / count)
    return Comparison(
        title="Faces by DDIM",
        unit="image",
        contenders={OURS: Contender(ours, count), PEER: Contender(theirs, count)},
        ceilings=of_work(work, "fp32", settings),
        equal=f"{count} faces of {model.size} pixels, {steps} steps, fp32, the same network with"
        " random weights on both sides: only the loop around it differs.",
        reasons={
            PEER: "Ours divides few images into four parts, whatever the number of threads, so that"
            " the bytes of the faces do not depend on it. With one thread, that makes small batches"
            " of two and three faces. As a single batch, ours took as long as the pipeline."
        },
    )
