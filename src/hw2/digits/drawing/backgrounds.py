"""Backgrounds of the digits in color: photographs and random textures, divided by split.

The photographs are scikit-learn's two sample images and Matplotlib's portrait, of which each split
has its own strip. Textures are drawn from a random stream of the split: clouds, fibers, cells and
lines. A patch is a crop of one of them, turned, mirrored and in other colors, or two of them that
meet at an edge, as at the outline of an object.
"""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from hw2 import rng
from hw2.io import images

SIZE = 28
_TEXTURE = 160  # side of a texture in pixels
_TEXTURES = {"train": 48, "val": 16, "test": 16}
_PHOTO_SHARE = 0.6
_EDGE_SHARE = 0.12
_GRAY, _RANGE = 110.0, 0.75  # the brightness of patches is drawn closer to this gray level
_BLUE_TO_RED = np.array([0.8, 0.1, -0.9])  # the main direction of the hues of natural scenes
_ZOOM = (0.4, 2.2)  # side of a crop relative to that of a patch
# Range of each photograph's width, with a gap so that no patch can overlap two splits.
_STRIPS: dict[str, tuple[float, float]] = {
    "train": (0.0, 0.66),
    "val": (0.67, 0.80),
    "test": (0.81, 1.0),
}


@dataclass(frozen=True)
class Backgrounds:
    """The images of a split from which patches are cut: photographs and textures."""

    photos: list[Image.Image]
    textures: list[Image.Image]

    def patches(self, count: int, random: np.random.Generator) -> np.ndarray:
        """Random patches float32 (count, 28, 28, 3) in [0, 255]."""
        patches = _recolored(self._crops(count, random), random)
        rows = np.flatnonzero(random.random(count) < _EDGE_SHARE)
        other = _recolored(self._crops(len(rows), random), random)
        patches[rows] += _sides(len(rows), random)[..., None] * (other - patches[rows])
        return patches

    def _crops(self, count: int, random: np.random.Generator) -> np.ndarray:
        crops = np.empty((count, SIZE, SIZE, 3), np.float32)
        turns = random.integers(8, size=count)
        for k in range(count):
            files = self.photos if random.random() < _PHOTO_SHARE else self.textures
            crops[k] = _turned(_crop(files[random.integers(len(files))], random), turns[k])
        return crops


@cache
def load(split: str, seed: int) -> Backgrounds:
    """The backgrounds of a split; the seed decides the textures."""
    random = rng.numpy_rng(seed, "textures", split)
    textures = [_texture(random) for _ in range(_TEXTURES[split])]
    return Backgrounds([Image.fromarray(photo) for photo in photos(split)], textures)


def photos(split: str) -> list[np.ndarray]:
    """The strip of each photograph that belongs to `split`: uint8 (H, W, 3) each."""
    low, high = _STRIPS[split]
    return [
        photo[:, round(low * photo.shape[1]) : round(high * photo.shape[1])]
        for photo in _all_photos()
    ]


@cache
def _all_photos() -> tuple[np.ndarray, ...]:
    import matplotlib

    scikit_learn = find_spec("sklearn")  # its import takes seconds, and only its files are needed
    assert scikit_learn is not None  # a dependency
    assert scikit_learn.origin is not None
    samples = Path(scikit_learn.origin).parent / "datasets" / "images"
    portrait = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    return tuple(
        images.decode(path.read_bytes(), formats=("JPEG",))
        for path in (samples / "china.jpg", samples / "flower.jpg", portrait)
    )


def _crop(image: Image.Image, random: np.random.Generator) -> np.ndarray:
    """A random square of an image, enlarged or reduced: (28, 28, 3)."""
    most = min(_ZOOM[1], (min(image.size) - 1) / SIZE)
    side = SIZE * np.exp(random.uniform(np.log(_ZOOM[0]), np.log(most)))
    left, top = random.uniform(0, image.width - side), random.uniform(0, image.height - side)
    box = (left, top, left + side, top + side)
    return np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR, box))


def _turned(patch: np.ndarray, turn: int) -> np.ndarray:
    """One of the eight symmetries of the square."""
    return np.rot90(patch[:, ::-1] if turn >= 4 else patch, turn % 4)


