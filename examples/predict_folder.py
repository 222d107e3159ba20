"""Classify the digits in a folder of images.

Usage: python examples/predict_folder.py FOLDER [CHECKPOINT]
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from hw2.dann import classifier
from hw2.io import images

CHECKPOINT = "results/dann/models/mnistm-svhn/self_training-41.safetensors"


def main(folder: str, checkpoint: str = CHECKPOINT) -> None:
    """Print the digit in every PNG file of the folder."""
    trained = classifier.load(Path(checkpoint), torch.device("cpu"))
    paths = sorted(Path(folder).glob("*.png"))
    pixels = [Image.fromarray(images.read(path)).resize((28, 28)) for path in paths]
    digits = trained.predict(np.stack([np.asarray(image) for image in pixels]), trained.pair.target)
    for path, digit in zip(paths, digits, strict=True):
        print(path.name, digit)


if __name__ == "__main__":
    main(*sys.argv[1:])
