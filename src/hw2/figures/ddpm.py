"""The report's section on conditional diffusion: figures, captions and lead."""

from collections.abc import Sequence

from hw2.digits.labels import LABELED_DOMAINS, NUM_DIGITS
from hw2.figures import (
    architecture,
    ddpm_images,
    ddpm_plots,
    ddpm_tables,
    ddpm_text,
    formatting,
    losses,
)
from hw2.figures.ddpm_records import Records
from hw2.figures.records import Setting
from hw2.figures.sections import Figure, Section
from hw2.figures.style import domain_name, sampler_name


def section(data: Records) -> Section:
    """Write the texts and tables of the section."""
    return Section(
        anchor="ddpm",
        title="Conditional diffusion of digits",
        lead=_lead(data),
        stats=ddpm_tables.stats(data),
        introduction=ddpm_text.introduction(data),
        tables=ddpm_tables.tables(data),
        conclusion=ddpm_text.conclusion(data),
    )


def sample_grids(data: Records, dpi: int) -> list[Figure]:
    """The first samples of every domain."""
    return [_grid(data, domain, dpi) for domain in data.samples.grids]


def networks(data: Records, dpi: int) -> list[Figure]:
    """The architecture of the denoising network."""
    count = sum(layer.parameters for layer in data.network)
    return [
        Figure(
            name="ddpm_architecture.png",
            record="ddpm_network",
            plot=architecture.u_net(data.network),
            title="Denoising network",
            caption=(
                "The layers in the order in which they run, with the shape of their output, "
                "channels first. Rows are resolutions and arrows above the boxes are skip "
                "connections. The embeddings of noise level and label act in every residual "
                "block. The network was recorded while it sampled; its layers have "
                f"{count:,} weights."
            ),
            alt=f"A U-Net of {len(data.network)} layers, drawn by resolution, with its skips.",
        )
    ]


def reverse_processes(data: Records, dpi: int) -> list[Figure]:
    """One reverse process of every domain, from noise to image."""
    return [_reverse(data, domain, dpi) for domain in data.samples.strips]


def training_loss(data: Records, dpi: int) -> list[Figure]:
    """The loss of the training."""
    return [losses.draw(data.history, "ddpm_loss.png", "ddpm_history")]


def _lead(data: Records) -> str:
    names = " and ".join(domain_name(domain) for domain in data.samples.grids)
    counts = [f"{count:,} of {domain_name(name)}" for name, count in data.train_images.items()]
    counts += [
        f"none of {domain_name(name)}" for name in LABELED_DOMAINS if name not in data.train_images
    ]
    facts = "".join(f" {key.capitalize()}: {text}." for key, text in data.facts.items())
    return (
        f"A class-conditional diffusion model generates {names} digits with classifier-free "
        f"guidance at {_used(data)}. Accuracy is the "
        "share of generated images that the judge, a digit classifier trained on real images only, "
        f"classifies as the conditioned digit. Training images: {', '.join(counts)}.{facts}"
    )


def _grid(data: Records, domain: str, dpi: int) -> Figure:
    tiles, name = data.samples.grids[domain], domain_name(domain)
    return Figure(
        name=f"ddpm_grid_{domain}.png",
        record="ddpm_samples",
        plot=ddpm_images.sample_grid(tiles, name, dpi),
        title=f"Generated {name} digits",
        caption=(
            "Each row is a conditioned digit, each column an initial noise, at "
            f"{_used(data)}. The first "
            f"{tiles.shape[1]} samples of each digit are shown without selection. Accuracy of all "
            f"generated {name} images: {formatting.accuracy(data.generated[domain])}; accuracy of "
            f"the judge on real {name} images: {formatting.accuracy(data.judge[domain])}."
        ),
        alt=(
            f"Grid of generated {name} digits, {NUM_DIGITS} rows for the digits 0 to "
            f"{NUM_DIGITS - 1} and {tiles.shape[1]} columns for different initial noises."
        ),
        wide=False,
    )


