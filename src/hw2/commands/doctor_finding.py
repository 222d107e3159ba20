"""What a check of `hw2 doctor` found."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        status: `ok`; `warn`, with which a run works but perhaps not as expected; or `fail`, with
            which it does not work.
        text: What was found.
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