def _recolored(patches: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Patches with other hues, saturation, brightness and contrast: (N, 28, 28, 3)."""
    count = len(patches)
    gray = patches.mean(-1, keepdims=True)
    channels = random.permuted(np.tile(np.arange(3), (count, 1)), axis=1)
    permuted = np.take_along_axis(patches, channels[:, None, None], axis=-1)
    mixing = random.uniform(0, 1, (count, 1, 1, 1)) ** 4  # nearly all keep most of their hues
    saturation = random.uniform(0.7, 1.8, (count, 1, 1, 1))
    colored = gray + saturation * ((1 - mixing) * patches + mixing * permuted - gray)
    gain = np.exp(random.normal(-0.1, 0.3, (count, 1, 1, 1)))
    shift = random.normal(0, 10, (count, 1, 1, 1)) + _tint(count, random)
    mean = colored.mean((1, 2), keepdims=True)
    light = _GRAY + _RANGE * (mean - _GRAY) + shift
    return (light + gain * (colored - mean)).clip(0, 255).astype(np.float32)


def _tint(count: int, random: np.random.Generator) -> np.ndarray:
    """Shifts of the channels, mostly towards blue or red: (count, 1, 1, 3)."""
    main, rest = random.normal(0, 11, (count, 1)), random.normal(0, 4, (count, 3))
    return (main * _BLUE_TO_RED + rest)[:, None, None]


def _sides(count: int, random: np.random.Generator) -> np.ndarray:
    """For each patch the side of a bent edge on which a pixel lies: (count, 28, 28) in [0, 1]."""
    angle = random.uniform(0, 2 * np.pi, (count, 1, 1))
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    across = x * np.cos(angle) + y * np.sin(angle)
    along = x * np.sin(angle) - y * np.cos(angle)
    bend = random.normal(0, 0.02, (count, 1, 1)) * along**2
    offset = random.uniform(-9, 9, (count, 1, 1))
    return (0.5 + across + bend - offset).clip(0, 1).astype(np.float32)


def _texture(random: np.random.Generator) -> Image.Image:
    """A texture in two or three colors, RGB."""
    kinds = (_clouds, _clouds, _fibers, _cells, _lines)
    values = kinds[random.integers(len(kinds))](random)
    rank = (values - values.mean()) / (values.std() + 1e-6)
    palette = _palette(random)
    at = np.clip(0.5 + 0.3 * rank, 0, 1)[..., None]
    low, middle, high = palette
    dark, light = low + 2 * at * (middle - low), middle + (2 * at - 1) * (high - middle)
    image = np.where(at < 0.5, dark, light)
    image += random.normal(0, random.uniform(0, 8), image.shape)
    return Image.fromarray(image.clip(0, 255).astype(np.uint8))


def _palette(random: np.random.Generator) -> np.ndarray:
    """Three colors of similar hue, RGB (3, 3): dark, middle and light."""
    hue = random.normal(0, 26) * _BLUE_TO_RED + random.normal(0, 9, 3)
    hue -= hue.mean()
    light = random.uniform(50, 190) + np.sort(random.normal(0, 45, 3))[:, None]
    return (light + hue * random.uniform(0.6, 1.4, (3, 1))).clip(0, 255)


def _clouds(random: np.random.Generator) -> np.ndarray:
    """Noise whose amplitude falls as a power of the frequency, as in natural images."""
    return _filtered(random, 1.0, random.uniform(0.9, 1.7))


def _fibers(random: np.random.Generator) -> np.ndarray:
    """The same, much longer in one direction: grass, hair, wood, water."""
    return _filtered(random, random.uniform(3, 10), random.uniform(0.8, 1.4))


def _filtered(random: np.random.Generator, stretch: float, power: float) -> np.ndarray:
    fy, fx = np.meshgrid(*(np.fft.fftfreq(_TEXTURE),) * 2, indexing="ij")
    angle = random.uniform(0, np.pi)
    along, across = fx * np.cos(angle) + fy * np.sin(angle), fy * np.cos(angle) - fx * np.sin(angle)
    radius = np.hypot(along * stretch, across) + 2 / _TEXTURE
    spectrum = np.fft.fft2(random.normal(size=(_TEXTURE, _TEXTURE))) / radius**power
    return np.fft.ifft2(spectrum).real


def _cells(random: np.random.Generator) -> np.ndarray:
    """Plain regions around random points: stones, leaves, walls."""
    count = random.integers(10, 50)
    points = random.uniform(0, _TEXTURE, (count, 2)).astype(np.float32)
    y, x = np.mgrid[:_TEXTURE, :_TEXTURE].astype(np.float32)
    y, x = (at + 6 * _unit(_filtered(random, 1.0, 1.5)).astype(np.float32) for at in (y, x))
    # |p - q|^2 without |p|^2, which is the same for all points q.
    distance = (points**2).sum(1) - 2 * (np.stack([y, x], -1) @ points.T)
    shades = random.normal(size=count)
    return shades[distance.argmin(-1)] + 0.3 * _unit(_filtered(random, 1.0, 1.2))


def _lines(random: np.random.Generator) -> np.ndarray:
    """Wavy lines: bricks, fences, cloth, ripples."""
    angle, period = random.uniform(0, np.pi), random.uniform(5, 30)
    y, x = np.mgrid[:_TEXTURE, :_TEXTURE]
    along = x * np.cos(angle) + y * np.sin(angle) + 4 * _unit(_filtered(random, 1.0, 1.6))
    wave = np.tanh(random.uniform(0.5, 4) * np.sin(2 * np.pi * along / period))
    return wave + 0.4 * _unit(_filtered(random, 1.0, 1.2))


def _unit(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()
