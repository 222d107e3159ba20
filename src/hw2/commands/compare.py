"""Compare the headline numbers of two Git revisions, DVC experiments or the working tree."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hw2.commands import revisions
from hw2.evaluation import headline, training_spread
from hw2.evaluation.comparison import REPRODUCED, Difference, Verdict, compare
from hw2.evaluation.headline import Number
from hw2.evaluation.training_spread import Spread
from hw2.io import files
from hw2.runtime.errors import UserError

PARAMS = Path("params.yaml")
SPREADS = Path("workflow/training_spread.json")
"""Spreads between trainings by profile, as `record_spread` measures them."""

HEAD = ("number", "{first}", "{second}", "difference", "95 % interval", "over", "n", "verdict")
FAILURES = {
    "worse": (Verdict.WORSE,),
    "different": (Verdict.WORSE, Verdict.BETTER, Verdict.DIFFERENT),
}
"""Verdicts that `--fail-on` counts as a failure."""


def run(first: str, second: str, record: Path) -> list[Difference]:
    """Compare two runs.

    Args:
        first, second: Revisions of Git, names of DVC experiments, or `workspace`.
        record: Path of the headline numbers in the repository.

    Raises:
        UserError: if a revision does not exist or has no headline numbers.
    """
    return compare(_numbers(first, record), _numbers(second, record), _spreads(first, second))


def record_spread(runs: Sequence[str], record: Path) -> tuple[str, int]:
    """Measure the spread between trainings on runs that differ in their seeds only, and store it.

    Args:
        runs: Revisions or experiments of one profile, as in `run`.
        record: Path of the headline numbers in the repository.

    Returns:
        The profile, and the number of headline numbers that have a spread.

    Raises:
        UserError: if the runs are of several profiles, or hold one training of each number.
    """
    profiles = {_profile(run) for run in runs}
    profile = profiles.pop()
    if profiles or profile is None:
        raise UserError(f"{', '.join(runs)}: not all of one profile; name reruns of one profile")
    spreads = training_spread.measure([_numbers(run, record) for run in runs])
    if not spreads:
        raise UserError(f"{', '.join(runs)}: one training of each number; name two runs or more")
    store(profile, spreads)
    return profile, len(spreads)


def store(profile: str, spreads: Mapping[str, Spread]) -> None:
    """Store spreads of a profile in `SPREADS`; those of other numbers and profiles stay."""
    recorded = _recorded()
    of_profile = recorded.get(profile, {}) | training_spread.to_record(spreads)
    files.write_metrics(SPREADS, recorded | {profile: of_profile})


def text(differences: Sequence[Difference], first: str, second: str, *, every: bool) -> str:
    """A table with aligned columns and a summary; without `every`, of what differs only."""
    rows = _rows(differences, first, second, every=every)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([*(lines if len(lines) > 1 else []), summary(differences, first)])


def markdown(differences: Sequence[Difference], first: str, second: str, *, every: bool) -> str:
    """The same as `text`, in Markdown."""
    head, *rows = _rows(differences, first, second, every=every)
    lines = [head, tuple("---" for _ in head), *rows] if rows else []
    table = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([*table, *([""] if table else []), summary(differences, first)])


def as_json(differences: Sequence[Difference]) -> str:
    """All differences as JSON: a list of objects with the attributes of `Difference`.

    The outcomes of single items are left out.
    """
    return json.dumps([_fields(difference) for difference in differences], indent=2)


def _fields(difference: Difference) -> dict[str, Any]:
    runs = {"first": difference.first, "second": difference.second}
    numbers = {
        run: None if number is None else headline.fields(replace(number, outcomes=None))
        for run, number in runs.items()
    }
    return asdict(difference) | numbers


def summary(differences: Sequence[Difference], first: str) -> str:
    """How many numbers were reproduced, and how many have which other verdict."""
    counts = Counter(difference.verdict for difference in differences)
    reproduced = sum(counts.pop(verdict, 0) for verdict in REPRODUCED)
    others = "".join(f"; {count} {verdict}" for verdict, count in counts.items())
    lines = [
        f"{reproduced} of {len(differences)} headline numbers are the same as in {first} or not "
        f"distinguishable from it{others}"
    ]
    uncovered = sum(
        difference.verdict in FAILURES["different"] and not difference.trainings
        for difference in differences
    )
    if uncovered:
        lines.append(
            f"{uncovered} of those that differ have an interval over test items only: no spread "
            "between trainings is known, and a rerun with other seeds may differ as much "
            "(`hw2 compare --record-spread` measures it)"
        )
    return "\n".join(lines)


def _rows(
    differences: Sequence[Difference], first: str, second: str, *, every: bool
) -> list[tuple[str, ...]]:
    head = tuple(cell.format(first=first, second=second) for cell in HEAD)
    shown = [d for d in differences if every or d.verdict is not Verdict.SAME]
    return [head, *map(_row, shown)]


def _row(difference: Difference) -> tuple[str, ...]:
    first, second = difference.first, difference.second
    sizes = [str(number.n) for number in (first, second) if number and number.n is not None]
    interval = "" if difference.low is None else f"{difference.low:+.3g} to {difference.high:+.3g}"
    return (
        difference.name,
        _value(first),
        _value(second),
        "" if difference.value is None else f"{difference.value:+.3g}",
        interval,
        _covered(difference),
        " and ".join(dict.fromkeys(sizes)),
        str(difference.verdict),
    )


def _covered(difference: Difference) -> str:
    """What the interval covers: test items, paired or not, and trainings with other seeds."""
    first, second = difference.first, difference.second
    if difference.low is None or first is None or second is None:
        return ""
    items = "paired items" if difference.paired else "items"
    has_items = difference.paired or (first.low is not None and second.low is not None)
    parts = [*([items] if has_items else []), *(["trainings"] if difference.trainings else [])]
    return ", ".join(parts)


def _value(number: Number | None) -> str:
    return "" if number is None else f"{number.value:.4g}"


def _numbers(revision: str, record: Path) -> list[Number]:
    content = revisions.read(revision, record)
    if content is None:
        raise UserError(
            f"{revision}: has no {record}; run `dvc repro headline`"
            if revision == revisions.WORKSPACE
            else f"{revision}: has no {record}; compare with a revision that has headline numbers"
        )
    try:
        return headline.from_record(files.parse_json(content))
    except ValueError as error:
        raise UserError(
            f"{record} of {revision}: {error}; run `dvc repro headline`, or compare with another "
            "revision"
        ) from error


def _profile(revision: str) -> str | None:
    """The profile in params.yaml of a revision, or None if it names none."""
    content = revisions.read(revision, PARAMS)
    match = re.search(rb"^profile: *([\w-]+)", content or b"", re.MULTILINE)
    return match[1].decode() if match else None


def _spreads(first: str, second: str) -> dict[str, Spread]:
    """The recorded spreads between trainings, if both runs are of a profile that has some."""
    profile = _profile(second)
    if profile is None or profile != _profile(first):
        return {}
    return training_spread.from_record(_recorded().get(profile, {}))


def _recorded() -> dict[str, Any]:
    return files.read_json(SPREADS) if SPREADS.exists() else {}
