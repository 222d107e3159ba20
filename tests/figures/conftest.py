"""Small made-up records with the shape of the real ones."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hw2.digits.labels import LABELED_DOMAINS, NUM_DIGITS
from hw2.evaluation import headline
from hw2.io.files import read_json, save_arrays, write_json, write_table

sys.path.insert(0, str(Path(__file__).parent))  # the import mode `importlib` leaves this to us

import personalization_results
from reading import draw_report

CURVES = {"mnistm": (0.62, 0.965), "svhn": (0.71, 0.985)}
SAMPLERS = (
    ("ddpm", 0.012, (50, 250, 1000)),
    ("ddim", 0.11, (10, 20, 50, 100)),
    ("dpmpp", 0.2, (5, 10, 20, 50)),
)
WEIGHTS = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0)


def interval(p: float, n: int) -> dict[str, float]:
    """Wilson's 95 % interval of a share p of n."""
    z = 1.96
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return {"low": float(middle - half), "high": float(middle + half)}


def estimate(p: float, n: int) -> dict[str, float]:
    """A metric with the keys of `results/details/*.json`."""
    ends = interval(p, n)
    return {"accuracy": p, "accuracy_low": ends["low"], "accuracy_high": ends["high"], "n": n}


def samples(domains: tuple[str, ...], noises: int = 10) -> dict[str, np.ndarray]:
    """Images whose constant color tells (domain, digit, noise), in shuffled order."""
    keys = [
        (LABELED_DOMAINS.index(domain), digit, noise)
        for domain in domains
        for digit in range(NUM_DIGITS)
        for noise in range(noises)
    ]
    order = np.random.default_rng(0).permutation(len(keys))
    table = np.array(keys)[order]
    colors = (table * [100, 20, 20]).astype(np.uint8)
    shape = (len(domains), 6, 28, 28, 3)
    return {
        "images": np.broadcast_to(colors[:, None, None], (len(keys), 28, 28, 3)).copy(),
        "domains": table[:, 0],
        "digits": table[:, 1],
        "index": table[:, 2],
        "reverse_images": np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8),
        "reverse_t": np.array([1000, 800, 600, 400, 200, 0]),
        "reverse_domains": np.array([LABELED_DOMAINS.index(domain) for domain in domains]),
    }


def setting(
    kind: str, domain: str, sampler: tuple[str, int], scale: float, p: float
) -> dict[str, Any]:
    """One row of `sweep.csv`."""
    name, steps = sampler
    recall = 0.81 - 0.05 * (scale - 1)
    return {
        "kind": kind, "domain": domain, "sampler": name, "steps": steps,
        "network_calls": steps * (1 if scale == 1 else 2), "guidance_scale": scale,
        "n": 1000 if domain == "all" else 500,
        **estimate(p, 1000 if domain == "all" else 500),
        "recall": recall, "recall_low": recall - 0.02, "recall_high": recall + 0.02,
        "recall_real": 0.85, "kernel_distance": 1.1 - p,
        "kernel_distance_low": 1.0 - p, "kernel_distance_high": 1.2 - p,
    }  # fmt: skip


def sweep(domains: tuple[str, ...]) -> list[dict[str, Any]]:
    """Accuracy that rises with the guidance scale, and samplers that converge with their steps."""
    rows = []
    for domain in ("all", *domains):
        ends = [CURVES[d] for d in (domains if domain == "all" else (domain,))]
        start, end = np.mean(ends, axis=0)
        offset = 0.01 * ("all", *LABELED_DOMAINS).index(domain)
        for w in WEIGHTS:
            p = float(end - (end - start) * np.exp(-1.3 * w) - 0.004 * max(0, w - 3))
            rows.append(setting("guidance", domain, ("ddim", 50), 1 + w, p))
            for key in ("recall", "recall_low", "recall_high", "recall_real"):
                rows[-1][key] += offset
        for sampler, rate, counts in SAMPLERS:
            for steps in counts:
                p = float(end * (1 - 0.8 * np.exp(-rate * steps)))
                rows.append(setting("sampler", domain, (sampler, steps), 4.0, p))
    return rows


