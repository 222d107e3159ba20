"""The course's own zip of `hw2_data`, shared on Google Drive."""

import logging
import zipfile
from pathlib import Path

from hw2.config import params
from hw2.runtime.errors import UserError

log = logging.getLogger(__name__)

# The file ids in the `get_dataset.sh` of the course's templates. No checksum was published.
_DRIVE_IDS = {
    2022: "1YxkObGDlqZM0-9Zq-QMjk7q1vND4UJl3",
    2023: "1XUl4tqq3kKyWRe2lyHZ8s7U9yc_x3mWT",
    2024: "1W6Y1OmjzNw2qHoGDCpGOwGpw27wLg1fi",
    2025: "116zRmpJeDiHhWLtGPSI5gS4cp9yvJ1uc",
}
_TERMS = "course material: for study, not for passing on"


def find(data: params.Data, raw: Path) -> Path:
    """The folder or zip that `data.course` names or, if that does not exist, the downloaded zip.

    Raises:
        UserError: if neither exists and the download fails.
    """
    course, zip_file = Path(data.course), downloaded(data, raw)
    if course.exists():
        log.info("%s: used unchanged (%s)", course, _TERMS)
        return course
    if not zip_file.exists():
        _download(data.year, zip_file, f"put the course's folder or zip at {course} (data.course)")
    log.info("%s: the course's zip of %d (%s)", zip_file, data.year, _TERMS)
    return zip_file


def downloaded(data: params.Data, raw: Path) -> Path:
    """The path of the zip of `data.year`, once it is downloaded into the folder `raw`."""
    return raw / f"hw2_data_{data.year}.zip"


def _download(year: int, zip_file: Path, remedy: str) -> None:
    """Download to `zip_file`, which exists only when it is complete; a later call resumes.

    gdown handles Google's pages on virus scans and quotas. Its partial file is next to `output`.
    """
    import gdown

    zip_file.parent.mkdir(parents=True, exist_ok=True)
    partial = zip_file.with_suffix(".download")
    try:
        gdown.download(id=_DRIVE_IDS[year], output=str(partial), resume=True, timeout=(5, 60))
    except Exception as error:  # gdown and requests raise many exception types
        raise UserError(
            f"{zip_file}: the course's zip of {year} cannot be downloaded"
            f" ({str(error).split(chr(10))[0][:120]}); {remedy}"
        ) from error
    if not partial.exists() or not zipfile.is_zipfile(partial):
        partial.unlink(missing_ok=True)
        raise UserError(
            f"{zip_file}: Google Drive sent something that is not a zip file;"
            f" try later, or {remedy}"
        )
    partial.replace(zip_file)
