"""Images a second of CLIP's image tower, against open_clip's usual way: one image at a time.

    python benchmarks/clip_throughput.py FOLDER [--architecture ViT-B-32-quickgelu] [--images 2500]
        [--weights FILE] [--threads 1] [--precision auto] [--batch 64] [--one 200] [--check]

FOLDER is in the course's form, such as hw2_data/clip_zeroshot. All variants have the same weights
(random ones unless a file is given) on the same device, in one process; preprocessing counts:

one by one       Pillow's preprocessing and a forward pass for each image, as course solutions do
items in batches Pillow's preprocessing image by image, forward passes of --batch
batched          preprocessing of a batch at a time, forward passes of --batch, fp32
reduced          the same in bf16, where the processor computes it or --precision says so

`one by one` reads --one images only, at even distances; all others read --images. A random text
classifier turns features into predictions. `--check` ends with 1 if the fastest of ours is below 3
times `items in batches`, or differs from it in more than 0.5 % of the predictions. The end times a
sweep over 100 prompt sets from these features, text encoding left out.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import open_clip
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from hw2 import rng
from hw2.clip import images, model, weights
from hw2.clip.classify import classify
from hw2.clip.features import image_encoder, precision
from hw2.clip.images import LabeledImages
from hw2.config import params

TIMES, EQUAL, SETS = 3.0, 0.995, 100
Features = Callable[[Sequence[int]], Tensor]


def random_weights(architecture: str, path: Path) -> Path:
    """The weights that open_clip starts a training with, always the same."""
    with rng.seeded_init(0, "benchmark"):
        network = open_clip.create_model(architecture, load_weights=False)
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, path)
    return path


def usual(clip: model.Clip, dataset: LabeledImages, folder: Path, batch: int) -> Features:
    """open_clip's own transform for each file, and forward passes of `batch`."""
    transform = image_transform_v2(PreprocessCfg(**clip.preprocess.config), is_train=False)

    def prepared(row: int) -> Tensor:
        with Image.open(folder / "val" / dataset.files[row]) as image:
            return transform(image)

    @torch.inference_mode()
    def features(rows: Sequence[int]) -> Tensor:
        parts = [rows[k : k + batch] for k in range(0, len(rows), batch)]
        encoded = [
            clip.network.encode_image(
                torch.stack([prepared(row) for row in part]).to(clip.device), normalize=True
            )
            for part in parts
        ]
        return torch.cat(encoded).cpu()

    return features


def ours(clip: model.Clip, dataset: LabeledImages, kind: str, batch: int) -> Features:
    """Ours: read, prepare and encode `batch` images at a time."""
    encode = image_encoder(clip, precision(kind, clip.device))

    def features(rows: Sequence[int]) -> Tensor:
        parts = [rows[k : k + batch] for k in range(0, len(rows), batch)]
        return torch.cat([encode(dataset.read(part)) for part in parts])

    return features


def main() -> int:
    """Measure throughput and print it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--architecture", default="ViT-B-32-quickgelu")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--images", type=int, default=2500)
    parser.add_argument("--one", type=int, default=200)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    with tempfile.TemporaryDirectory() as temporary, images.opened(options.folder) as dataset:
        path = options.weights or random_weights(
            options.architecture, Path(temporary, "w.safetensors")
        )
        spec = params.ClipModel(
            name="benchmark",
            weights=str(path),
            architecture=options.architecture,
            revision=None,
            sha256=None,
        )
        clip = model.load(weights.locate(spec, Path(temporary)), device)
        count = min(options.images, len(dataset))
        rows = np.linspace(0, len(dataset) - 1, count).astype(int).tolist()
        spaced_rows = rows[:: max(1, len(rows) // max(1, options.one))]
        variants: dict[str, tuple[Features, list[int]]] = {
            "one by one": (usual(clip, dataset, options.folder, 1), spaced_rows),
            "items in batches": (usual(clip, dataset, options.folder, options.batch), rows),
            "batched": (ours(clip, dataset, "fp32", options.batch), rows),
        }
        if precision(options.precision, device) != "fp32":
            variants["reduced"] = (ours(clip, dataset, "bf16", options.batch), rows)
        speed, outputs = {}, {}
        for variant, (features, which) in variants.items():
            features(which[: options.batch])  # warm up
            start = time.perf_counter()
            outputs[variant] = features(which)
            speed[variant] = len(which) / (time.perf_counter() - start)
        report = measured(speed, outputs, len(dataset.classes), dataset.labels[rows], clip.scale)
    print(json.dumps(report, indent=2))
    best = max({"batched", "reduced"} & speed.keys(), key=lambda variant: speed[variant])
    fast = speed[best] >= TIMES * speed["items in batches"]
    return int(options.check and not (fast and report["equal"][best] >= EQUAL))


def measured(
    speed: dict[str, float],
    outputs: dict[str, Tensor],
    classes: int,
    labels: np.ndarray,
    scale: float,
) -> dict[str, dict[str, float]]:
    """Rates, ratios to `items in batches`, equal predictions, and the seconds of the sweep."""
    base = outputs["items in batches"]
    stream = rng.torch_rng(0, "benchmark", "texts")
    texts = F.normalize(torch.randn(SETS, base.shape[1], classes, generator=stream), dim=1)
    predictions = {
        variant: (output @ texts[0]).argmax(1)
        for variant, output in outputs.items()
        if len(output) == len(base)
    }
    start = time.perf_counter()
    for k in range(SETS):
        classify(base.numpy(), texts[k].numpy(), labels, scale)
    return {
        "images_per_second": speed,
        "ratio": {variant: rate / speed["items in batches"] for variant, rate in speed.items()},
        "equal": {
            variant: float((predicted == predictions["items in batches"]).float().mean())
            for variant, predicted in predictions.items()
        },
        "seconds": {f"{SETS} prompt sets": time.perf_counter() - start},
    }


if __name__ == "__main__":
    sys.exit(main())
