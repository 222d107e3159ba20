"""Made-up records of personalization: two concepts, four methods."""

from pathlib import Path
from typing import Any

import numpy as np

from hw2.io.files import save_arrays, write_json, write_table

WORDS = {"0": ("<new1>", "thing"), "1": ("<new2>", "striped")}
METHODS = {"prompt_only": 20.0, "separate": 40.0, "joint": 50.0, "photographs": 80.0}
PAIR = "0+1"
STEPS = (0, 2, 4)


def ends(name: str, value: float, half: float = 2.0) -> dict[str, float]:
    return {name: value, f"{name}_low": value - half, f"{name}_high": value + half}


def metrics() -> dict[str, Any]:
    """The record of `personalization_evaluate`."""
    record: dict[str, Any] = {
        "concepts": {},
        "multi_concept": {PAIR: {}},
        "judge": {
            name: {"reconstructed": {**ends("share", 0.9, 0.05), "n": 100}}
            for name in (*WORDS, PAIR)
        },
        "grades": {"passed": 1, "cases": 2},
    }
    for key in WORDS:
        record["concepts"][key] = {
            "prompts": 1, "n": 25,
            **ends("image", 70.0), **ends("word_image", 60.0), **ends("image_gain", 10.0),
            **ends("text", 29.0), **ends("word_text", 30.5), **ends("text_gain", -1.5),
        }  # fmt: skip
        for name, share in (("recognized", 0.8), ("word_recognized", 0.1)):
            record["concepts"][key][name] = {**ends("share", share, 0.05), "n": 50}
        record["grades"][f"{key}/0"] = {
            "image": 75.0, "text": 31.0, "baseline_image": 60, "baseline_text": 20,
            "passed": int(key == "0"),
        }  # fmt: skip
    for position, (name, value) in enumerate(METHODS.items()):
        scores = {"position": position, "seeds": 3, "n": 12, "bytes": 768}
        scores |= {
            "trained": 480 * position,
            "sampled": 960,
            "first": value + 5,
            "second": value - 5,
        }
        scores |= {**ends("mean", value), **ends("lesser", value - 6)}
        if name != "photographs":
            scores |= ends("text", 25.0)
            scores["recognized"] = {**ends("share", value / 100, 0.1), "n": 36}
            if name != "separate":
                scores |= ends("lesser_gain", value - 40)
                scores["recognized"] |= ends("gain", value / 100 - 0.4, 0.05)
        record["multi_concept"][PAIR][name] = scores
    shares = {"sampled": 0.85, "unseen": 0.5, "real": 0.97}
    record["stable_diffusion"] = {
        k: {**ends("alignment", v, 0.03), "n": 144} for k, v in shares.items()
    }
    return record


def write(folder: Path) -> dict[str, Path]:
    """Write the records; return the keyword arguments of `report.run`."""
    stream = np.random.Generator(np.random.PCG64(9))

    def images(*shape: int) -> np.ndarray:
        return stream.integers(0, 256, (*shape, 16, 16, 3), dtype=np.uint8)

    rows = [
        {
            "concept": key, "step": step, "loss": 0.5 if step else None, "image": 50.0 + step,
            "text": 30.0 - step, "chosen": step == 2,
        }
        for key in WORDS for step in STEPS
    ]  # fmt: skip
    snapshots: dict[str, Any] = {}
    samples: dict[str, Any] = {"alignment": images(48)}
    for key, (token, word) in WORDS.items():
        snapshots |= {f"{key}_strips": images(3, 4), f"{key}_references": images(5)}
        samples |= {
            f"{key}_token": np.array(token), f"{key}_word": np.array(word),
            f"{key}_prompts": np.array([f"a photo of a {token}"]),
            f"{key}_learned_0": images(5), f"{key}_word_0": images(5),
        }  # fmt: skip
    paths = {
        "personalization_details": folder / "personalization.json",
        "personalization_history": folder / "personalization_history.csv",
        "personalization_snapshots": folder / "snapshots.npz",
        "personalization_samples": folder / "personalization_samples.npz",
        "multi_concept_images": folder / "multi_concept.npz",
    }
    write_json(paths["personalization_details"], metrics())
    write_table(paths["personalization_history"], rows)
    save_arrays(paths["personalization_snapshots"], **snapshots)
    save_arrays(paths["personalization_samples"], **samples)
    shown = {f"{PAIR}/{name}": images(3, 2, 3) for name in METHODS if name != "photographs"}
    shown[f"{PAIR}/prompts"] = np.array(["a <new1> and a <new2>", "a <new2> and a <new1>"])
    save_arrays(paths["multi_concept_images"], **shown)
    return paths
