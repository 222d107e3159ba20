"""Tones of images: how light their backgrounds are, and how many of their pixels are vivid.

A digit may be read while its image has the wrong colors: strong guidance draws white digits on
black with vivid specks. These shares, beside those of real images, show it.
"""

import numpy as np
from numpy.typing import NDArray

from hw2.io.images import LUMA

Pixels = NDArray[np.uint8]
_BORDER = 3  # pixels at each edge, which a centered digit seldom reaches
_VIVID = 0.6  # least difference between the channels of a vivid pixel, in [0, 1]


def measure(generated: Pixels, real: Pixels) -> dict[str, float]:
    """Shares of both sets of images uint8 (N, H, W, 3); names of real ones end in `_real`.

    `background_dark`, `background_medium` and `background_light` are shares of images by the third
    of the range that the mean gray value of the border is in. `vivid` is the share of pixels whose
    channels differ by 60 % of the range or more.
    """
    real_shares = {f"{name}_real": share for name, share in _shares(real).items()}
    return _shares(generated) | real_shares


def _shares(images: Pixels) -> dict[str, float]:
    gray = (images / 255) @ np.array(LUMA)
    border = np.ones(gray.shape[1:], bool)
    border[_BORDER:-_BORDER, _BORDER:-_BORDER] = False
    background = gray[:, border].mean(1)
    dark, light = float((background < 1 / 3).mean()), float((background >= 2 / 3).mean())
    spread = (images.max(-1).astype(float) - images.min(-1)) / 255
    return {
        "background_dark": dark,
        "background_medium": 1 - dark - light,
        "background_light": light,
        "vivid": float((spread >= _VIVID).mean()),
    }
