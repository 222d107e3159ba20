"""Reads and checks the records of the section on conditional diffusion."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw2.digits.labels import NUM_DIGITS
from hw2.figures import architecture, records
from hw2.figures.architecture import Layer
from hw2.figures.ddpm_samples import Samples, read_samples
from hw2.figures.records import Choice, History, Interval, Quality, Scores, Setting
from hw2.io.files import read_json
from hw2.runtime.errors import UserError

FACTS = ("model", "data", "sampler", "judge")  # optional texts of the metrics, shown unchanged

MEASURES = ("frechet", "kernel_distance", "recall", "precision")
TONES = ("background_dark", "background_medium", "background_light", "vivid")


@dataclass(frozen=True)
class Records:
    """Everything the section shows. The keys of `samples.grids` are the domains."""

    samples: Samples
    network: tuple[Layer, ...]
    guidance_rows: list[Setting]  # of one sampler, one per domain and scale
    sampler_rows: list[Setting]  # of all domains together
    choice: Choice
    history: History
    generated: Scores
    unguided: Scores
    digits: list[Interval]  # accuracy per digit
    train_images: dict[str, int]  # by domain
    quality: dict[str, dict[str, Quality]]  # by domain and measure
    tones: dict[str, dict[str, dict[str, Interval]]]  # by domain, `generated` or `real`, and share
    judge: Scores  # on real images
    ablation: Scores | None  # None if it was not run
    facts: dict[str, str]


def read(
    *,
    ddpm_samples: Path,
    ddpm_network: Path,
    ddpm_sweep: Path,
    ddpm_guidance: Path,
    ddpm_history: Path,
    ddpm_details: Path,
    judge_details: Path,
    ddpm_ablation_details: Path,
) -> Records:
    """Read every record of the section.

    Raises:
        UserError: a record is missing, incomplete or not finite, or two do not fit together.
    """
    images = read_samples(ddpm_samples)
    domains = tuple(images.grids)
    settings = records.sweep(ddpm_sweep)
    score = records.mapping(ddpm_details)
    unguided = _inner(score, "unguided", ddpm_details)
    return Records(
        samples=images,
        network=architecture.layers(read_json(ddpm_network), str(ddpm_network)),
        guidance_rows=_guidance_rows(settings, ddpm_sweep),
        sampler_rows=_sampler_rows(settings, ddpm_sweep),
        choice=records.choice(ddpm_guidance),
        history=records.history(ddpm_history),
        generated=records.scores(score, str(ddpm_details), ("all", *domains)),
        unguided=records.scores(unguided, f"{ddpm_details}, unguided", ["all"]),
        digits=_digits(_inner(score, "digits", ddpm_details), ddpm_details),
        train_images={
            domain: int(records.number(score[domain], "train_images", f"{ddpm_details}, {domain}"))
            for domain in domains
        },
        quality={
            domain: _quality(score[domain], MEASURES, f"{ddpm_details}, {domain}")
            for domain in domains
        },
        tones={
            domain: _tones(_inner(score[domain], "tones", ddpm_details), ddpm_details)
            for domain in domains
        },
        judge=records.scores(records.mapping(judge_details), str(judge_details), domains),
        ablation=_ablation(records.mapping(ddpm_ablation_details), str(ddpm_ablation_details)),
        facts={key: score[key] for key in FACTS if isinstance(score.get(key), str)},
    )


def _inner(record: dict[str, Any], key: str, path: Path) -> dict[str, Any]:
    if not isinstance(record.get(key), dict):
        raise UserError(f"{path}: '{key}' is missing; {records.REMAKE}")
    inner: dict[str, Any] = record[key]
    return inner


def _digits(record: dict[str, Any], path: Path) -> list[Interval]:
    return [
        records.accuracy(_inner(record, str(digit), path), f"{path}, digit {digit}")
        for digit in range(NUM_DIGITS)
    ]


def _tones(record: dict[str, Any], path: Path) -> dict[str, dict[str, Interval]]:
    return {
        kind: {
            name: records.share(
                _inner(_inner(record, kind, path), name, path), "share", f"{path}, {name}"
            )
            for name in TONES
        }
        for kind in ("generated", "real")
    }


def _quality(record: dict[str, Any], measures: tuple[str, ...], where: str) -> dict[str, Quality]:
    return {
        measure: Quality(
            records.number(record, measure, where), records.number(record, f"{measure}_real", where)
        )
        for measure in measures
    }


def _ablation(record: dict[str, Any], where: str) -> Scores | None:
    if not isinstance(record.get("ran"), bool):
        raise UserError(f"{where}: 'ran' must be true or false; {records.REMAKE}")
    return records.scores(record, where, ["all"]) if record["ran"] else None


def _guidance_rows(settings: Iterable[Setting], path: Path) -> list[Setting]:
    rows = _of_kind(settings, "guidance", path)
    if len({(row.sampler, row.steps) for row in rows}) != 1:
        raise UserError(f"{path}: rows of kind 'guidance' mix samplers; {records.REMAKE}")
    if len({(row.domain, row.guidance_scale) for row in rows}) != len(rows):
        raise UserError(f"{path}: a guidance scale occurs twice; {records.REMAKE}")
    return rows


def _sampler_rows(settings: Iterable[Setting], path: Path) -> list[Setting]:
    rows = _of_kind(settings, "sampler", path)
    domains = {row.domain for row in rows}
    if "all" not in domains and len(domains) > 1:
        raise UserError(f"{path}: no row of kind 'sampler' is of domain 'all'; {records.REMAKE}")
    return [row for row in rows if row.domain == "all" or "all" not in domains]


def _of_kind(settings: Iterable[Setting], kind: str, path: Path) -> list[Setting]:
    rows = [setting for setting in settings if setting.kind == kind]
    if not rows:
        raise UserError(f"{path}: no row of kind '{kind}'; {records.REMAKE}")
    return rows
