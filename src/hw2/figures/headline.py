"""The report's first section: the headline numbers of the run."""

from collections.abc import Sequence
from pathlib import Path

from hw2.evaluation import headline
from hw2.evaluation.headline import Number
from hw2.figures import formatting, records
from hw2.figures.sections import Section, Table
from hw2.runtime.errors import UserError


def read(*, headline_details: Path) -> list[Number]:
    """The headline numbers.

    Raises:
        UserError: if the record is missing or incomplete.
    """
    try:
        return headline.from_record(records.mapping(headline_details))
    except ValueError as error:
        raise UserError(f"{headline_details}: {error}; {records.REMAKE}") from error


def section(numbers: Sequence[Number]) -> Section:
    """The table of the headline numbers."""
    return Section(
        anchor="headline",
        title="Headline numbers",
        lead=(
            "These are the numbers that `dvc metrics diff` lists and that `hw2 compare` compares "
            f"between two runs. Intervals are of {formatting.LEVEL}; n is the number of images or, "
            "for faces, of initial noises."
        ),
        stats=(),
        tables=(
            Table(
                "Headline numbers of this run",
                ("number", "value", "interval", "n"),
                tuple(map(_row, numbers)),
            ),
        ),
    )


def _row(number: Number) -> tuple[str, ...]:
    interval = (
        "" if number.low is None or number.high is None
        else f"{number.low:.3g} to {number.high:.3g}"
    )  # fmt: skip
    return (
        number.name, f"{number.value:.3g}", interval, "" if number.n is None else str(number.n)
    )  # fmt: skip
