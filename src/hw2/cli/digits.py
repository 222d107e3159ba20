"""Commands that sample and classify digits."""

import argparse

from hw2.cli import hardware
from hw2.cli.argument_types import absolute_path, need_among
from hw2.cli.command_list import CommandList
from hw2.commands import inputs, outputs
from hw2.config import params, paths
from hw2.runtime.errors import UserError


def add_commands(commands: CommandList) -> None:
    """Add the commands of this group."""
    commands.group("digits")
    digits = commands.add(
        "digits",
        "sample digits into the folders that the grader reads",
        _digits,
        "hw2 digits OUT",
        "hw2 digits OUT --count 10",
    )
    digits.add_argument(
        "out", type=absolute_path, metavar="OUT", help="new folder, for OUT/mnistm/0_001.png ..."
    )
    digits.add_argument(
        "--count", type=int, default=50, metavar="N",
        help="images of each digit of each domain (default 50)",
    )  # fmt: skip

    predict = commands.add(
        "predict",
        "classify the digits in a folder of images",
        _predict,
        "hw2 predict --target svhn FOLDER OUT.csv",
        "hw2 predict --target usps --method dann FOLDER OUT.csv",
    )
    predict.add_argument("folder", type=absolute_path, metavar="FOLDER", help="folder of images")
    predict.add_argument(
        "out", type=absolute_path, metavar="OUT.csv", help="table to write: image_name, label"
    )
    predict.add_argument(
        "--target", required=True, metavar="DOMAIN",
        help="domain of the images, the target of a pair in dann.pairs: svhn or usps",
    )  # fmt: skip
    predict.add_argument(
        "--method", default="self_training", metavar="NAME",
        help="a method in dann.methods (default self_training)",
    )  # fmt: skip


def _digits(options: argparse.Namespace) -> None:
    settings, artifacts = params.load(), paths.load()
    out = outputs.need_new_folder(options.out, options.working_folder)
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
    outputs.need_file(options.out)
    inputs.need_folder(options.folder, "name the folder of the images")
    targets = [pair.partition("->")[2] for pair in settings.dann.pairs]
    need_among("--target", options.target, targets, "the targets of dann.pairs")
    need_among("--method", options.method, settings.dann.methods, "dann.methods")

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
