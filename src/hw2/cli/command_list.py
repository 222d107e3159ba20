"""The list of commands, as `hw2 --help` shows it."""

import argparse
from collections.abc import Callable

EXIT_CODES = (
    ("0", "success"),
    ("1", "`hw2 compare --fail-on` found such a number; or an internal error, with its traceback"),
    ("2", "an error that you can correct: a line says what, where and what to do"),
    ("130", "interrupted"),
)


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
        streams = "Results go to stdout; progress, warnings and errors go to stderr."
        codes = "\n".join(["exit codes:", *(f"  {code:<5}{text}" for code, text in EXIT_CODES)])
        self._parser.epilog = "\n".join([*self._lines[1:], "", codes, "", hint, streams])
