"""Sample the images that are graded: 25 for every prompt, in the course's folder layout."""

from pathlib import Path

import torch

from hw2.config import params
from hw2.io.atomic import atomic_dir
from hw2.personalization import graded_images, grading, prompt_specs, tokens
from hw2.runtime.progress import progress
from hw2.stable_diffusion import load, sample


def run(
    stable_diffusion: params.StableDiffusion,
    personalization: params.Personalization,
    *,
    stable_diffusion_model: Path,
    personalization_embeddings: Path,
    personalization_prompts: Path,
    personalization_images: Path,
    device: torch.device,
) -> int:
    """Write the graded images to `personalization_images`, all of them or none.

    The files are `{key}/{prompt}/source{key}_prompt{prompt}_{0 ... 24}.png`. An image depends on
    the seed, the index of its prompt and its own number, not on how many images are sampled.

    Args:
        personalization_embeddings: Folder of safetensors files with any names; the embedding of a
            concept is identified by its token.
        personalization_prompts: An input.json.

    Returns:
        The number of images.

    Raises:
        UserError: if the prompts are malformed or too long, or name a token that was not learned.
    """
    specs = prompt_specs.read(personalization_prompts)
    rows = tokens.read_folder(personalization_embeddings)
    tokens.check_learned(specs, rows, personalization_prompts)
    pipe = load.load(stable_diffusion, stable_diffusion_model, device)
    sample.use_sampler(pipe, personalization.sampling.sampler)
    for spec in specs:
        tokens.add(pipe, spec.token, rows[spec.token])
        tokens.check_length(pipe, spec, personalization_prompts)
    total = sum(len(spec.prompts) for spec in specs) * grading.IMAGES
    with (
        atomic_dir(personalization_images) as folder,
        progress(total, "graded images", unit="image") as bar,
    ):
        for spec in specs:
            for index in range(len(spec.prompts)):
                images = graded_images.draw(pipe, spec, index, personalization, tick=bar.update)
                graded_images.write(folder, spec.key, index, images)
    return total