def metrics(domains: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The JSON records, by file stem."""
    variety = {
        "kernel_distance": 0.29,
        "kernel_distance_real": 0.01,
        "recall": 0.6,
        "recall_real": 0.8,
    }
    variety |= {"frechet": 9.5, "frechet_real": 4.25}
    variety |= {"precision": 0.75, "precision_real": 0.8, "train_images": 900}
    tones = {
        f"background_{name}": {"share": p, "share_low": p - 0.05, "share_high": p + 0.05, "n": 500}
        for name, p in (("dark", 0.5), ("medium", 0.3), ("light", 0.2))
    }
    tones["vivid"] = {"share": 0.08, "share_low": 0.07, "share_high": 0.09, "n": 500}
    kinds = {"tones": {"generated": tones, "real": tones}}
    per_domain = {domain: estimate(CURVES[domain][1], 500) | variety | kinds for domain in domains}
    candidates = [
        {
            "guidance_scale": 1 + w,
            "interval_low": 0.0,
            "interval_high": 1.0,
            **estimate(p, 400),
            "frechet": 2 + 0.25 * w,
            "recall": 0.9 - 0.05 * w,
        }
        for w, p in ((1.0, 0.9225), (2.0, 0.955), (3.0, 0.9725), (4.0, 0.965))
    ]
    digits = {str(digit): estimate(0.95 + 0.005 * digit, 100) for digit in range(NUM_DIGITS)}
    return {
        "ddpm": {**estimate(0.975, 1000), **per_domain, "digits": digits,
                 "unguided": estimate(0.665, 1000)},
        "judge": {domain: estimate(0.984 + 0.003 * k, 2000) for k, domain in enumerate(domains)},
        "ddpm_ablation": {"ran": False},
        "guidance": {"guidance_scale": 4.0, "interval": [0.0, 1.0], "color": 0.0,
                     "candidates": candidates, "split": "val"},
    }  # fmt: skip


def history(rows: int = 400) -> list[dict[str, Any]]:
    """A falling, noisy loss logged every 25 steps."""
    noise = np.random.default_rng(2).normal(size=rows)
    return [
        {
            "step": 25 * (k + 1),
            "loss": float(
                (0.035 + 0.5 * np.exp(-k / 6) + 0.03 * np.exp(-k / 80)) * np.exp(0.12 * e)
            ),
            "lr": 2e-3,
        }
        for k, e in enumerate(noise)
    ]


ROWS = {
    "source_only": 0.61,
    "dann_paper": 0.58,
    "dann": 0.72,
    "self_training": 0.93,
    "target_only": 0.97,
}
PAIRS = ("mnistm->svhn", "mnistm->usps")


SINGLE = {"source_only": 0, "target_only": 1}
"""Methods that read a single domain of a pair, with its position."""


def trained_on(pair: str, method: str) -> str:
    """The domains that a method reads."""
    return pair.split("->")[SINGLE[method]] if method in SINGLE else pair


def adapted(pairs: tuple[str, ...] = PAIRS, trainings: int = 3) -> dict[str, Any]:
    """The record of `dann_evaluate`."""
    record: dict[str, Any] = {}
    for position, pair in enumerate(pairs):
        record[pair] = {}
        for method, share in ROWS.items():
            row = estimate(share + 0.01 * position, 2000)
            row |= {"trained_on": trained_on(pair, method)}
            row |= {"labeled_images": 32, "unlabeled_images": 0 if method in SINGLE else 32}
            row |= {"trainings": trainings, "source_accuracy": 0.954, "a_distance": 1.234}
            row |= {"spread": 0.0123} if trainings > 1 else {}
            if method != "source_only":
                gain = share - ROWS["source_only"]
                row |= {"gain": gain, "gain_low": gain - 0.013, "gain_high": gain + 0.013}
            record[pair][method] = row
    return record


def adaptation_history(pairs: tuple[str, ...] = PAIRS) -> list[dict[str, Any]]:
    """Curves of two seeds; only adversaries have a domain loss, only self-training keeps labels."""
    trainings = dict.fromkeys((trained_on(p, method), method) for p in pairs for method in ROWS)
    return [
        {
            "trained_on": domains, "method": method, "seed": seed, "step": step,
            "label": 2.3 / step + 0.1 * seed,
            "domain": 0.6 + 0.01 * step if "dann" in method else None,
            "kept": 0.5 + 0.04 * step if method == "self_training" else None,
            "strength": {"dann_paper": 1.0, "dann": 0.3}.get(method),
        }
        for domains, method in trainings for seed in (1, 2) for step in range(1, 11)
    ]  # fmt: skip


def points(pairs: tuple[str, ...] = PAIRS) -> list[dict[str, Any]]:
    """t-SNE points: a group per digit, domains separate before and together after."""
    return [
        {
            "pair": pair, "method": method, "domain": domain, "digit": digit,
            "x": digit + 0.1 * k + (20 * index if method == "source_only" else 0), "y": 0.3 * k,
        }
        for pair in pairs
        for method in ("source_only", "dann")
        for index, domain in enumerate(pair.split("->"))
        for digit in range(NUM_DIGITS)
        for k in range(3)
    ]  # fmt: skip


def layer(name: str, given: list[int], output: list[int], *skips: str) -> dict[str, Any]:
    """A layer of the record of a network."""
    return {"name": name, "kind": "Block", "input": given, "output": output, "parameters": 100,
            "skips": list(skips)}  # fmt: skip


def networks() -> dict[str, Any]:
    """The records of the networks, by file stem."""
    u_net = [
        layer("label", [], [16]),
        layer("down 1", [3, 28, 28], [8, 28, 28]),
        layer("down 2", [8, 28, 28], [8, 14, 14]),
        layer("up 1", [8, 14, 14], [8, 28, 28]),
        layer("up 2", [16, 28, 28], [3, 28, 28], "down 1"),
    ]
    parts = {"digit": [layer("linear", [8], [10])], "domain": [layer("linear", [8], [1])]}
    return {"ddpm_network": u_net, "dann_network": parts | {"features": u_net[1:3]}}


ETAS, ALPHAS, COUNTS = (0.0, 0.25, 1.0), (0.0, 0.25, 0.5, 0.75, 1.0), (1, 4, 20)
INTERPOLATIONS = {"slerp": 1.0, "lerp": 0.707}
SPACINGS = ("course", "leading", "trailing")


def faces(size: int = 16, noises: int = 4) -> dict[str, np.ndarray]:
    """The arrays of the faces' `samples.npz`: images of noise."""
    pixels = np.random.default_rng(5)

    def images(*shape: int) -> np.ndarray:
        return pixels.integers(0, 256, (*shape, size, size, 3), dtype=np.uint8)

    return {
        "eta": images(len(ETAS), noises, 3),
        **{way: images(2, len(ALPHAS)) for way in INTERPOLATIONS},
        "steps": images(len(SPACINGS), noises, len(COUNTS)),
        "spacings": images(len(SPACINGS), 10),
        "etas": np.array(ETAS),
        "alphas": np.array(ALPHAS),
        "step_counts": np.array(COUNTS),
    }


def measured(size: int = 16) -> dict[str, Any]:
    """The record of `faces_evaluate`."""

    def spread(name: str, value: float) -> dict[str, float]:
        return {name: value, f"{name}_low": 0.9 * value, f"{name}_high": 1.1 * value}

    return {
        "noises": 10,
        "size": size,
        "pairs": 2,
        "interpolation": {
            way: {"norm_ratio": ratio, "variance": ratio**2, "contrast": 0.8 + 0.2 * ratio,
                  "colorfulness": 0.5 + 0.4 * ratio,
                  "smoothness": 1.3 * ratio, "smoothness_first_pair": 1.2}
            for way, ratio in INTERPOLATIONS.items()
        },
        "eta": {
            f"{eta:g}": {**spread("distance", 0.2 * eta), **spread("diversity", 0.3 * eta), "n": 4}
            for eta in ETAS
        },
        "steps": {spacing: {str(c): 0.4 / c for c in COUNTS} for spacing in SPACINGS},
        "spacing_mse": {"leading": 1.56, "trailing": 2.47},
    }  # fmt: skip


def along() -> list[dict[str, Any]]:
    """The curves of interpolation."""
    return [
        {
            "interpolation": way, "pair": pair, "alpha": alpha,
            "norm_ratio": 1 - 4 * (1 - ratio) * alpha * (1 - alpha),
            "variance": 1 - 4 * (1 - ratio**2) * alpha * (1 - alpha),
            "colorfulness": 0.1 + 0.02 * alpha,
            "contrast": 0.2 + 0.01 * pair - 0.1 * (1 - ratio) * alpha * (1 - alpha),
        }
        for way, ratio in INTERPOLATIONS.items() for pair in range(2) for alpha in ALPHAS
    ]  # fmt: skip


MODELS = {"small CLIP": 0.0, "large CLIP": 0.05}
PROMPTS = {"course": (1, 0.70), "cifar18": (18, 0.68), "textures": (3, 0.80)}
NAMED = ("red circle", "red heart", "blue star", "blue ring")


def zeroshot_record(models: tuple[str, ...] = tuple(MODELS)) -> dict[str, Any]:
    """The record of `clip_evaluate`."""
    record: dict[str, Any] = {}
    for model in models:
        record[model] = {}
        for position, (name, (count, share)) in enumerate(PROMPTS.items()):
            acc = {key: shares(key, share + MODELS[model]) for key in ("acc1", "acc5")}
            gain = share - PROMPTS["course"][1]
            row = {"position": position, "prompts": count, **acc["acc1"], **acc["acc5"], "n": 400}
            row |= {
                "recall": share,
                "gain": gain,
                "gain_low": gain - 0.02,
                "gain_high": gain + 0.02,
            }
            row |= {"p": 1.0 if position == 0 else 0.00001 if gain > 0 else 0.2031}
            over = MODELS[model]
            row |= {
                "model_gain": over,
                "model_gain_low": over - 0.01,
                "model_gain_high": over + 0.01,
            }
            row |= {"model_p": 1.0 if over == 0 else 0.004}
            row["groups"] = {
                name: {**shares("acc1", share - lower), "n": 200}
                for name, lower in (("plain", 0.0), ("unseen pairs", 0.1))
            }
            record[model][name] = row
    return record


def shares(key: str, p: float) -> dict[str, float]:
    """A share of 400 under the names of the record; the five most likely hold more."""
    p = min(1.0, p + 0.15) if key == "acc5" else p
    ends = interval(p, 400)
    return {key: p, f"{key}_low": ends["low"], f"{key}_high": ends["high"]}


def predictions(models: tuple[str, ...] = tuple(MODELS)) -> list[dict[str, Any]]:
    """A hundred images of each class: of class k, 60 + 10 k are right, the others one class on."""
    rows = []
    for model in models:
        for k, true in enumerate(NAMED):
            for number in range(100):
                first = k if number < 60 + 10 * k else (k + 1) % 4
                order = [first, *(j for j in range(4) if j != first)]
                row = {"model": model, "prompts": "textures", "image": f"{k}_{number}.png"}
                row |= {"true": true, "correct": first == k}
                for rank in range(5):
                    exists = rank < len(order)
                    row[f"class{rank + 1}"] = NAMED[order[rank]] if exists else None
                    row[f"confidence{rank + 1}"] = (0.5, 0.3, 0.15, 0.05)[rank] if exists else None
                rows.append(row)
    return rows


def classes(models: tuple[str, ...] = tuple(MODELS)) -> list[dict[str, Any]]:
    """What follows from `predictions`."""
    return [
        {"model": model, "class": name, **estimate(0.6 + 0.1 * k, 100),
         "confused_with": NAMED[(k + 1) % 4], "confusions": 40 - 10 * k}
        for model in models for k, name in enumerate(NAMED)
    ]  # fmt: skip


def examples() -> dict[str, np.ndarray]:
    """Two right answers and three wrong ones."""
    files = ["0_3.png", "2_5.png", "0_90.png", "1_99.png", "2_98.png"]
    images = np.random.default_rng(4).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    return {"files": np.array(files), "images": images}


def write(folder: Path, domains: tuple[str, ...] = LABELED_DOMAINS) -> dict[str, Path]:
    """Write all records into `folder`; return the keyword arguments of `report.run`."""
    save_arrays(folder / "samples.npz", **samples(domains))
    write_table(folder / "sweep.csv", sweep(domains))
    write_table(folder / "history.csv", history())
    for stem, record in (metrics(domains) | networks()).items():
        write_json(folder / f"{stem}.json", record)
    pairs = PAIRS if len(domains) > 1 else ("usps->mnist",)  # none of the domains generated
    write_json(folder / "dann.json", adapted(pairs))
    write_table(folder / "dann_history.csv", adaptation_history(pairs))
    write_table(folder / "tsne.csv", points(pairs))
    save_arrays(folder / "faces.npz", **faces())
    write_table(folder / "along.csv", along())
    write_table(folder / "faces_history.csv", history())
    write_json(folder / "faces.json", measured())
    write_json(folder / "clip.json", zeroshot_record())
    write_table(folder / "predictions.csv", predictions())
    write_table(folder / "classes.csv", classes())
    save_arrays(folder / "examples.npz", **examples())
    paths = personalization_results.write(folder)
    details = {
        path.stem: read_json(path)
        for path in folder.glob("*.json")
        if not path.stem.endswith("_network")
    }
    numbers = headline.collect(details)
    write_json(folder / "headline.json", headline.to_record(numbers))
    return {
        **paths,
        "claims_file": Path(__file__).parents[2] / "docs/claims.yaml",
        "headline_details": folder / "headline.json",
        "faces_samples": folder / "faces.npz",
        "faces_interpolation": folder / "along.csv",
        "faces_history": folder / "faces_history.csv",
        "faces_details": folder / "faces.json",
        "clip_details": folder / "clip.json",
        "clip_predictions": folder / "predictions.csv",
        "clip_classes": folder / "classes.csv",
        "clip_examples": folder / "examples.npz",
        "dann_details": folder / "dann.json",
        "dann_history": folder / "dann_history.csv",
        "dann_network": folder / "dann_network.json",
        "dann_tsne": folder / "tsne.csv",
        "ddpm_samples": folder / "samples.npz",
        "ddpm_network": folder / "ddpm_network.json",
        "ddpm_sweep": folder / "sweep.csv",
        "ddpm_history": folder / "history.csv",
        "ddpm_guidance": folder / "guidance.json",
        "ddpm_details": folder / "ddpm.json",
        "judge_details": folder / "judge.json",
        "ddpm_ablation_details": folder / "ddpm_ablation.json",
        "report_figs": folder / "report_figs",
    }


@pytest.fixture(scope="session")
def records_in() -> Callable[..., dict[str, Path]]:
    """`records_in(folder, domains)` writes made-up records and returns where they are."""
    return write


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A drawn report and its records. Only look at them: they are shared."""
    paths = write(tmp_path_factory.mktemp("report"))
    draw_report(paths)
    return paths


@pytest.fixture
def made_samples() -> Callable[..., dict[str, np.ndarray]]:
    """`made_samples(domains, noises)` returns the arrays of a made-up `samples.npz`."""
    return samples
