"""What a check of `hw2 doctor` found."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        status: `ok`; `warn`, with which a run works but perhaps not as expected; or `fail`, with
            which it does not work.
        text: What was found; a line for each problem, if there are several.
        fix: What to do about it; empty if nothing, or if `text` says it.
    """

    status: Literal["ok", "warn", "fail"]
    text: str
    fix: str = ""

    def line(self, name: str) -> str:
        """The finding of the check `name` as one line, whatever line breaks a message has."""
        parts = [*self.text.splitlines(), self.fix]
        text = "; ".join(part.strip() for part in parts if part.strip())
        return f"{self.status:<4}  {name}: {text}"

    def by_problem(self, name: str) -> str:
        """A line for each problem that the check `name` found, and a last one with the fix."""
        lines = [f"{self.status:<4}  {name}: {line.strip()}" for line in self.text.splitlines()]
        return "\n".join([*lines, f"      {self.fix}"] if self.fix else lines)
