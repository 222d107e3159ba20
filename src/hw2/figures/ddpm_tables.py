"""Numbers in large type and tables of the section on conditional diffusion."""

from hw2.figures import formatting
from hw2.figures.ddpm_records import Records
from hw2.figures.records import Interval, Quality, Scores
from hw2.figures.sections import Stat, Table
from hw2.figures.style import domain_name

NOT_RUN = "not run in this profile"
REPORTED = "test"
MEASURE_NAMES = {
    "frechet": "Fréchet distance",
    "kernel_distance": "kernel distance",
    "recall": "recall",
    "precision": "precision",
}
TONE_NAMES = {
    "background_dark": "Dark background",
    "background_medium": "Medium",
    "background_light": "Light",
    "vivid": "Vivid pixels",
}


def stats(data: Records) -> tuple[Stat, ...]:
    """Return the numbers in large type: generated with and without guidance, and real images."""
    return (
        _stat("Accuracy of generated digits", data.generated["all"]),
        _stat(f"Without guidance ({formatting.guidance_scale(1)})", data.unguided["all"]),
        *(
            _stat(f"Accuracy of the judge on real {domain_name(domain)}", data.judge[domain])
            for domain in data.samples.grids
        ),
    )


def _stat(label: str, share: Interval) -> Stat:
    return Stat(
        label,
        formatting.percent(share.value),
        f"95{formatting.NBSP}% interval {formatting.bounds(share)}",
    )


def tables(data: Records) -> tuple[Table, ...]:
    """Return the tables of the section; a guidance scale that is set has no table of candidates."""
    shown = [_summary(data), _quality(data), _tones(data), _digits(data)]
    if data.choice.chosen:
        shown.append(_candidates(data))
    return tuple(shown)


def _summary(data: Records) -> Table:
    domains = list(data.samples.grids)
    columns = ["all", *domains] if len(domains) > 1 else domains
    scale = formatting.guidance(data.choice.guidance_scale, data.choice.interval)

    def row(label: str, scores: Scores | None) -> tuple[str, ...]:
        if scores is None:
            return (label, NOT_RUN)
        # With a single domain, the accuracy over all domains is that of the domain.
        overall = scores.get("all") if len(domains) == 1 else None
        cells = [scores.get(column, overall) for column in columns]
        return (label, *(formatting.accuracy(cell) if cell else formatting.DASH for cell in cells))

    return Table(
        title="Accuracy by domain",
        head=("Images", *(domain_name(column) for column in columns)),
        rows=(
            row(f"Generated, {scale}", data.generated),
            row(f"Generated, no guidance ({formatting.guidance_scale(1)})", data.unguided),
            row("Generated, trained without condition dropout", data.ablation),
            row("Real, test split (accuracy of the judge)", data.judge),
        ),
        note=(
            "Share of images that the judge classifies as the conditioned or true digit. In "
            f"parentheses: {formatting.LEVEL} interval and number of images n."
        ),
    )


def _quality(data: Records) -> Table:
    rows = [
        (domain_name(domain), MEASURE_NAMES[measure], f"{quality.generated:.3f}",
         f"{quality.real:.3f}", _ratio(measure, quality))
        for domain, measures in data.quality.items()
        for measure, quality in measures.items()
    ]  # fmt: skip
    return Table(
        title="Sample quality of the generated images",
        head=("Domain", "Measure", "Generated", "Real", "Generated / real"),
        rows=tuple(rows),
        note=(
            "The Fréchet distance (Heusel et al., 2017) compares mean and covariance in the "
            "judge's feature space; 0 is best, and it depends on the number of images. The kernel "
            "distance (Bińkowski et al., 2018) does not, and is around 0 for real images. Recall "
            "is the share of real images that lie on the manifold of the generated images in that "
            "space; precision is the share of generated images that lie on the manifold of the "
            "real ones (Kynkäänniemi et al., 2019). The column Real shows the same measures for "
            "other real images in place of the generated ones."
        ),
    )


def _tones(data: Records) -> Table:
    return Table(
        title="Tones of the generated images",
        head=("Domain", "Images", *TONE_NAMES.values()),
        rows=tuple(
            (
                domain_name(domain),
                label,
                *(formatting.accuracy(shares[kind][name]) for name in TONE_NAMES),
            )
            for domain, shares in data.tones.items()
            for label, kind in (("generated", "generated"), ("real, test split", "real"))
        ),
        note=(
            "Shares of images by the third of the range that the gray value of their border is in, "
            "and of pixels whose channels differ by 60 % of the range or more. Strong guidance "
            "draws dark backgrounds and vivid pixels that an accuracy does not show. In "
            f"parentheses: {formatting.LEVEL} interval and number of images n."
        ),
    )


def _ratio(measure: str, quality: Quality) -> str:
    if measure == "kernel_distance" or not quality.real:  # that of real images is 0 up to chance
        return formatting.DASH
    return formatting.percent(quality.generated / quality.real)


def _digits(data: Records) -> Table:
    return Table(
        title="Accuracy by digit",
        head=("Digit", "Generated, all domains"),
        rows=tuple(
            (str(digit), formatting.accuracy(share)) for digit, share in enumerate(data.digits)
        ),
        note=f"In parentheses: {formatting.LEVEL} interval and number of images n.",
    )


def _candidates(data: Records) -> Table:
    choice = data.choice
    return Table(
        title="Selection of the guidance",
        head=(
            "Guidance",
            f"Accuracy, {choice.split} split",
            "Fréchet distance / real",
            "Recall / real",
        ),
        rows=tuple(
            (
                formatting.guidance(candidate.guidance_scale, candidate.interval)
                + (" (selected)" if candidate == choice.chosen else ""),
                formatting.accuracy(candidate.accuracy),
                f"{candidate.frechet:.2f}",
                formatting.percent(candidate.recall),
            )
            for candidate in choice.candidates
        ),
        note=(
            "Among the candidates whose accuracy interval overlaps that of the most accurate, the "
            "one with the least Fréchet distance is selected. Fréchet distance and recall are "
            "divided by those of real images."
            + ("" if choice.split == REPORTED else " No reported image was used for the selection.")
        ),
    )
