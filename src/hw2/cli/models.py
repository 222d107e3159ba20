"""Commands that export trained models."""

import argparse
from pathlib import Path

from hw2.cli.argument_types import absolute_path
from hw2.cli.command_list import CommandList
from hw2.commands import inputs, outputs
from hw2.config import params, paths

FOLDERS = ("clip", "stable-diffusion", "faces")


def add_commands(commands: CommandList) -> None:
    """Add the commands of this group."""
    commands.group("models for other programs")
    export = commands.add(
        "export-models",
        "write the trained CLIP, Stable Diffusion and face model as data/pretrained",
        _export,
        "hw2 export-models",
        "hw2 export-models elsewhere",
    )
    export.add_argument(
        "out", nargs="?", type=absolute_path, metavar="OUT",
        help="folder for a folder of each model, which are replaced (default data/pretrained)",
    )  # fmt: skip

    digits = commands.add(
        "export-digits",
        "write the trained DDPM as a folder that diffusers loads without hw2",
        _export_digits,
        "hw2 export-digits OUT",
        "hw2 export-digits OUT --model elsewhere/model.safetensors",
    )
    digits.add_argument("out", type=absolute_path, metavar="OUT", help="a new or empty folder")
    digits.add_argument(
        "--model", type=absolute_path, metavar="CHECKPOINT",
        help="checkpoint of another run; its card has no metrics, and its default is no guidance "
        "(default: the pipeline's model)",
    )  # fmt: skip


def _export(options: argparse.Namespace) -> None:
    artifacts = paths.load()
    target = options.out or artifacts.pretrained.absolute()
    out = outputs.need_folders(target, FOLDERS, options.working_folder)

    from hw2.commands import export_models

    folders = export_models.run(params.load(), artifacts, out)
    for folder in folders:
        print(f"{folder}: {_megabytes(folder)}")


def _export_digits(options: argparse.Namespace) -> None:
    settings, artifacts = params.load(), paths.load()
    out = outputs.need_new_folder(options.out, options.working_folder)
    model = options.model
    if model is not None and model.resolve() == artifacts.ddpm_model.resolve():
        model = None
    if model is not None:
        inputs.need_file(model, "name a checkpoint of ddpm_train")
    else:
        inputs.need_checkpoint(artifacts.ddpm_model, "ddpm_train")
        inputs.need_file(artifacts.ddpm_guidance, "run `dvc repro ddpm_select_guidance`")
        inputs.need_file(artifacts.ddpm_details, "run `dvc repro ddpm_evaluate`")
        inputs.need_file(artifacts.judge_details, "run `dvc repro judge_train`")

    from hw2.commands import export_digits

    export_digits.run(settings, artifacts, out, model)
    print(f"{options.out}: {_megabytes(out)}")


def _megabytes(folder: Path) -> str:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{size / 1e6:.1f} MB"
