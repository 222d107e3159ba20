"""Headline numbers and tables of the section on conditional diffusion."""

from hw2.figures import formatting
from hw2.figures.ddpm_records import Records
from hw2.figures.records import Interval, Scores
from hw2.figures.sections import Stat, Table
from hw2.figures.style import domain_name

NOT_RUN = "not run in this profile"
REPORTED = "test"


def stats(data: Records) -> tuple[Stat, ...]:
    """Return the headline numbers: generated with and without guidance, and real images."""
    return (
        _stat("Digits read as asked for", data.generated["all"]),
        _stat("Without guidance", data.unguided["all"]),
        *(
            _stat(f"Judge on real {domain_name(domain)}", data.judge[domain])
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
    """Return the summary, the accuracy per digit and, where one was made, the choice of w."""
    made = [_summary(data), _variety(data), _digits(data)]
    if data.choice.chosen:
        made.append(_candidates(data))
    return tuple(made)


def _summary(data: Records) -> Table:
    domains = list(data.samples.grids)
    columns = ["all", *domains] if len(domains) > 1 else domains
    scale = formatting.guidance_scale(data.choice.guidance_scale)

    def row(label: str, scores: Scores | None) -> tuple[str, ...]:
        if scores is None:
            return (label, NOT_RUN)
        # With a sole domain, an accuracy over all domains is that domain's.
        overall = scores.get("all") if len(domains) == 1 else None
        cells = [scores.get(column, overall) for column in columns]
        return (label, *(formatting.accuracy(cell) if cell else formatting.DASH for cell in cells))

    return Table(
        title="Accuracy",
        head=("Images", *(domain_name(column) for column in columns)),
        rows=(
            row(f"Generated, {scale}", data.generated),
            row("Generated, no guidance", data.unguided),
            row("Generated, trained without condition dropout", data.ablation),
            row("Real (the judge's own accuracy)", data.judge),
        ),
        note=f"In brackets: {formatting.LEVEL} interval and number of images.",
    )


def _variety(data: Records) -> Table:
    rows = [
        (domain_name(domain), measure, f"{both.generated:.3f}", f"{both.real:.3f}", ratio)
        for domain, measures in data.variety.items()
        for measure, both in measures.items()
        for ratio in [
            formatting.percent(both.generated / both.real) if both.real else formatting.DASH
        ]
    ]
    return Table(
        title="Variety of the generated images",
        head=("Domain", "Measure", "Generated", "Real", "Generated, of real"),
        rows=tuple(rows),
        note=(
            "Diversity: mean pixel distance of two images of one digit. Recall: share of real "
            "images that lie among the generated ones in the judge's features, precision the "
            "reverse (Kynkäänniemi et al., 2019). Real: other real images in their place."
        ),
    )


def _digits(data: Records) -> Table:
    return Table(
        title="Accuracy per digit",
        head=("Digit", "Generated, all domains"),
        rows=tuple(
            (str(digit), formatting.accuracy(share)) for digit, share in enumerate(data.digits)
        ),
        note="",
    )


def _candidates(data: Records) -> Table:
    choice = data.choice
    return Table(
        title="How the guidance scale was chosen",
        head=(
            "Guidance scale",
            f"Accuracy on the {choice.split} split",
            "Diversity, of real",
            "Recall, of real",
        ),
        rows=tuple(
            (
                formatting.guidance_scale(tried.guidance_scale)
                + (" (in use)" if tried.guidance_scale == choice.guidance_scale else ""),
                formatting.accuracy(tried.accuracy),
                formatting.percent(tried.diversity),
                formatting.percent(tried.recall),
            )
            for tried in choice.candidates
        ),
        note="" if choice.split == REPORTED else "No image of the report had a say in it.",
    )
