"""Tones of images: how light their backgrounds are, and how many of their pixels are vivid.

A digit may be read while its image has the wrong colors: strong guidance draws white digits on
black with vivid specks. These shares, beside those of real images, show it.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hw2.evaluation.intervals import proportion
from hw2.evaluation.means import mean
from hw2.io.images import LUMA

Pixels = NDArray[np.uint8]
_BORDER = 3  # pixels at each edge, which a centered digit seldom reaches
_VIVID = 0.6  # least difference between the channels of a vivid pixel, in [0, 1]


def measure(images: Pixels) -> dict[str, dict[str, float | int]]:
    """Shares of images uint8 (N, H, W, 3), N >= 2, each a record of `share`, its interval and N.

    `background_dark`, `background_medium` and `background_light` are shares of images by the third
    of the range that the mean gray value of the border is in. `vivid` is the share of pixels whose
    channels differ by 60 % of the range or more; images, not pixels, are its observations.
    """
    gray = (images / 255) @ np.array(LUMA)
    border = np.ones(gray.shape[1:], bool)
    border[_BORDER:-_BORDER, _BORDER:-_BORDER] = False
    third = np.clip((3 * gray[:, border].mean(1)).astype(int), 0, 2)
    spread = (images.max(-1).astype(float) - images.min(-1)) / 255
    vivid = mean((spread >= _VIVID).mean((1, 2)))
    shares = {
        f"background_{name}": proportion(third == k)
        for k, name in enumerate(("dark", "medium", "light"))
    }
    shares["vivid"] = replace(vivid, low=max(0.0, vivid.low), high=min(1.0, vivid.high))
    return {name: share.named("share") for name, share in shares.items()}
