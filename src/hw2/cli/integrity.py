"""The command that verifies the bytes of artefacts."""

import argparse
import functools
import sys
from pathlib import Path

from hw2.cli.command_list import CommandList


def add_commands(commands: CommandList) -> None:
    """Add the command of this group, listed among the results."""
    verify = commands.add(
        "verify",
        "hash all artefacts again, and name what is not as recorded",
        _verify,
        "hw2 verify",
        "hw2 verify --cache --json",
    )
    verify.add_argument(
        "--cache", action="store_true", help="also hash the objects of DVC's cache"
    )  # fmt: skip
    verify.add_argument(
        "--json", action="store_true",
        help="print JSON: `verified`, the number of items, and the list `differences`",
    )  # fmt: skip


def _verify(options: argparse.Namespace) -> int:
    from hw2.commands import verify

    count, differences = verify.run(_cache, options.cache)
    if options.json:
        print(verify.as_json(count, differences))
        return int(bool(differences))
    for difference in differences:
        print(difference.line())
    if differences:
        print(f"hw2 verify: {len(differences)} of {count} items differ", file=sys.stderr)
    else:
        print(f"all {count} items are as recorded")
    return int(bool(differences))


@functools.cache
def _cache() -> Path:
    from hw2.pipeline import dvc_cache  # importing DVC takes a second

    return dvc_cache.objects()
