"""The command that compares the results of two runs."""

import argparse

from hw2.cli.command_list import CommandList
from hw2.commands import outputs
from hw2.config import paths


def add_commands(commands: CommandList) -> None:
    """Add the command of this group."""
    commands.group("results")
    compare = commands.add(
        "compare",
        "compare the headline numbers of two runs, with verdicts",
        _compare,
        "hw2 compare",
        "hw2 compare main my-experiment --format markdown",
        "hw2 compare HEAD~1 HEAD --fail-on worse",
        "hw2 compare --record-spread seeds-1 seeds-2 seeds-3",
    )
    compare.add_argument(
        "first", nargs="?", default="HEAD", metavar="A",
        help="revision of Git, DVC experiment, or `workspace` (default HEAD)",
    )  # fmt: skip
    compare.add_argument(
        "second", nargs="?", default="workspace", metavar="B",
        help="the same (default workspace, which is the working tree)",
    )  # fmt: skip
    compare.add_argument(
        "--all", action="store_true", help="list numbers that are the same, too"
    )  # fmt: skip
    compare.add_argument(
        "--format", choices=("text", "markdown", "json"), default="text",
        help="text (default), markdown for a pull request, or json, which has all numbers",
    )  # fmt: skip
    compare.add_argument(
        "--fail-on", choices=("worse", "different"),
        help="exit with 1 if a number is `worse`, or `different` in either direction",
    )  # fmt: skip
    compare.add_argument(
        "--record-spread", nargs="+", metavar="RUN",
        help="measure how far the numbers of these runs, which differ in their seeds only, are "
        "apart, and store it for their profile; comparisons then take it into account",
    )  # fmt: skip


def _compare(options: argparse.Namespace) -> int:
    record = paths.load().headline_details

    from hw2.commands import compare

    if options.record_spread:
        outputs.need_file(compare.SPREADS.absolute())
        profile, count = compare.record_spread(options.record_spread, record)
        print(f"{compare.SPREADS}: spread between trainings of {count} numbers, profile {profile}")
        return 0
    first, second = options.first, options.second
    differences = compare.run(first, second, record)
    if options.format == "json":
        print(compare.as_json(differences))
    else:
        render = {"text": compare.text, "markdown": compare.markdown}[options.format]
        print(render(differences, first, second, every=options.all))
    failures = compare.FAILURES.get(options.fail_on, ())
    return int(any(difference.verdict in failures for difference in differences))
