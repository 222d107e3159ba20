"""The report's section on claims: what others say about the methods, and what this run measured."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from hw2.evaluation import claims
from hw2.evaluation.claims import Finding, Verdict
from hw2.evaluation.headline import Number
from hw2.figures import formatting, records
from hw2.figures.sections import DataFile, Section, Stat, Table

COLUMNS = (
    *("claim", "source", "verdict", "relation"),
    *("value", "value_low", "value_high", "than", "than_low", "than_high", "n"),
)


def read(
    *,
    claims_file: Path,
    judge_details: Path,
    ddpm_details: Path,
    dann_details: Path,
    faces_details: Path,
    clip_details: Path,
    personalization_details: Path,
) -> list[Finding]:
    """The findings on all claims that the run can judge.

    Raises:
        UserError: if the claims or a record are not valid.
    """
    details = (
        *(judge_details, ddpm_details, dann_details, faces_details, clip_details),
        personalization_details,
    )
    return claims.judge(
        claims.read(claims_file), {path.stem: records.mapping(path) for path in details}
    )


def section(findings: Sequence[Finding]) -> Section:
    """The table of the claims with their verdicts."""
    table = Table(
        "Claims and what this run measured",
        ("claim", "source", "measured", "compared with", "verdict"),
        tuple(map(_row, findings)),
        note=(
            f"A claim holds if the {formatting.LEVEL} interval of the difference excludes zero in "
            "its direction. Two measurements are compared as if they were independent."
        ),
    )
    return Section(
        anchor="claims",
        title="Claims of reports and papers, measured",
        lead=(
            "Sentences that the homework's reports and the papers state about these methods, each "
            "as a comparison of two measurements of this run. On synthetic data a verdict says "
            "what holds for these data and sizes, not in general."
        ),
        stats=tuple(
            Stat(verdict.capitalize(), str(count), "claims")
            for verdict in Verdict
            if (count := sum(finding.verdict is verdict for finding in findings))
        ),
        tables=(table,),
        data_files=(
            DataFile("claims.csv", _csv(findings)), DataFile("claims.md", table.markdown()),
        ),
    )  # fmt: skip


def _row(finding: Finding) -> tuple[str, ...]:
    claim = finding.claim
    return (
        claim.claim, claim.source, _measured(finding.value), _measured(finding.than),
        str(finding.verdict),
    )  # fmt: skip


def _measured(number: Number) -> str:
    if number.low is None or number.low == number.high:
        return f"{number.value:.3g}"
    return f"{number.value:.3g} ({number.low:.3g} to {number.high:.3g})"


def _csv(findings: Sequence[Finding]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for finding in findings:
        claim, value, than = finding.claim, finding.value, finding.than
        table.writerow(
            (
                claim.claim, claim.source, finding.verdict, claim.relation,
                value.value, value.low, value.high, than.value, than.low, than.high, value.n,
            )
        )  # fmt: skip
    return text.getvalue()
