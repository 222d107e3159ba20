"""Public photographs of three concepts: the DreamBooth dataset (Ruiz et al., CVPR 2023).

An object, an animal to put beside it and a style take the places of the course's concepts. A file
is pinned by the dataset's commit and by its sha256, which is that of a copy of the dataset.
"""

import json
import shutil
from pathlib import Path

from hw2.io import download
from hw2.io.download import Remote
from hw2.personalization.synthetic import INPUT

_COMMIT = "e9b8c013ef2e30ab3d5d9018808513e9093e3bc4"
_URL = f"https://raw.githubusercontent.com/google/dreambooth/{_COMMIT}/dataset"
_TERMS = {
    "dog": "Unsplash license, photographs by Alvan Nee",
    "red_cartoon": "CC BY 4.0, drawings by Isabel Arduz",
    "cat2": "Unsplash license, photographs by Milada Vigerova",
}
_PINS = {
    "dog": (
        (97313, "adeda67e5dac2a62ac5d122a32ba0365546150da40455d035760c142ebf82c97"),
        (94368, "fcb5dcd60a3d02a81e908fd8f37f2bcd533b1258f2ee852a962742cb4bb6e62d"),
        (97739, "daad1959b4754734000bcb3699d616876f49797960a2c2b36915503fd5a1c1e5"),
        (91879, "1da748df122f41169c4fb41d3476ff84f2c738aa94b267871aa5ec8a945898dc"),
        (76883, "be64947acdf522c2c26368b658d8d5594d3a9b90d9e460f42d84b4c19bd6e9bc"),
    ),
    "red_cartoon": (
        (86615, "509d4adff91c58058a3a92affffe4fb0d0b019c4ac5302064e3cfb8ddfc665eb"),
        (87413, "4210ab9d515c4d884df661ebf199a521e399895600835515606a7fb1e6826aaf"),
        (93209, "2be865eefa440d4fb505d09015e567e5d7fee65729b68c341cd1105db3127c92"),
        (84390, "e677178e019770006445a95b202020543ac65265737b0b2077fd713aafb89a10"),
    ),
    "cat2": (
        (397464, "0d259e280c29c51341a9d47a28779c4e31661c439e518a3e138044ffe9c85ad7"),
        (474007, "205752743038870205f0bfb69330f3fb723e18ab8e10a395fff543ebd74066ea"),
        (352222, "d6d81497562ff39a58d749a85078fa7fe9734f9c4113e45816f4973697749038"),
        (510441, "d7776e99217bc5cc3b9494d20089602d20d26fce8395d31acd480b765e396d29"),
        (447863, "63f3f2f51c4a9c0410deba057645c4e580d0fcc7df09586afb40088225b9000d"),
    ),
}
"""Size in bytes and sha256 of each photograph, by folder of the dataset."""

FOLDERS = {"0": "dog", "1": "red_cartoon", "cat": "cat2"}
"""Folder of the dataset for each concept, by its key."""

FILES = {
    key: tuple(
        Remote(
            name=f"dreambooth-{folder}-{number:02d}.jpg",
            urls=(f"{_URL}/{folder}/{number:02d}.jpg",),
            sha256=sha256,
            bytes=size,
            licence=_TERMS[folder],
            about=f"DreamBooth dataset, {folder}",
        )
        for number, (size, sha256) in enumerate(_PINS[folder])
    )
    for key, folder in FOLDERS.items()
}
"""The photographs of each concept, by its key."""

_SCENES = ("A {} sits on a park bench in Rome.", "A {} on a hill with a snowy mountain behind it.")
_PLACES = ("The streets of Paris{}.", "The skyline of Manhattan{}.")
INPUTS = {
    "0": {
        "src_image": "dog",
        "token_name": "<new1>",
        "prompt": [text.format("<new1>") for text in _SCENES],
        "prompt_4_clip_eval": [text.format("dog") for text in _SCENES],
        "baseline": None,
    },
    "1": {
        "src_image": "cartoon",
        "token_name": "<new2>",
        "prompt": [text.format(" in the style of <new2>") for text in _PLACES],
        "prompt_4_clip_eval": [text.format(" in the style of a cartoon") for text in _PLACES],
        "baseline": None,
    },
}
"""The content of input.json: prompts like the course's; training sets the baselines."""


def write(folder: Path, raw: Path) -> None:
    """Write the photographs and the prompts into `folder`; `raw` is the folder of downloads.

    Raises:
        UserError: if a photograph cannot be downloaded, or is not the published one.
    """
    for key, remotes in FILES.items():
        (folder / key).mkdir(parents=True)
        for number, remote in enumerate(remotes):
            shutil.copyfile(download.get(remote, raw), folder / key / f"{number:02d}.jpg")
    (folder / INPUT).write_text(json.dumps(INPUTS, indent=2) + "\n", encoding="utf-8")
