"""Sample faces with DDIM: the course's ten images, and every setting that the figures compare."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from hw2.config import params
from hw2.config.choices import TimestepSpacing
from hw2.diffusion.interpolation import lerp, slerp
from hw2.faces import model as models
from hw2.faces import noises
from hw2.faces.sample import Setting, sample, stretched
from hw2.io import files
from hw2.io.atomic import atomic_dir
from hw2.pixels import to_uint8
from hw2.runtime.errors import UserError
from hw2.runtime.progress import progress

SPACINGS: tuple[TimestepSpacing, ...] = ("course", "leading", "trailing")
COLUMNS = 4  # noises that settings are compared on, as in the course's figures

SampleFaces = Callable[[Tensor, Sequence[str], Setting], Tensor]


def run(
    faces: params.Faces,
    *,
    faces_model: Path,
    faces_noise: Path,
    faces_images: Path,
    faces_samples: Path,
    device: torch.device,
) -> None:
    """Write the initial noises, their faces, and the faces of all comparisons.

    faces_noise: the noises as `NN.pt`.
    faces_images: their faces as `NN.png`.
    faces_samples: the values of the settings, and uint8 images (..., S, S, 3):
        eta (E, 4, R): by `etas`, noise and repetition.
        slerp, lerp (P, A): by pair of noises and `alphas`.
        steps (G, 4, C): by timestep spacing (`SPACINGS`), noise and `step_counts`.
        spacings (G, N): by timestep spacing and noise, each image scaled to its own range as in its
            PNG. All other arrays use the fixed range of the model, so that contrasts are
            comparable.

    Raises:
        UserError: if given noises do not fit the model, or are too few.
    """
    ddim = faces.ddim
    face = models.load(faces_model, device)
    initial = _noises(ddim, face.size)
    names, stack = list(initial), torch.stack(list(initial.values()))
    setting = Setting(ddim.steps, ddim.timestep_spacing, ddim.eta)
    with progress(_count(ddim, len(names)), "faces", unit="image") as bar:

        def draw(start: Tensor, streams: Sequence[str], how: Setting) -> Tensor:
            return sample(
                face, start, streams, how,
                seed=ddim.seed, batch=ddim.batch_size, precision=ddim.precision,
            )  # fmt: skip

        sample_faces = _EachOnce(draw, bar.update)
        # First, so that the course's images share a batch, as those of `hw2 faces` do.
        by_spacing = {
            spacing: sample_faces(stack, names, Setting(ddim.steps, spacing, ddim.eta))
            for spacing in SPACINGS
        }
        arrays = {
            "eta": _etas(sample_faces, ddim, stack, names),
            "steps": _steps(sample_faces, ddim, stack, names),
            **_interpolated(sample_faces, ddim, stack, setting),
        }
    images_by_spacing = np.stack([stretched(by_spacing[spacing]).numpy() for spacing in SPACINGS])
    with atomic_dir(faces_noise) as folder:
        noises.write(folder, initial)
    save_images(
        faces_images,
        dict(zip(names, images_by_spacing[SPACINGS.index(ddim.timestep_spacing)], strict=True)),
    )
    files.save_arrays(
        faces_samples,
        **arrays,
        spacings=images_by_spacing,
        etas=np.array(ddim.etas),
        alphas=alphas(ddim).numpy(),
        step_counts=np.array(ddim.step_counts),
    )


class _EachOnce:
    """Samples each face once, although several comparisons ask for it.

    Args:
        draw: Samples faces.
        tick: Called with the number of faces that are there.
    """

    def __init__(self, draw: SampleFaces, tick: Callable[[int], object]) -> None:
        self._draw, self._tick = draw, tick
        self._drawn: dict[tuple[Setting, str, bytes], Tensor] = {}

    def __call__(self, start: Tensor, streams: Sequence[str], how: Setting) -> Tensor:
        keys = [
            # Without fresh noise its stream does not matter.
            (how, stream if how.eta else "", sha256(noise.numpy().tobytes()).digest())
            for noise, stream in zip(start, streams, strict=True)
        ]
        new = [k for k, key in enumerate(keys) if key not in self._drawn and key not in keys[:k]]
        if new:
            faces = self._draw(start[new], [streams[k] for k in new], how)
            self._drawn |= zip((keys[k] for k in new), faces, strict=True)
        self._tick(len(keys))
        return torch.stack([self._drawn[key] for key in keys])


def save_images(out: Path, faces: dict[str, np.ndarray]) -> None:
    """Write images uint8 (S, S, 3) as `{name}.png` into the folder `out`, all of them or none."""
    with atomic_dir(out) as folder:
        for name, face in faces.items():
            Image.fromarray(face).save(folder / f"{name}.png")


def alphas(ddim: params.Ddim) -> Tensor:
    """Interpolation points float64 (A,), evenly spaced from 0 to 1."""
    return torch.linspace(0, 1, ddim.interpolation_points, dtype=torch.float64)


def _noises(ddim: params.Ddim, size: int) -> dict[str, Tensor]:
    if ddim.noises is None:
        return noises.draw(ddim.seed, size)
    initial = noises.read(Path(ddim.noises), size)
    needed = max(COLUMNS, 2 * ddim.interpolation_pairs)
    if len(initial) < needed:
        raise UserError(
            f"faces.ddim.noises: {len(initial)} noises in {ddim.noises}; provide at least {needed}"
        )
    return initial


def _count(ddim: params.Ddim, noises: int) -> int:
    """Number of images to sample."""
    interpolated = 2 * ddim.interpolation_pairs * ddim.interpolation_points
    compared = len(SPACINGS) * (COLUMNS * len(ddim.step_counts) + noises)
    return len(ddim.etas) * COLUMNS * ddim.repeats + interpolated + compared


def _etas(
    sample_faces: SampleFaces, ddim: params.Ddim, stack: Tensor, names: list[str]
) -> np.ndarray:
    start = stack[:COLUMNS].repeat_interleave(ddim.repeats, 0)
    streams = [f"{name} {k}" for name in names[:COLUMNS] for k in range(ddim.repeats)]
    rows = [
        to_uint8(sample_faces(start, streams, Setting(ddim.steps, ddim.timestep_spacing, eta)))
        for eta in ddim.etas
    ]
    sampled = np.stack(rows)
    return sampled.reshape(len(rows), -1, ddim.repeats, *sampled.shape[2:])


def _steps(
    sample_faces: SampleFaces, ddim: params.Ddim, stack: Tensor, names: list[str]
) -> np.ndarray:
    shown = names[:COLUMNS]
    return np.stack(
        [
            np.stack(
                [
                    to_uint8(
                        sample_faces(stack[:COLUMNS], shown, Setting(count, spacing, ddim.eta))
                    )
                    for count in ddim.step_counts
                ],
                axis=1,
            )
            for spacing in SPACINGS
        ]
    )


def _interpolated(
    sample_faces: SampleFaces, ddim: params.Ddim, stack: Tensor, setting: Setting
) -> dict[str, np.ndarray]:
    result = {}
    for name, between in (("slerp", slerp), ("lerp", lerp)):
        start = torch.stack(
            [
                between(stack[2 * pair], stack[2 * pair + 1], alpha)
                for pair in range(ddim.interpolation_pairs)
                for alpha in alphas(ddim).tolist()
            ]
        )
        streams = [
            f"pair {pair}"
            for pair in range(ddim.interpolation_pairs)
            for _ in range(ddim.interpolation_points)
        ]
        sampled = to_uint8(sample_faces(start, streams, setting))
        result[name] = sampled.reshape(
            ddim.interpolation_pairs, ddim.interpolation_points, *sampled.shape[1:]
        )
    return result
