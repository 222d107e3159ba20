"""Sample ten digits from the trained DDPM.

Usage: python examples/sample_digits.py OUT.png [CHECKPOINT]
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from hw2.config import params
from hw2.ddpm import denoiser
from hw2.ddpm.sample import request_all_labels, sample_images
from hw2.diffusion.guidance import Guidance


def main(out: str, checkpoint: str = "results/ddpm/model.safetensors") -> None:
    """Write one image of the digits 0 to 9."""
    model = denoiser.load(Path(checkpoint), torch.device("cpu"))
    request = request_all_labels(model.domains[:1], 1)  # digits 0 to 9 of the first domain
    sampling = params.load().ddpm.sampling
    images = sample_images(model, request, sampling, guidance=Guidance(3.0), split="example")
    Image.fromarray(np.concatenate(list(images), axis=1)).save(out)
    print(f"{out}: digits 0 to 9 of {model.domains[0]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
