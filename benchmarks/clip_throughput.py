"""Images a second of CLIP's image tower, against open_clip's usual way: one image at a time.

    python benchmarks/clip_throughput.py FOLDER [--architecture ViT-B-32-quickgelu] [--images 2500]
        [--weights FILE] [--threads 1] [--precision auto] [--batch 64] [--one 200] [--check]

FOLDER is in the course's form, such as hw2_data/clip_zeroshot. All ways have the same weights
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


def usual(clip: model.Clip, found: LabeledImages, folder: Path, batch: int) -> Features:
    """open_clip's own transform for each file, and forward passes of `batch`."""
    transform = image_transform_v2(PreprocessCfg(**clip.preprocess.config), is_train=False)

    def prepared(row: int) -> Tensor:
        with Image.open(folder / "val" / found.files[row]) as image:
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


def ours(clip: model.Clip, found: LabeledImages, kind: str, batch: int) -> Features:
    """Ours: read, prepare and encode `batch` images at a time."""
    encode = image_encoder(clip, precision(kind, clip.device))

    def features(rows: Sequence[int]) -> Tensor:
        parts = [rows[k : k + batch] for k in range(0, len(rows), batch)]
        return torch.cat([encode(found.read(part)) for part in parts])

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
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    device = torch.device(chosen.device)
    with tempfile.TemporaryDirectory() as place, images.opened(chosen.folder) as found:
        path = chosen.weights or random_weights(chosen.architecture, Path(place, "w.safetensors"))
        spec = params.ClipModel(
            name="benchmark", weights=str(path), architecture=chosen.architecture, pin=None
        )
        clip = model.load(weights.locate(spec, Path(place)), device)
        rows = np.linspace(0, len(found) - 1, min(chosen.images, len(found))).astype(int).tolist()
        few = rows[:: max(1, len(rows) // max(1, chosen.one))]
        ways: dict[str, tuple[Features, list[int]]] = {
            "one by one": (usual(clip, found, chosen.folder, 1), few),
            "items in batches": (usual(clip, found, chosen.folder, chosen.batch), rows),
            "batched": (ours(clip, found, "fp32", chosen.batch), rows),
        }
        if precision(chosen.precision, device) != "fp32":
            ways["reduced"] = (ours(clip, found, "bf16", chosen.batch), rows)
        speed, seen = {}, {}
        for way, (features, which) in ways.items():
            features(which[: chosen.batch])  # warm up
            began = time.perf_counter()
            seen[way] = features(which)
            speed[way] = len(which) / (time.perf_counter() - began)
        report = measured(speed, seen, len(found.classes), found.labels[rows], clip.scale)
    print(json.dumps(report, indent=2))
    best = max((way for way in ways if way in ("batched", "reduced")), key=lambda way: speed[way])
    fast = speed[best] >= TIMES * speed["items in batches"]
    return int(chosen.check and not (fast and report["equal"][best] >= EQUAL))


def measured(
    speed: dict[str, float], seen: dict[str, Tensor], classes: int, labels: np.ndarray, scale: float
) -> dict[str, dict[str, float]]:
    """Rates, ratios to `items in batches`, equal predictions, and the seconds of the sweep."""
    base = seen["items in batches"]
    stream = rng.torch_rng(0, "benchmark", "texts")
    texts = F.normalize(torch.randn(SETS, base.shape[1], classes, generator=stream), dim=1)
    said = {
        way: (found @ texts[0]).argmax(1) for way, found in seen.items() if len(found) == len(base)
    }
    began = time.perf_counter()
    for k in range(SETS):
        classify(base.numpy(), texts[k].numpy(), labels, scale)
    return {
        "images_per_second": speed,
        "ratio": {way: rate / speed["items in batches"] for way, rate in speed.items()},
        "equal": {
            way: float((found == said["items in batches"]).float().mean())
            for way, found in said.items()
        },
        "seconds": {f"{SETS} prompt sets": time.perf_counter() - began},
    }


if __name__ == "__main__":
    sys.exit(main())
