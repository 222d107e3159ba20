"""`hw2 faces`: sample a face for each noise in a folder, NN.png from NN.pt."""

from pathlib import Path

import torch

from hw2.config import params
from hw2.faces import load, noises
from hw2.faces.sample import Setting, sample, stretched
from hw2.runtime.errors import UserError
from hw2.runtime.progress import progress
from hw2.stages.faces_sample import save_images


def run(ddim: params.Ddim, *, noise: Path, out: Path, model: str, device: torch.device) -> int:
    """Write a face for each noise to `out`, all of them or none, and return their number.

    Args:
        ddim: Section `faces.ddim`.
        noise: Folder of the noises.
        out: Folder of the faces, as `outputs.need_new_folder` returns it.
        model: The pipeline's model file, the course's UNet.pt, or a diffusers folder or hub id.
        device: Device of the network.

    Raises:
        UserError: if the model or a noise is not valid, or the model has too few noise levels.
    """
    noises.read(noise)  # fails before the model is loaded
    face_model = load.load(model, device)
    noise_by_name = noises.read(noise, face_model.size)
    levels = face_model.schedule.timesteps
    if 2 * ddim.steps > levels:
        raise UserError(f"--steps {ddim.steps}: more than half of the {levels} noise levels")
    names, stacked = list(noise_by_name), torch.stack(list(noise_by_name.values()))
    with progress(len(names), "faces", unit="image") as bar:
        sampled = sample(
            face_model, stacked, names, Setting(ddim.steps, ddim.timestep_spacing, ddim.eta),
            seed=ddim.seed, batch=ddim.batch_size, precision=ddim.precision, tick=bar.update,
        )  # fmt: skip
    save_images(out, dict(zip(names, stretched(sampled).numpy(), strict=True)))
    return len(names)
