"""Rows of the digit model: a training step and guided samples."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from ceilings import of_work
from comparison import OURS, Comparison, Contender, Settings, missing
from measure import work_of
from torch import Tensor

from hw2.config import params
from hw2.ddpm.sample import request_all_labels, sample_images
from hw2.diffusion.guidance import Guidance
from rows import denoisers
from rows.denoisers import Data
from rows.per_item import SEED, parameters

STUDENT, DIFFUSERS = "student recipe", "diffusers UNet2DModel"
LUCIDRAINS = "denoising-diffusion-pytorch"
MODULE = "denoising_diffusion_pytorch"
QUALITY = "The quality of trainings is compared by `benchmarks/equal_quality.py`."


@contextmanager
def step(settings: Settings) -> Iterator[Comparison]:
    """A training step with our network against the networks that others would take."""
    ddpm = _with_batch(parameters().ddpm, settings)
    batch = ddpm.train.batch_size
    steps, few = settings.size((30, 2), (1, 1))
    with denoisers.data(settings.size(1000, batch)) as data:
        ours, run = denoisers.ours(ddpm, data, steps)
        student, unet = denoisers.student(), denoisers.diffusers_unet(denoisers.size(ours))
        contenders = {
            OURS: Contender(run, steps * batch),
            STUDENT: _plain(student, student, data, batch, few),
            DIFFUSERS: _plain(unet, _predict(unet), data, batch, settings.size(6, 1)),
        }
        networks = [(OURS, ours), (STUDENT, student), (DIFFUSERS, unet)]
        absent = missing(LUCIDRAINS, MODULE)
        if not absent:
            theirs = denoisers.lucidrains(denoisers.COURSE_TIMESTEPS)
            networks.append((LUCIDRAINS, theirs))
            contenders[LUCIDRAINS] = _lucidrains(theirs, data, batch, few)
        work = work_of(lambda: ours(*denoisers.inputs(batch))).times(3 / batch)
        yield Comparison(
            title="Training the digit model",
            unit="image",
            contenders=contenders,
            missing=absent,
            ceilings=of_work(work, ddpm.train.precision, settings),
            equal=f"28x28 pixels in color, batches of {batch}, labels dropped for guidance. Each"
            f" with its own network: {denoisers.millions(networks)} Peers read a PNG for each"
            f" image and train with Adam in fp32. {QUALITY}",
        )


@contextmanager
def same_network(settings: Settings) -> Iterator[Comparison]:
    """A training step of the same network: what our loop gives without our network."""
    ddpm = _with_batch(parameters().ddpm, settings)
    values = ddpm.model_dump()
    values["network"]["kind"] = "context_unet"
    values["train"] |= {"microbatches": 1, "precision": "bf16"}
    ddpm = type(ddpm).model_validate(values)
    batch, steps = ddpm.train.batch_size, settings.size(3, 1)
    with denoisers.data(settings.size(1000, batch)) as data:
        network, run = denoisers.ours(ddpm, data, steps)
        student = denoisers.student()
        work = work_of(lambda: network(*denoisers.inputs(batch))).times(3 / batch)
        yield Comparison(
            title="Training the student recipe's network",
            unit="image",
            contenders={
                OURS: Contender(run, steps * batch),
                STUDENT: _plain(student, student, data, batch, steps),
            },
            ceilings=of_work(work, "bf16", settings),
            equal=f"ContextUnet with 128 channels, batches of {batch}. Ours reads packed arrays and"
            " computes in bf16, channels last; the student recipe reads PNGs and computes in fp32.",
        )


@contextmanager
def equal_steps(settings: Settings) -> Iterator[Comparison]:
    """Guided samples, all in as many steps."""
    ddpm = parameters().ddpm
    steps, scale = settings.size(8, 1), 3.0
    network, student, unet = untrained()
    labels = torch.arange(20)
    contenders = {
        OURS: Contender(
            samples(network, steps, settings.size(5, 1)), settings.size(100, 20) * steps
        ),
        STUDENT: Contender(
            lambda: denoisers.ancestral(student, labels, scale, steps), len(labels) * steps
        ),
        DIFFUSERS: Contender(
            lambda: denoisers.diffusers_loop(unet, labels, scale, steps), len(labels) * steps
        ),
    }
    networks = [(OURS, network), (STUDENT, student), (DIFFUSERS, unet)]
    absent = missing(LUCIDRAINS, MODULE)
    if not absent:
        theirs = denoisers.lucidrains(steps).eval()
        networks.append((LUCIDRAINS, theirs))
        contenders[LUCIDRAINS] = Contender(
            lambda: theirs.sample(labels, cond_scale=scale), len(labels) * steps
        )
    work = work_of(lambda: network(*denoisers.inputs(20))).times(2 / 20)
    yield Comparison(
        title="Guided digits in equal numbers of steps",
        unit="image and step",
        contenders=contenders,
        missing=absent,
        ceilings=of_work(work, ddpm.train.precision, settings),
        equal=f"{steps} steps with guidance. Ours samples 100 images, the peers 20, instead of the"
        f" course's 1,000. {denoisers.millions(networks)} {QUALITY}",
    )


@contextmanager
def own_steps(settings: Settings) -> Iterator[Comparison]:
    """Guided samples: ours in its own number of steps, the student recipe in all 400."""
    ddpm = parameters().ddpm
    network, student, _ = untrained()
    count, steps = settings.size(2, 1), settings.size(denoisers.COURSE_TIMESTEPS, 2)
    labels = torch.arange(count)

    def theirs(steps: int) -> Callable[[], object]:
        return lambda: denoisers.ancestral(student, labels, 3.0, steps)

    own = settings.size(ddpm.sampling.steps, 1)
    yield Comparison(
        title="Guided digits, each in its own number of steps",
        unit="image",
        contenders={
            OURS: Contender(samples(network, own, settings.size(5, 1)), settings.size(100, 20)),
            STUDENT: Contender(theirs(steps), count, prepare=theirs(2)),
        },
        ceilings=of_work(
            work_of(lambda: network(*denoisers.inputs(20))).times(2 * own / 20),
            ddpm.train.precision,
            settings,
        ),
        equal=f"Guided digits of 28x28 pixels: ours {own} steps of {ddpm.sampling.sampler}, the"
        f" student recipe all {steps} steps of its schedule (with T = 500, a quarter more)."
        f" Ours samples 100 images, the student recipe {count}, instead of 1,000. {QUALITY}",
    )


def _with_batch(ddpm: params.Ddpm, settings: Settings) -> params.Ddpm:
    """The parameters with the batch size that is measured."""
    train = {"batch_size": settings.size(ddpm.train.batch_size, 4)}
    return ddpm.model_copy(update={"train": ddpm.train.model_copy(update=train)})


def _plain(network: Any, predict: Any, data: Data, batch: int, steps: int) -> Contender:
    run = denoisers.plain_training(
        network, denoisers.noise_loss(predict), data.batches(batch), steps
    )
    return Contender(run, steps * batch)


def _predict(unet: Any) -> denoisers.Predict:
    return lambda xt, t, labels: unet(xt, t, class_labels=labels).sample


def _lucidrains(diffusion: Any, data: Data, batch: int, steps: int) -> Contender:
    def loss(images: Tensor, labels: Tensor) -> Tensor:
        value: Tensor = diffusion(images / 2 + 0.5, classes=labels)
        return value

    run = denoisers.plain_training(diffusion, loss, data.batches(batch), steps)
    return Contender(run, steps * batch)


def untrained() -> tuple[Any, Any, Any]:
    """Our network, the student recipe's, and diffusers' with as many parameters as ours."""
    ddpm = parameters().ddpm
    with denoisers.data(1) as data:
        network, _ = denoisers.ours(ddpm, data, 1)
    unet = denoisers.diffusers_unet(denoisers.size(network))
    return network, denoisers.student().eval(), unet.eval()


def samples(network: Any, steps: int, images_per_label: int) -> Callable[[], object]:
    """Samples of each of 20 labels by the pipeline's sampler."""
    ddpm = parameters().ddpm
    model = denoisers.ready(network, ddpm)
    sampling = ddpm.sampling.model_copy(update={"steps": steps, "seed": SEED})
    request = request_all_labels(("mnistm", "svhn"), images_per_label)
    return lambda: sample_images(
        model, request, sampling, guidance=Guidance(3.0), split="benchmark"
    )
