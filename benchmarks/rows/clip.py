"""Rows of CLIP: encoding images, and a sweep of prompt sets."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import open_clip
import torch
from ceilings import of_work
from comparison import OURS, ROOT, Comparison, Contender, Settings, missing, timed
from measure import work_of
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import DataLoader

from hw2 import rng
from hw2.clip import images as clip_images
from hw2.clip import model, weights
from hw2.clip.classify import classify
from hw2.clip.feature_cache import Cache
from hw2.clip.features import Encoder, image_encoder, precision
from hw2.clip.images import LabeledImages
from hw2.config import params
from hw2.digits.labels import NUM_DIGITS
from rows.per_item import SEED, PerItem, digits

ARCHITECTURE = "ViT-B-32-quickgelu"
SMALL = ROOT / "data" / "pretrained" / "clip"
CPU = torch.device("cpu")
BATCH = 64
PLAIN, ONE, BENCHMARK = "open_clip, plain loop", "open_clip, one by one", "CLIP_benchmark"


@dataclass(frozen=True)
class Inputs:
    """A model and a folder of images in the course's layout."""

    clip: model.Clip
    images: LabeledImages
    items: PerItem

    def loader(self, batch: int) -> DataLoader[Any]:
        """Batches by open_clip's own transform, image by image."""
        return DataLoader(self.items, batch)


@contextmanager
def inputs(count: int, architecture: str | None) -> Iterator[Inputs]:
    """A random model of an architecture, or the one of data/pretrained."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files, labels = _folder(folder, count)
        path = SMALL if architecture is None else _random_weights(architecture, folder)
        spec = params.ClipModel(
            name="benchmark", weights=str(path), architecture=architecture, revision=None,
            sha256=None,
        )  # fmt: skip
        clip = model.load(weights.locate(spec, folder), CPU)
        transform = image_transform_v2(PreprocessCfg(**clip.preprocess.config), is_train=False)
        with clip_images.opened(folder) as dataset:
            yield Inputs(clip, dataset, PerItem(files, labels, transform))


@contextmanager
def images(settings: Settings) -> Iterator[Comparison]:
    """Images through the preprocessing and the image tower."""
    count, one = settings.size((64, 4), (2, 2))
    with inputs(count, settings.size(ARCHITECTURE, None)) as given:
        visual = given.clip.network.visual
        fastest = precision("auto", CPU)
        side = visual.image_size[0] if isinstance(visual.image_size, tuple) else visual.image_size
        work = work_of(lambda: visual(torch.zeros(1, 3, side, side)))
        contenders = {OURS: Contender(_ours(given, fastest), count)}
        contenders[PLAIN] = Contender(lambda: encoded(given, BATCH), count)
        contenders[ONE] = Contender(lambda: encoded(given, 1, one), one)
        absent = missing(BENCHMARK, "clip_benchmark")
        if not absent:
            contenders[BENCHMARK] = Contender(_clip_benchmark(given), count)
        yield Comparison(
            title="Encoding images with CLIP ViT-B/32",
            unit="image",
            contenders=contenders,
            missing=absent,
            ceilings=of_work(work, fastest, settings),
            equal=f"{count} PNGs instead of the course's 2,500 ({one} for one by one), with reading"
            f" and preprocessing, in batches of {BATCH}, random weights. Ours in {fastest}, the"
            " peers in fp32, the default of open_clip.",
            details=_precisions(given, fastest),
        )


@contextmanager
def sweep(settings: Settings) -> Iterator[Comparison]:
    """A sweep of prompt sets over the same images."""
    count, sets = settings.size((200, 10), (4, 2))
    with inputs(count, None) as given, TemporaryDirectory() as cache:
        template_sets = [[f"a photo of a {{}}, set {k}"] for k in range(sets)]
        runs = iter(range(10**9))

        def ours() -> None:  # from an empty cache each time
            folder = Path(cache, str(next(runs)))
            encoder = Encoder(
                given.clip, Cache(folder, "hw2.clip.features"), precision("auto", CPU), BATCH
            )
            for templates in template_sets:
                classes = encoder.classes(given.images.classes, templates)
                features = encoder.images(given.images)
                classify(features, classes, given.images.labels, given.clip.scale)

        def theirs() -> None:
            for templates in template_sets:
                classes = _classifier(given, templates)
                (encoded(given, BATCH) @ classes).topk(5)

        yield Comparison(
            title="A sweep of prompt sets with CLIP",
            unit="prompt set",
            contenders={OURS: Contender(ours, sets), PLAIN: Contender(theirs, sets)},
            equal=f"{sets} prompt sets instead of 100, {count} images instead of 2,500, ten"
            " classes, the small CLIP of data/pretrained. The plain loop encodes the images again"
            " for each prompt set; ours keeps their features, so the ratio grows with the sets.",
        )


@torch.inference_mode()
def encoded(given: Inputs, batch: int, count: int | None = None) -> Tensor:
    """Features by open_clip's usual loop."""
    network, result, done = given.clip.network, [], 0
    for pixels, _ in given.loader(batch):
        result.append(network.encode_image(pixels, normalize=True))
        done += len(pixels)
        if count is not None and done >= count:
            break
    return torch.cat(result)


