"""A parser whose errors suggest the command, option or choice that was meant."""

import argparse
from collections.abc import Sequence
from typing import Any

from hw2.config import loader


class Parser(argparse.ArgumentParser):
    """An argument parser that suggests the nearest name for one that it does not know."""

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

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a command, or a choice of an option, that does not exist, with the nearest one."""
        if action.choices is None or value in action.choices:
            return
        hint = loader.nearest(str(value), [str(choice) for choice in action.choices])
        if action.dest == "command":
            self.error(f"unknown command {value!r}; {hint}")
        raise argparse.ArgumentError(action, f"no {value!r}; {hint}")

    def _options(self) -> list[str]:
        return [name for name in self._option_string_actions if name.startswith("--")]
