"""Select the headline numbers of the run from its measurements."""

from pathlib import Path

from hw2.evaluation import headline
from hw2.io import files


def run(
    *,
    judge_details: Path,
    ddpm_details: Path,
    ddpm_ablation_details: Path,
    dann_details: Path,
    faces_details: Path,
    clip_details: Path,
    personalization_details: Path,
    headline_details: Path,
    headline_metrics: Path,
) -> None:
    """Write the headline numbers to `headline_details` and `headline_metrics`.

    headline_details: with intervals and n, in the order of tables, as `headline.to_record`.
    headline_metrics: the values by dotted name, for `dvc metrics` and `dvc exp`.
    """
    details = (
        *(judge_details, ddpm_details, ddpm_ablation_details, dann_details),
        *(faces_details, clip_details, personalization_details),
    )
    numbers = headline.collect({path.stem: files.read_json(path) for path in details})
    files.write_json(headline_details, headline.to_record(numbers))
    files.write_json(headline_metrics, headline.nested(numbers))