def _ours(given: Inputs, kind: Any) -> Callable[[], object]:
    encode, images = image_encoder(given.clip, kind), given.images

    def run() -> None:
        for start in range(0, len(images), BATCH):
            encode(images.read(range(start, min(start + BATCH, len(images)))))

    return run


def _precisions(given: Inputs, fastest: Any) -> dict[str, str]:
    """Our time in fp32, and how many predictions are those of the plain loop."""
    in_fp32 = timed(_ours(given, "fp32"), len(given.images)).processor
    features = image_encoder(given.clip, fastest)(given.images.read(range(len(given.images))))
    plain = encoded(given, BATCH)
    stream = rng.torch_rng(SEED, "benchmark", "texts")
    texts = torch.randn(plain.shape[1], 100, generator=stream)
    equal = ((features @ texts).argmax(1) == (plain @ texts).argmax(1)).float().mean()
    return {
        "ours in fp32, before the rounds": f"{in_fp32:.3g} s per image",
        "predictions of 100 random classes that equal those of the plain loop": f"{equal:.1%}",
    }


def _clip_benchmark(given: Inputs) -> Callable[[], object]:
    from clip_benchmark.metrics import zeroshot_classification

    zeroshot_classification.tqdm = lambda loader: loader  # its bars would be between our lines
    classes = _classifier(given, ["a photo of a {}"])
    return lambda: zeroshot_classification.run_classification(
        given.clip.network, classes, given.loader(BATCH), "cpu", amp=False
    )


def _classifier(given: Inputs, templates: list[str]) -> Tensor:
    return open_clip.build_zero_shot_classifier(
        given.clip.network, given.clip.tokenize, classnames=given.images.classes,
        templates=templates, num_classes_per_batch=10, device="cpu",
    )  # fmt: skip


def _folder(folder: Path, count: int) -> tuple[list[Path], list[int]]:
    """Digits as labeled images in the course's layout."""
    pixels, labels = digits("svhn", count)
    (folder / "val").mkdir()
    files = [folder / "val" / f"{label}_{k}.png" for k, label in enumerate(labels)]
    for file, image in zip(files, pixels, strict=True):
        Image.fromarray(image).save(file)
    names = {str(digit): f"digit {digit}" for digit in range(NUM_DIGITS)}
    (folder / "id2label.json").write_text(json.dumps(names), encoding="utf-8")
    return files, labels.tolist()


def _random_weights(architecture: str, folder: Path) -> Path:
    with rng.seeded_init(SEED, "benchmark"):
        network = open_clip.create_model(architecture, load_weights=False)
    path = folder / "random.safetensors"
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, path)
    return path
