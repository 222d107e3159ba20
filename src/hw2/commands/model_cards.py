"""Model cards in the format of the Hugging Face hub, with the parameters and metrics of a run."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any

from hw2.config.params import Params
from hw2.personalization.synthetic import KEYS

COMMAND = "make pretrained"
_FRONT_MATTER = "---\nlicense: mit\nlibrary_name: {library}\ntags:\n- synthetic\n---\n"
_DATA = (
    "Synthetic images only, drawn by this repository (`src/hw2/{source}`); no photograph and no "
    "downloaded weight was used."
)
Row = tuple[str, float, float, float, int]
"""What was measured, its value, the bounds of its 95 % interval, and n."""


def cards(
    params: Params,
    metrics: Mapping[str, Mapping[str, Any]],
    *,
    seconds: Mapping[str, float],
    commit: str,
) -> dict[str, str]:
    """The cards by model: `clip`, `stable-diffusion`, `faces` and `shape-judges`.

    Args:
        params: The parameters that the models were trained with.
        metrics: The records `clip`, `personalization` and `faces` of the same run.
        seconds: Training times by stage, where they are known.
        commit: Git commit of the code.
    """
    shapes = params.shapes.model_dump(mode="json", exclude={"test_images_per_class"})
    sd = params.stable_diffusion.model_dump(
        mode="json", include={"seed", "autoencoder", "network", "other_images", "train"}
    )
    clip = params.clip.model_dump(mode="json", include={"seed", "network", "train"})
    judges = params.personalization.judges.model_dump(mode="json", exclude={"weights"})
    drawn = params.shapes.model_dump(mode="json", include={"seed", "image_size"})
    faces = params.faces.model_dump(mode="json", exclude={"source", "weights", "revision", "ddim"})
    made = _made(commit)
    return {
        "clip": _card(
            "A small CLIP for images of shapes",
            "open_clip",
            "A modified ResNet and a text transformer, trained with CLIP's contrastive loss "
            "(Radford et al., 2021). `open_clip.create_model('local-dir:FOLDER')` and "
            "`open_clip.get_tokenizer('local-dir:FOLDER')` read it.",
            "shapes",
            _clip_rows(params, metrics["clip"]),
            {"shapes": shapes, "clip": clip},
            made + _time(seconds, "clip_train"),
        ),
        "stable-diffusion": _card(
            "A small Stable Diffusion for images of shapes",
            "diffusers",
            "A latent diffusion model (Rombach et al., 2022) of 64 pixels. Its text encoder began "
            "as that of the small CLIP and was trained with the U-Net. "
            "`StableDiffusionPipeline.from_pretrained` reads it. "
            "Its U-Net predicts x0, and its vocabulary has invented nouns, each the name of one "
            "composite object, and invented names of styles.",
            "shapes",
            _alignment_rows(metrics["personalization"]),
            {"shapes": shapes, "stable_diffusion": sd},
            made + _time(seconds, "stable_diffusion_train"),
        ),
        "faces": _card(
            "A small DDPM of synthetic faces",
            "diffusers",
            f"An unconditional `UNet2DModel` of {params.faces.image_size} pixels with its noise "
            "schedule. `DDIMPipeline.from_pretrained` reads it.",
            "faces",
            _face_rows(metrics["faces"]),
            {"faces": faces},
            made + _time(seconds, "faces_train"),
        ),
        "shape-judges": _card(
            "Classifiers that judge images of shapes",
            "pytorch",
            "Two small convolutional networks, of `hw2.models.shape_classifier`: one reads the "
            "color and the shape of an object, the other says which of the synthetic concepts an "
            "image shows. They were trained on renderings, never on a generated image, and share "
            "nothing with the models that they judge. `hw2.personalization.shape_judges` reads "
            "them.",
            "shapes",
            _judge_rows(metrics["personalization"]),
            {"shapes": drawn, "judges": judges, "seed": params.personalization.seed},
            made + _time(seconds, "shape_judges_train"),
        ),
    }  # fmt: skip


def _card(
    title: str,
    library: str,
    description: str,
    source: str,
    rows: list[Row],
    recipe: Mapping[str, Any],
    made: str,
) -> str:
    recipe_text = json.dumps(recipe, indent=2)
    parts = [
        f"{_FRONT_MATTER.format(library=library)}",
        f"# {title}\n",
        f"{description} Weights are stored in half precision.\n",
        f"## Data\n\n{_DATA.format(source=source)}\n",
        "## Metrics\n",
        table(rows),
        f"## How it was made\n\n{made}\n\n`docs/pretraining.md` says what else was tried.\n",
        f"```json\n{recipe_text}\n```\n",
        "## License\n\nMIT, as the repository.\n",
    ]
    return "\n".join(parts)


def table(rows: list[Row]) -> str:
    """A table of measurements in Markdown."""
    lines = [
        "| Measured | Value | 95 % interval | n |",
        "|---|---|---|---|",
        *(
            f"| {name} | {value:.3f} | {low:.3f} to {high:.3f} | {n} |"
            for name, value, low, high, n in rows
        ),
    ]
    return "\n".join(lines) + "\n"


def row(name: str, scores: Mapping[str, Any], key: str) -> Row:
    """The measurement `key` of a record that has its interval and n beside it."""
    return name, scores[key], scores[f"{key}_low"], scores[f"{key}_high"], scores["n"]


def current_commit() -> str:
    """The Git commit of the working folder, or `unknown`."""
    command = ["git", "rev-parse", "HEAD"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip() or "unknown"


def _made(commit: str) -> str:
    return (
        f"By the stages of profile `pretrain` with these parameters, exported at commit `{commit}`."
        f" `{COMMAND}` makes it anew."
    )


def _time(seconds: Mapping[str, float], stage: str) -> str:
    if stage not in seconds:
        return ""
    return f" Training took {seconds[stage] / 3600:.1f} hours on two CPU cores."


def _clip_rows(params: Params, record: Mapping[str, Any]) -> list[Row]:
    zero_shot = params.clip.zero_shot
    scores = record[zero_shot.models[0].name][zero_shot.report_prompts]
    rows = [row("zero-shot accuracy, 48 classes", scores, "acc1")]
    return rows + [
        row(f"of these, {name}", group, "acc1") for name, group in scores["groups"].items()
    ]


def _alignment_rows(record: Mapping[str, Any]) -> list[Row]:
    names = {
        "sampled": "prompt alignment, judged by a classifier",
        "unseen": "of these, pairs of color and shape that no training image shows",
        "real": "the classifier on rendered images",
    }
    shares = record["stable_diffusion"]
    return [row(text, shares[name], "alignment") for name, text in names.items()]


def _judge_rows(record: Mapping[str, Any]) -> list[Row]:
    rows = [
        row("color and shape of rendered images", record["stable_diffusion"]["real"], "alignment")
    ]
    for key in KEYS:
        scores = record["judge"][key]
        for what, shown in (("recall", "that show"), ("specificity", "that do not show")):
            rows.append(row(f"{what}: renderings {shown} concept {key}", scores[what], what))
    return rows


def _face_rows(record: Mapping[str, Any]) -> list[Row]:
    return [
        row(f"{what}, eta {eta}", record["eta"][eta], what)
        for eta in list(record["eta"])[-1:]
        for what in ("distance", "diversity")
    ]
