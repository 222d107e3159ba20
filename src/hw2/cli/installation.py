"""The command that checks the installation and the checkout."""

import argparse

from hw2.cli.command_list import CommandList
from hw2.runtime.errors import UserError


def add_commands(commands: CommandList) -> None:
    """Add the command of this group."""
    commands.group("check the installation")
    doctor = commands.add(
        "doctor",
        "check packages, device, disk, parameters and data before a run",
        _doctor,
        "hw2 doctor",
        "hw2 doctor --quiet",
    )
    doctor.add_argument(
        "--quiet", action="store_true", help="print only warnings and failures, no line that is ok"
    )


def _doctor(options: argparse.Namespace) -> None:
    """Print a line for each check, as soon as it is done.

    Raises:
        UserError: if a check failed; warnings raise nothing.
    """
    from hw2.commands import doctor

    failed = 0
    for name, finding in doctor.findings():
        failed += finding.status == "fail"
        if finding.status != "ok" or not options.quiet:
            print(finding.line(name), flush=True)
    if failed:
        checks = "1 check" if failed == 1 else f"{failed} checks"
        raise UserError(f"{checks} failed; correct what the lines with `fail` name")
