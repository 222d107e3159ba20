"""Commands that sample and classify digits."""

import argparse

from hw2.cli import hardware
from hw2.cli.argument_types import absolute_path
from hw2.cli.command_list import CommandList
from hw2.commands import inputs, output_folder
from hw2.config import params, paths
from hw2.runtime.errors import UserError


def add_commands(commands: CommandList) -> None:
    """Add the commands of this group."""
    commands.group("digits")
    digits = commands.add(
        "digits",
        "sample digits into the folders that the grader reads",
        _digits,
        "hw2 digits OUT --count 10",
    )
    digits.add_argument("out", type=absolute_path, metavar="OUT", help="folder for the images")
    digits.add_argument("--count", type=int, default=50, help="images of each digit (default 50)")

    predict = commands.add(
        "predict",
        "classify the digits in a folder of images",
        _predict,
        "hw2 predict --target svhn FOLDER OUT.csv",
    )
    predict.add_argument("folder", type=absolute_path, metavar="FOLDER", help="folder of images")
    predict.add_argument(
        "out", type=absolute_path, metavar="OUT.csv", help="table to write: image_name, label"
    )
    predict.add_argument("--target", required=True, help="domain of the images: svhn or usps")
    predict.add_argument(
        "--method", default="self_training", help="method of dann.methods (default self_training)"
    )


def _digits(options: argparse.Namespace) -> None:
    settings, artifacts = params.load(), paths.load()
    out = output_folder.need_new(options.out, options.working_folder)
    if options.count < 1:
        raise UserError(f"--count {options.count}: sample at least one image of each digit")
    inputs.need_checkpoint(artifacts.ddpm_model, "ddpm_train")
    inputs.need_file(artifacts.ddpm_guidance, "run `dvc repro ddpm_select_guidance`")

    from hw2.commands import digits

    count = digits.run(
        settings.ddpm.sampling,
        model=artifacts.ddpm_model,
        guidance=artifacts.ddpm_guidance,
        out=out,
        count=options.count,
        device=hardware.prepare(settings.runtime),
    )
    print(f"{count} images in {options.out}")


def _predict(options: argparse.Namespace) -> None:
    settings, artifacts = params.load(), paths.load()
    inputs.need_folder(options.folder, "name the folder of the images")

    from hw2.commands import predict

    count = predict.run(
        settings.dann,
        models=artifacts.dann_models,
        folder=options.folder,
        out=options.out,
        target=options.target,
        method=options.method,
        device=hardware.prepare(settings.runtime),
    )
    print(f"classified {count} images; predictions are in {options.out}")