def _reverse(data: Records, domain: str, dpi: int) -> Figure:
    strip, name = data.samples.strips[domain], domain_name(domain)
    first, last = strip.times[0], strip.times[-1]
    return Figure(
        name=f"ddpm_reverse_{domain}.png",
        record="ddpm_samples",
        plot=ddpm_images.reverse_strip(strip, dpi),
        title=f"Reverse process, {name}",
        caption=(
            f"Intermediate images of the first sample of digit 0, from Gaussian noise at "
            f"t = {first} to the final image at t = {last}."
        ),
        alt=(
            f"{len(strip.times)} images of one reverse process, from noise at t = {first} to "
            f"{name} digit 0 at t = {last}."
        ),
        wide=False,
    )


def guidance(data: Records, dpi: int) -> list[Figure]:
    """Accuracy, kernel distance and recall against the guidance scale."""
    rows = data.guidance_rows
    return [
        Figure(
            name="ddpm_guidance.png",
            record="ddpm_sweep",
            plot=ddpm_plots.guidance(rows, data.choice),
            title="Accuracy and sample quality by guidance scale",
            caption=(
                "Accuracy, kernel distance (Bińkowski et al., 2018) and recall (Kynkäänniemi et "
                "al., 2019) of generated images by guidance scale s, where s = 1 is no guidance; "
                f"{sampler_name(rows[0].sampler)} with {rows[0].steps} steps. Distance and recall "
                "are in the judge's features. All scales apply at the same noise levels. Shaded "
                f"bands are {formatting.LEVEL} intervals. Dashed lines are the recall of as many "
                f"real images. {_selected(data)}"
            ),
            alt=(
                "Three panels by guidance scale: accuracy of generated digits, their kernel "
                "distance to real images, and their recall, with that of real images as dashed "
                "lines."
            ),
        )
    ]


def _used(data: Records) -> str:
    return formatting.guidance(data.choice.guidance_scale, data.choice.interval)


def _selected(data: Records) -> str:
    choice, scale = data.choice, _used(data)
    if choice.chosen is None:
        return f"The dotted line is the scale used, {scale}, which is set in params.yaml."
    return (
        f"The dotted line is the scale used, {scale}, selected on the {choice.split} split, where "
        f"its accuracy is {formatting.accuracy(choice.chosen.accuracy)}."
    )


def samplers(data: Records, dpi: int) -> list[Figure]:
    """Accuracy and kernel distance against network calls, by sampler."""
    rows = data.sampler_rows
    scales = sorted({row.guidance_scale for row in rows})
    return [
        Figure(
            name="ddpm_samplers.png",
            record="ddpm_sweep",
            plot=ddpm_plots.samplers(rows),
            title="Samplers by network calls",
            caption=(
                f"Accuracy and kernel distance over {domain_name(rows[0].domain)} by network calls "
                f"per image, at {', '.join(formatting.guidance_scale(s) for s in scales)}. Bars "
                f"are {formatting.LEVEL} intervals. {_nearest(rows)} Points with equal calls are "
                "slightly offset."
            ),
            alt=(
                "Accuracy of generated digits and their kernel distance to real images by network "
                "calls per image, one line per sampler."
            ),
        )
    ]


def _nearest(rows: Sequence[Setting]) -> str:
    """The setting of the least distance, and with how few calls one is as good up to chance."""
    best = min(rows, key=lambda row: (row.kernel_distance.value, row.network_calls))
    tied = [row for row in rows if row.kernel_distance.low <= best.kernel_distance.high]
    fewest = min(tied, key=lambda row: (row.network_calls, row.kernel_distance.value))
    text = f"The least distance is that of {_named(best)}."
    if fewest != best:
        text += (
            f" {len(tied) - 1} of the other {len(rows) - 1} settings cannot be told from it, among "
            f"them {_named(fewest)}, which needs the fewest calls."
        )
    return text


def _named(row: Setting) -> str:
    return f"{sampler_name(row.sampler)} with {row.steps} steps ({row.network_calls} calls)"
