"""Commands that get and check data."""

import argparse

from hw2.cli.argument_types import absolute_path
from hw2.cli.command_list import CommandList
from hw2.config import params, paths
from hw2.runtime.errors import UserError


def add_commands(commands: CommandList) -> None:
    """Add the commands of this group."""
    commands.group("get and check data")
    commands.add(
        "fetch", "download the data of data.source, or report what exists", _fetch, "hw2 fetch"
    )
    check = commands.add(
        "check-data",
        "check the digits of an hw2_data folder or zip",
        _check_data,
        "hw2 check-data hw2_data",
    )
    check.add_argument("path", type=absolute_path, metavar="PATH", help="folder or zip")
    check.add_argument(
        "--test-labels", action="store_true", help="test.csv holds labels, not a form to fill in"
    )
    check.add_argument(
        "--all", action="store_true", help="list every fault, not only the first 20 of a kind"
    )


def _fetch(options: argparse.Namespace) -> None:
    from hw2.stages import digits_fetch

    data = params.load().data
    print(digits_fetch.obtain(data, raw=paths.load().raw))


def _check_data(options: argparse.Namespace) -> None:
    from hw2.commands import check_data
    from hw2.digits import faults

    table, problems = check_data.run(options.path, test_labels=options.test_labels)
    print(table, flush=True)  # before the faults, which go to stderr
    if problems:
        listed = check_data.listed(problems, every=options.all)
        lines = [f"{options.path}:", *listed, faults.summary(problems)]
        raise UserError("\n".join(lines))
    print("no problems found")
