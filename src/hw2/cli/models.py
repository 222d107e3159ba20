"""The command that exports trained models."""

import argparse

from hw2.cli.argument_types import absolute_path
from hw2.cli.command_list import CommandList
from hw2.commands import outputs
from hw2.config import params, paths

FOLDERS = ("clip", "stable-diffusion", "faces")


def add_commands(commands: CommandList) -> None:
    """Add the command of this group."""
    commands.group("pretrained models")
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


def _export(options: argparse.Namespace) -> None:
    artifacts = paths.load()
    target = options.out or artifacts.pretrained.absolute()
    out = outputs.need_folders(target, FOLDERS, options.working_folder)

    from hw2.commands import export_models

    folders = export_models.run(params.load(), artifacts, out)
    for folder in folders:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{folder}: {size / 1e6:.1f} MB")
