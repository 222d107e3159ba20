"""A parser whose errors suggest the command or option that was meant."""

import argparse
import re
from collections.abc import Sequence
from typing import Any

from hw2.config import loader

_CHOICE = re.compile(r"argument COMMAND: invalid choice: '([^']*)'")


class Parser(argparse.ArgumentParser):
    """An argument parser that suggests the nearest name for an unknown command or option."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse as the base class does, but refuse unknown options where their parser is known."""
        options, extras = super().parse_known_args(args, namespace)
        unknown = next((text for text in extras if text.startswith("--")), None)
        if unknown is not None:
            name = unknown.partition("=")[0]
            hint = loader.nearest(name, self._options())
            self.error(f"unknown option {name}; {hint}")
        return options, extras

    def error(self, message: str) -> Any:
        """Exit with code 2; an unknown command is answered with the nearest one."""
        match = _CHOICE.match(message)
        if match:
            hint = loader.nearest(match[1], self._commands())
            message = f"unknown command {match[1]!r}; {hint}"
        super().error(message)

    def _options(self) -> list[str]:
        return [name for name in self._option_string_actions if name.startswith("--")]

    def _commands(self) -> list[str]:
        return [name for action in self._actions if action.dest == "command"
                for name in action.choices or ()]  # fmt: skip
