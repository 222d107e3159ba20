"""The report: every section's figures as PNG files, and the page that shows them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from hw2.figures import (
    clip,
    clip_records,
    dann,
    dann_records,
    ddpm,
    ddpm_records,
    faces,
    faces_records,
    page,
    personalization,
    personalization_records,
    style,
)
from hw2.figures.sections import Section
from hw2.io.files import atomic_dir


class FigureParams(Protocol):
    """The `figures` section of the parameters."""

    @property
    def dpi(self) -> int:
        """Dots per inch of the PNG files."""


def run(
    figures: FigureParams,
    *,
    ddpm_samples: Path,
    ddpm_sweep: Path,
    ddpm_guidance: Path,
    ddpm_history: Path,
    ddpm_metrics: Path,
    judge_metrics: Path,
    ddpm_ablation_metrics: Path,
    dann_metrics: Path,
    dann_history: Path,
    dann_tsne: Path,
    faces_samples: Path,
    faces_interpolation: Path,
    faces_history: Path,
    faces_metrics: Path,
    clip_metrics: Path,
    clip_predictions: Path,
    clip_classes: Path,
    clip_examples: Path,
    personalization_metrics: Path,
    personalization_history: Path,
    personalization_snapshots: Path,
    personalization_samples: Path,
    multi_concept_images: Path,
    report_figs: Path,
) -> None:
    """Draw the report from the records into the directory `report_figs`.

    The directory appears complete, or stays as it was. Equal records give equal bytes.

    Raises:
        UserError: a record is missing, incomplete or not finite.
    """
    found = ddpm_records.read(
        samples_path=Path(ddpm_samples),
        sweep=Path(ddpm_sweep),
        guidance=Path(ddpm_guidance),
        history=Path(ddpm_history),
        metrics=Path(ddpm_metrics),
        judge_metrics=Path(judge_metrics),
        ablation_metrics=Path(ddpm_ablation_metrics),
    )
    adapted = dann_records.read(
        metrics=Path(dann_metrics), history=Path(dann_history), tsne=Path(dann_tsne)
    )
    sections = [ddpm.section(found, figures.dpi)]  # further capabilities join here
    if adapted:
        sections.append(dann.section(adapted))
    drawn = faces_records.read(
        samples=Path(faces_samples),
        interpolation=Path(faces_interpolation),
        history=Path(faces_history),
        metrics=Path(faces_metrics),
    )
    sections.append(faces.section(drawn, figures.dpi))
    examined = clip_records.read(
        metrics=Path(clip_metrics),
        predictions=Path(clip_predictions),
        classes=Path(clip_classes),
        examples=Path(clip_examples),
    )
    if examined:
        sections.append(clip.section(examined))
    personal = personalization_records.read(
        metrics=Path(personalization_metrics),
        history=Path(personalization_history),
        looks=Path(personalization_snapshots),
        samples=Path(personalization_samples),
        several_images=Path(multi_concept_images),
    )
    sections.append(personalization.section(personal, figures.dpi))
    publish(sections, Path(report_figs), figures.dpi)


def publish(sections: Sequence[Section], figures: Path, dpi: int) -> None:
    """Write the figures of `sections` and `index.html` into the directory `figures`."""
    with atomic_dir(figures) as folder:
        plates = [plate for section in sections for plate in section.plates]
        for plate in plates:
            style.save(plate.figure, folder / plate.name, dpi)
        images = {plate.name: (folder / plate.name).read_bytes() for plate in plates}
        for sheet in (sheet for section in sections for sheet in section.sheets):
            (folder / sheet.name).write_text(sheet.text, encoding="utf-8")
        (folder / "index.html").write_text(page.render(sections, images), encoding="utf-8")
