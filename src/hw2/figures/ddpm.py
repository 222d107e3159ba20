"""The report's section on conditional diffusion: its figures and what stands under them."""

from hw2.digits.labels import DOMAINS, NUM_DIGITS
from hw2.figures import curves, ddpm_tables, formatting, grids, losses
from hw2.figures.ddpm_records import Records
from hw2.figures.sections import Figure, Section
from hw2.figures.style import domain_name, sampler_name


def section(data: Records) -> Section:
    """Write the texts and tables of the section."""
    return Section(
        anchor="ddpm",
        title="Conditional diffusion of digits",
        lead=_lead(data),
        stats=ddpm_tables.stats(data),
        tables=ddpm_tables.tables(data),
    )


def sample_grids(data: Records, dpi: int) -> list[Figure]:
    """The first samples of every domain."""
    return [_grid(data, domain, dpi) for domain in data.samples.grids]


def reverse_processes(data: Records, dpi: int) -> list[Figure]:
    """One reverse process of every domain, from noise to image."""
    return [_reverse(data, domain, dpi) for domain in data.samples.strips]


def training_loss(data: Records, dpi: int) -> list[Figure]:
    """The loss of the training."""
    return [losses.draw(data.history, "ddpm_loss.png")]


def _lead(data: Records) -> str:
    names = " and ".join(domain_name(domain) for domain in data.samples.grids)
    counts = [f"{count:,} of {domain_name(name)}" for name, count in data.train_images.items()]
    counts += [f"none of {domain_name(name)}" for name in DOMAINS if name not in data.train_images]
    facts = "".join(f" {key.capitalize()}: {text}." for key, text in data.facts.items())
    return (
        f"One diffusion model draws {names} digits on request, steered by classifier-free guidance "
        f"at {formatting.guidance_scale(data.choice.guidance_scale)}. A judge that has only seen "
        f"real images reads what it draws. Images trained on: {', '.join(counts)}.{facts}"
    )


def _grid(data: Records, domain: str, dpi: int) -> Figure:
    tiles, name = data.samples.grids[domain], domain_name(domain)
    return Figure(
        name=f"ddpm_grid_{domain}.png",
        plot=grids.sample_grid(tiles, name, dpi),
        title=f"Generated {name} digits",
        caption=(
            "A row per digit asked for, a column per noise, at "
            f"{formatting.guidance_scale(data.choice.guidance_scale)}"
            f"; the first noises, none left out. The judge reads the digit asked for in "
            f"{formatting.accuracy(data.generated[domain])} of generated {name} images; on real "
            f"{name} images its own accuracy is {formatting.accuracy(data.judge[domain])}."
        ),
        alt=(
            f"Grid of generated {name} digits, {NUM_DIGITS} rows for the digits 0 to "
            f"{NUM_DIGITS - 1} and {tiles.shape[1]} columns for different noises."
        ),
        wide=False,
    )


def _reverse(data: Records, domain: str, dpi: int) -> Figure:
    strip, name = data.samples.strips[domain], domain_name(domain)
    first, last = strip.times[0], strip.times[-1]
    return Figure(
        name=f"ddpm_reverse_{domain}.png",
        plot=grids.reverse_strip(strip, dpi),
        title=f"From noise to a {name} digit",
        caption=(
            f"The reverse process of the first “0”, from pure noise at t = {first} to the "
            f"finished image at t = {last}."
        ),
        alt=(
            f"{len(strip.times)} images in a row: noise at t = {first} turns step by step into a "
            f"{name} zero at t = {last}."
        ),
        wide=False,
    )


def guidance(data: Records, dpi: int) -> list[Figure]:
    """Accuracy and diversity against the guidance scale."""
    rows, choice = data.guidance_rows, data.choice
    spread = "; ".join(
        f"{row.diversity.value:.3f} for {domain_name(row.domain)} (real images "
        f"{row.real_diversity:.3f})"
        for row in rows
        if row.guidance_scale == choice.guidance_scale
        and row.domain in curves.lines_of([r.domain for r in rows])
    )
    return [
        Figure(
            name="ddpm_guidance.png",
            plot=curves.guidance(rows, choice),
            title="What guidance does",
            caption=(
                "Accuracy and diversity against the guidance scale s (1 is no guidance), "
                "drawn with "
                f"{sampler_name(rows[0].sampler)} in {rows[0].steps} steps. Shaded: "
                f"{formatting.LEVEL} intervals. Dashed: real images. {_chosen(data)}"
                + (f" Diversity there: {spread}." if spread else "")
            ),
            alt=(
                "Two panels over the guidance scale: the judge's accuracy on generated "
                "digits above, "
                "the diversity of digits below, with real images' diversity as dashed lines."
            ),
        )
    ]


def _chosen(data: Records) -> str:
    choice = data.choice
    scale = formatting.guidance_scale(choice.guidance_scale)
    if choice.chosen is None:
        return f"The scale in use, {scale}, was given, not chosen here."
    return (
        f"Dotted: the scale in use, {scale}, chosen on the {choice.split} split with"
        f" {formatting.accuracy(choice.chosen)} there."
    )


def samplers(data: Records, dpi: int) -> list[Figure]:
    """Accuracy against network calls, by sampler."""
    rows = data.sampler_rows
    best = max(rows, key=lambda row: (row.accuracy.value, -row.network_calls))
    scales = sorted({row.guidance_scale for row in rows})
    return [
        Figure(
            name="ddpm_samplers.png",
            plot=curves.samplers(rows),
            title="Samplers against their cost",
            caption=(
                f"Accuracy over {domain_name(rows[0].domain)} against network calls per image, at "
                f"{', '.join(formatting.guidance_scale(s) for s in scales)}; bars are "
                f"{formatting.LEVEL} intervals. "
                f"Highest: {sampler_name(best.sampler)} in {best.steps} steps "
                f"({best.network_calls} calls) with {formatting.accuracy(best.accuracy)}. "
                "Points at equal calls are set "
                "slightly apart."
            ),
            alt="One line per sampler: accuracy on generated digits over network calls per image.",
        )
    ]
