"""Sample ten digits from the trained DDPM.

Usage: python examples/sample_digits.py OUT.png [CHECKPOINT]
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from hw2.ddpm import denoiser, generate


def main(out: str, checkpoint: str = "results/ddpm/model.safetensors") -> None:
    """Write one image of the digits 0 to 9 of the first domain of the checkpoint."""
    model = denoiser.load(Path(checkpoint), torch.device("cpu"))
    images = generate.digits(model, model.domains[0], range(10))
    Image.fromarray(np.concatenate(list(images), axis=1)).save(out)
    print(f"{out}: digits 0 to 9 of {model.domains[0]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
