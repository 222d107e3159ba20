"""Commands that sample and compare faces."""

import argparse
from pathlib import Path
from typing import get_args

from hw2.cli import hardware
from hw2.cli.argument_types import absolute_path, model_source
from hw2.cli.command_list import CommandList
from hw2.commands import inputs, outputs
from hw2.config import loader, params, paths
from hw2.config.choices import TimestepSpacing
from hw2.io.hub import is_hub_id


def add_commands(commands: CommandList) -> None:
    """Add the commands of this group."""
    commands.group("faces")
    faces = commands.add(
        "faces",
        "sample a face for each noise in a folder, with DDIM",
        _faces,
        "hw2 faces results/faces/noise OUT",
        "hw2 faces NOISE OUT UNet.pt --steps 100 --eta 0.5",
    )
    faces.add_argument(
        "noise", type=absolute_path, metavar="NOISE", help="folder with 00.pt, 01.pt ..."
    )
    faces.add_argument(
        "out", type=absolute_path, metavar="OUT", help="new folder, for 00.png, 01.png ..."
    )
    faces.add_argument(
        "model", nargs="?", type=model_source, metavar="UNET",
        help="the course's UNet.pt, a diffusers folder or hub id (default: the pipeline's model)",
    )  # fmt: skip
    faces.add_argument(
        "--steps", type=int, metavar="N",
        help="network calls for an image, at most half of the model's noise levels (default "
        "faces.ddim.steps)",
    )  # fmt: skip
    faces.add_argument(
        "--eta", type=float, metavar="ETA",
        help="fresh noise, from 0 (none) to 1 (as the ancestral sampler; default faces.ddim.eta)",
    )  # fmt: skip
    faces.add_argument(
        "--timestep-spacing", choices=get_args(TimestepSpacing),
        help="timesteps that are visited (default faces.ddim.timestep_spacing)",
    )  # fmt: skip

    mse = commands.add(
        "mse",
        "print the MSE of sampled faces to the ground truth (0 to 255), as the course does",
        _mse,
        "hw2 mse OUT hw2_data/face/GT",
    )
    mse.add_argument(
        "out", type=absolute_path, metavar="OUT", help="folder with 00.png, 01.png ..."
    )
    mse.add_argument("truth", type=absolute_path, metavar="GT", help="folder with the same files")


def _faces(options: argparse.Namespace) -> None:
    settings, artifacts = params.load(), paths.load()
    out = outputs.need_new_folder(options.out, options.working_folder)
    inputs.need_folder(options.noise, "name the folder with 00.pt, 01.pt ...")
    if options.model is None:
        inputs.need_checkpoint(artifacts.faces_model, "faces_train")
    elif not is_hub_id(options.model):
        inputs.need_path(Path(options.model), "give UNet.pt, a folder of diffusers, or a hub id")
    overrides = {key: getattr(options, key) for key in ("steps", "eta", "timestep_spacing")}
    overrides = {key: value for key, value in overrides.items() if value is not None}
    ddim = loader.parse(params.Ddim, settings.faces.ddim.model_dump() | overrides, "hw2 faces")

    from hw2.commands import faces

    count = faces.run(
        ddim,
        noise=options.noise,
        out=out,
        model=options.model or str(artifacts.faces_model),
        device=hardware.prepare(settings.runtime),
    )
    print(f"{count} images in {options.out}")


def _mse(options: argparse.Namespace) -> None:
    inputs.need_folder(options.truth, "name the folder with 00.png, 01.png ...")
    inputs.need_folder(options.out, "sample the faces with `hw2 faces`")

    from hw2.faces import ground_truth

    print(ground_truth.table(ground_truth.run(options.out, options.truth)))
