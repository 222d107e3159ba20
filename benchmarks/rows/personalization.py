"""Rows of personalization: a step of textual inversion, and drawing a prompt's 25 images."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from comparison import OURS, ROOT, Comparison, Contender, Settings
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from hw2 import rng
from hw2.config import params
from hw2.personalization import batches, synthetic, templates, tokens, train
from hw2.personalization.photos import Concept
from hw2.stable_diffusion import load, sample
from hw2.training.resume import Resume
from rows.per_item import SEED, PerItem, parameters, written

PLAIN = "plain loop of diffusers"
TOKEN = "<benchmark>"
CPU = torch.device("cpu")


def pipeline(precision: str = "auto") -> Any:
    """The small Stable Diffusion of data/pretrained."""
    folder = ROOT / "data" / "pretrained" / "stable-diffusion"
    changes = {"weights": str(folder), "precision": precision}
    return load.load(parameters().stable_diffusion.model_copy(update=changes), folder, CPU)


@contextmanager
def step(settings: Settings) -> Iterator[Comparison]:
    """A step of textual inversion."""
    personalization = parameters().personalization
    steps, batch = settings.size((10, 4), (1, 1)), personalization.train.batch_size
    spec = personalization.concepts[0].model_copy(update={"token": TOKEN})
    pipe, plain = pipeline(), pipeline("fp32")
    size = load.image_size(pipe)
    photographs, _ = synthetic.references(
        spec.key, personalization.synthetic_photographs, size, personalization.seed
    )
    full = tuple(np.ones(image.shape[:2], bool) for image in photographs)
    concept = Concept(spec, tuple(photographs), full)
    with TemporaryDirectory() as folder:
        files = written(Path(folder), photographs)
        contenders = {
            OURS: Contender(_ours(pipe, concept, personalization, steps[0]), steps[0] * batch),
            PLAIN: Contender(
                _plain(plain, files, concept, personalization, steps[1]), steps[1] * batch
            ),
        }
        yield Comparison(
            title="Training a token by textual inversion",
            unit="image",
            contenders=contenders,
            equal=f"The small Stable Diffusion of data/pretrained, batches of {batch} images of"
            f" {size} pixels, one new token. The plain loop does what the example script of"
            " diffusers does: it opens and encodes each photograph in every step, trains the whole"
            " table of embeddings and then restores all rows but one, in fp32. Ours encodes a"
            " photograph once, trains one row, and computes the U-Net in bf16 where the processor"
            " has it.",
        )


@contextmanager
def images(settings: Settings) -> Iterator[Comparison]:
    """The images of a graded prompt."""
    sampling = parameters().personalization.sampling
    count = settings.size(25, 2)
    steps = settings.size(sampling.steps, 1)
    sampling = sampling.model_copy(update={"steps": steps})
    pipe, plain = pipeline(), pipeline("fp32")
    for one in (pipe, plain):
        sample.use_sampler(one, sampling.sampler)
    prompt = "a photo of a thing on a pink background"
    requests = [sample.SampleRequest(prompt, "benchmark", k) for k in range(count)]
    few = settings.size(5, 1)

    def theirs() -> None:
        stream = rng.torch_rng(SEED, "benchmark", "images")
        for _ in range(few):
            plain(
                prompt, num_inference_steps=steps, guidance_scale=sampling.guidance_scale,
                generator=stream, output_type="np",
            )  # fmt: skip

    yield Comparison(
        title="Drawing the images of a prompt",
        unit="image",
        contenders={
            OURS: Contender(
                lambda: sample.sample_requests(pipe, requests, sampling, seed=SEED), count
            ),
            PLAIN: Contender(theirs, few),
        },
        equal=f"The small Stable Diffusion of data/pretrained, {steps} steps of {sampling.sampler}"
        f" with guidance. Ours draws {count} images {sampling.batch_size} at a time, in bf16 where"
        f" the processor has it; the plain loop draws {few}, one at a time, in fp32.",
    )


def _ours(
    pipe: Any, concept: Concept, personalization: params.Personalization, steps: int
) -> Callable[[], object]:
    settings = personalization.train.model_copy(update={"save_every": steps})
    initial = tokens.initial_embedding(pipe, concept.spec.initializer, 1)
    added = tokens.add(pipe, TOKEN, initial)
    batch = batches.single(
        concept, added, size=load.image_size(pipe), batch_size=settings.batch_size, seed=SEED,
        wording=personalization.wording, augment=settings.augment,
    )  # fmt: skip

    def run() -> object:
        with TemporaryDirectory() as folder:
            return train.train_embeddings(
                pipe, (added,), batch, settings, steps=steps, lr=settings.lr, seed=SEED,
                resume=Resume(folder, {}), desc="inversion",
            )  # fmt: skip

    return run


def _plain(
    pipe: Any, files: list[Path], concept: Concept, personalization: params.Personalization,
    steps: int,
) -> Callable[[], object]:  # fmt: skip
    """The loop of a script that starts from diffusers' example."""
    settings, size = personalization.train, load.image_size(pipe)
    initial = tokens.initial_embedding(pipe, concept.spec.initializer, 1)
    (row,) = tokens.add(pipe, TOKEN, initial).ids
    sentences = templates.for_kind(concept.spec.kind, personalization.wording)
    table = pipe.text_encoder.get_input_embeddings().weight.requires_grad_()
    original = table.detach().clone()
    others = torch.arange(len(table)) != row
    optimizer = torch.optim.AdamW([table], lr=settings.lr)

    def transform(image: Image.Image) -> Tensor:
        square = image.resize((size, size), Image.Resampling.BICUBIC)
        return torch.from_numpy(np.array(square)).permute(2, 0, 1).float() / 127.5 - 1

    stream = rng.torch_rng(SEED, "benchmark", "inversion")
    listed = files * (steps * settings.batch_size)  # as the script repeats its few photographs
    items = PerItem(listed, [0] * len(listed), transform)

    def one(images: Tensor, step: int) -> None:
        latents = pipe.vae.encode(images).latent_dist.sample(stream)
        latents = latents.detach() * pipe.vae.config.scaling_factor
        noise = torch.randn(latents.shape, generator=stream)
        times = torch.randint(
            0, len(pipe.scheduler.alphas_cumprod), (len(images),), generator=stream
        )
        noisy = pipe.scheduler.add_noise(latents, noise, times)
        texts = [sentences[(step + k) % len(sentences)].format(TOKEN) for k in range(len(images))]
        states = pipe.text_encoder(train.encoded(pipe, texts))[0]
        output = pipe.unet(noisy, times, encoder_hidden_states=states).sample
        target = latents if pipe.scheduler.config.prediction_type == "sample" else noise
        F.mse_loss(output, target).backward()
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            table[others] = original[others]

    def run() -> None:
        loader = DataLoader(items, settings.batch_size, shuffle=True, generator=stream)
        for step, (images, _) in enumerate(islice(loader, steps)):
            one(images, step)

    return run
