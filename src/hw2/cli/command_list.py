"""The list of commands, as `hw2 --help` shows it."""

import argparse
from collections.abc import Callable


class CommandList:
    """Subcommands of a parser, listed in its help by group."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        self._subparsers = parser.add_subparsers(
            dest="command", required=True, metavar="COMMAND", help="one of the commands below"
        )
        self._lines: list[str] = []

    def group(self, title: str) -> None:
        """Start a group: commands that are added next are listed below this title."""
        self._lines += ["", f"{title}:"]

    def add(
        self,
        name: str,
        summary: str,
        function: Callable[[argparse.Namespace], int | None],
        *examples: str,
    ) -> argparse.ArgumentParser:
        """Add a command that calls `function` with the options; its help ends with `examples`.

        The function returns the exit code; None is 0.
        """
        self._lines.append(f"  {name:<24}{summary}")
        parser = self._subparsers.add_parser(
            name,
            description=f"{summary[:1].upper()}{summary[1:]}.",
            epilog="\n  ".join(["examples:", *examples]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.set_defaults(function=function)
        return parser

    def finish(self) -> None:
        """Write the groups into the help of the parser."""
        hint = "Run `hw2 COMMAND --help` for the arguments of a command."
        codes = (
            "Exit codes: 0 success, 1 the check that you asked for failed, 2 an error that you can "
            "correct, 130 interrupted."
        )
        self._parser.epilog = "\n".join([*self._lines[1:], "", hint, codes])
