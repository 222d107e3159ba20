"""The report: the figures of every capability as PNG files, and the page that shows them."""

import dataclasses
import inspect
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

# A notebook's backend does not exist outside it, and matplotlib would fail to be imported.
os.environ["MPLBACKEND"] = "agg"

from hw2.config import loader
from hw2.config.paths import Paths
from hw2.figures import (
    claims,
    clip,
    clip_records,
    dann,
    dann_records,
    ddpm,
    ddpm_digits,
    ddpm_records,
    faces,
    faces_records,
    headline,
    page,
    personalization,
    personalization_records,
    style,
)
from hw2.figures import provenance as provenance_section
from hw2.figures.sections import Capability, Section
from hw2.io.files import atomic_dir
from hw2.runtime.errors import UserError
from hw2.runtime.provenance import Provenance

# A new figure of a record that is read already is a function and its line here.
# The sections are in the order of the homework's report.
CAPABILITIES: tuple[Capability[Any], ...] = (
    Capability(
        "ddpm",
        ddpm_records.read,
        ddpm.section,
        (
            ddpm.networks,
            ddpm.sample_grids,
            ddpm.reverse_processes,
            ddpm.guidance,
            ddpm.samplers,
            ddpm.training_loss,
            ddpm_digits.accuracy_by_digit,
        ),
    ),
    Capability(
        "faces",
        faces_records.read,
        faces.section,
        (
            faces.fresh_noise,
            faces.interpolated_faces,
            faces.interpolation_curves,
            faces.step_counts,
            faces.training_loss,
        ),
    ),
    Capability(
        "clip",
        clip_records.read,
        clip.section,
        (
            clip.correct_predictions,
            clip.wrong_predictions,
            clip.prompt_sets,
            clip.per_class,
            clip.confusion,
        ),
    ),
    Capability(
        "personalization",
        personalization_records.read,
        personalization.section,
        (
            personalization.concepts,
            personalization.training_curves,
            personalization.multi_concept,
        ),
    ),
    Capability(
        "dann",
        dann_records.read,
        dann.section,
        (dann.networks, dann.features, dann.training_curves),
    ),
    Capability("headline", headline.read, headline.section, ()),
    Capability("claims", claims.read, claims.section, ()),
)


class FigureParams(Protocol):
    """The `figures` section of the parameters."""

    @property
    def dpi(self) -> int:
        """Dots per inch of the PNG files."""


def run(figures: FigureParams, paths: Paths, provenance: Provenance) -> None:
    """Draw the report from the records into the directory `paths.report_figs`.

    The directory appears complete, or stays as it was. Equal records give equal bytes.

    Raises:
        UserError: a capability reads a path that `paths` does not have (raised before any record
            is read); a record is missing, incomplete or not finite.
    """
    check(CAPABILITIES, list(paths))
    sections = []
    for capability in CAPABILITIES:
        records = capability.read(**{name: getattr(paths, name) for name in reads(capability)})
        if not records:  # the profile leaves the capability out
            continue
        sections.append(build(capability.name, records, figures.dpi))
    sections.append(provenance_section.section(provenance))
    publish(sections, paths.report_figs, figures.dpi, provenance.producers)


def build(name: str, records: Any, dpi: int) -> Section:
    """The section of the capability `name`, with every figure of its line in `CAPABILITIES`."""
    (capability,) = (capability for capability in CAPABILITIES if capability.name == name)
    figures = [figure for draw in capability.figures for figure in draw(records, dpi)]
    return dataclasses.replace(capability.section(records), figures=tuple(figures))


def reads(capability: Capability[Any]) -> list[str]:
    """The names in paths.yaml of the records that a capability's section is made of."""
    return list(inspect.signature(capability.read).parameters)


def check(capabilities: Sequence[Capability[Any]], declared: Collection[str]) -> None:
    """Check that dvc.yaml declares every path that the report uses.

    Raises:
        UserError: naming the capability, the path and the nearest declared name.
    """
    used = [(capability.name, name) for capability in capabilities for name in reads(capability)]
    for user, name in [*used, ("the page", "report_figs")]:
        if name not in declared:
            raise UserError(
                f"dvc.yaml: stage report_figs: {user} uses the path {name!r}, which is not declared"
                f" there; {loader.nearest(name, list(declared))}"
            )


def publish(sections: Sequence[Section], folder: Path, dpi: int, stages: Mapping[str, str]) -> None:
    """Write the figures and data files of `sections`, and `index.html`, into `folder`.

    `stages` are the stages that make the records, by name in paths.yaml.
    """
    with atomic_dir(folder) as draft:
        figures = [figure for section in sections for figure in section.figures]
        for figure in figures:
            style.save(figure.plot, draft / figure.name, dpi)
        images = {figure.name: (draft / figure.name).read_bytes() for figure in figures}
        for data_file in (file for section in sections for file in section.data_files):
            (draft / data_file.name).write_text(data_file.text, encoding="utf-8")
        (draft / "index.html").write_text(page.render(sections, images, stages), encoding="utf-8")
