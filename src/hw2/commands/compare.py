"""Compare the headline numbers of two Git revisions, DVC experiments or the working tree."""

import json
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from hw2.evaluation import headline
from hw2.evaluation.comparison import REPRODUCED, Difference, Verdict, compare
from hw2.evaluation.headline import Number
from hw2.io import files
from hw2.runtime.errors import UserError

WORKSPACE = "workspace"  # DVC's name for the working tree
HEAD = ("number", "{first}", "{second}", "difference", "95 % interval", "n", "verdict")
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
    return compare(_numbers(first, record), _numbers(second, record))


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
    """All differences as JSON: a list of objects with the attributes of `Difference`."""
    return json.dumps([asdict(difference) for difference in differences], indent=2)


def summary(differences: Sequence[Difference], first: str) -> str:
    """How many numbers were reproduced, and how many have which other verdict."""
    counts = Counter(difference.verdict for difference in differences)
    reproduced = sum(counts.pop(verdict, 0) for verdict in REPRODUCED)
    others = "".join(f"; {count} {verdict}" for verdict, count in counts.items())
    return (
        f"{reproduced} of {len(differences)} headline numbers are the same as in {first} or not "
        f"distinguishable from it{others}"
    )


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
        " and ".join(dict.fromkeys(sizes)),
        str(difference.verdict),
    )


def _value(number: Number | None) -> str:
    return "" if number is None else f"{number.value:.4g}"


def _numbers(revision: str, record: Path) -> list[Number]:
    if revision == WORKSPACE:
        content, where = files.read_json(record), str(record)
    else:
        content, where = _at(revision, record), f"{record} of {revision}"
    try:
        return headline.from_record(content)
    except ValueError as error:
        raise UserError(f"{where}: {error}; run `dvc repro headline`") from error


def _at(revision: str, record: Path) -> object:
    """The record at a revision or experiment."""
    commit = _commit(revision)
    path = record.absolute().relative_to(Path.cwd()).as_posix()
    shown = _git("show", f"{commit}:./{path}")
    if shown.returncode:
        raise UserError(
            f"{revision}: has no {path}; compare with a revision that has headline numbers"
        )
    try:
        return files.parse_json(shown.stdout)
    except ValueError as error:
        raise UserError(f"{path} of {revision}: {error}; compare with another revision") from error


def _commit(revision: str) -> str:
    """The commit of a revision, or of a DVC experiment, which has a ref below refs/exps."""
    verified = _git(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    if not verified.returncode:
        return verified.stdout.decode().strip()
    refs = _git("for-each-ref", "--format=%(refname)", "refs/exps").stdout.decode().split()
    for ref in refs:
        if ref.rpartition("/")[2] == revision:
            return ref
    raise UserError(
        f"{revision}: neither a revision of Git nor an experiment; `git log` and `dvc exp list`"
        " list them"
    )


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise UserError("git: not found; install it") from error
