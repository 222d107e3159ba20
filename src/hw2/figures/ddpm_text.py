"""What the report says of conditional diffusion: implementation, difficulties, observations."""

from hw2.figures import formatting
from hw2.figures.ddpm_records import Records
from hw2.figures.records import Candidate
from hw2.figures.sections import Text
from hw2.figures.style import domain_name, sampler_name


def introduction(data: Records) -> tuple[Text, ...]:
    """What was implemented, and what was hard."""
    return Text("What was implemented", _implemented(data)), Text("What was hard", _hard(data))


def conclusion(data: Records) -> tuple[Text, ...]:
    """What was observed."""
    return (Text("What was observed", _observed(data)),)


def _implemented(data: Records) -> tuple[str, ...]:
    domains = formatting.listed([domain_name(domain) for domain in data.samples.grids])
    samplers = formatting.listed(
        list(dict.fromkeys(sampler_name(row.sampler) for row in data.sampler_rows))
    )
    return (
        "A denoising diffusion model (Ho et al., 2020) learns to remove Gaussian noise of every "
        f"level from images of {domains}. One network serves all of them: the label is the pair of "
        "domain and digit, its embedding scales and shifts the features of every residual block "
        "together with the noise level, and a learned map of each label is concatenated to the "
        "image. In training, some labels are replaced by a null label, so that the same network "
        "also models images without a condition.",
        "Sampling combines both predictions by classifier-free guidance (Ho & Salimans, 2022): "
        "unconditional + s (conditional - unconditional), within an interval of noise levels "
        f"(Kynkäänniemi et al., 2024){_color(data.choice.color)}. "
        "A column of a grid has one noise, all other images have noises of their own. "
        f"The samplers {samplers} are written out in "
        "`hw2.diffusion.samplers`; each step is a function of few lines.",
    )


def _color(share: float) -> str:
    if share == 1:
        return ""
    moved = "of the gray value alone" if share == 0 else f"with {share:g} of it in colors"
    return f", {moved}: extrapolated colors are more vivid than those of real images"


def _hard(data: Records) -> tuple[str, ...]:
    texts = [
        "A condition alone is not enough. Without guidance the judge reads "
        f"{formatting.accuracy(data.unguided['all'])} of the images as asked, with it "
        f"{formatting.accuracy(data.generated['all'])}."
    ]
    chosen = data.choice.chosen
    if chosen is not None:
        best = max(data.choice.candidates, key=lambda candidate: candidate.accuracy.value)
        texts.append(
            "Accuracy alone does not choose the scale, because an image can be read and still be "
            "unlike the real ones. Of the candidates whose accuracy interval overlaps that of the "
            "most accurate, the one with the least Fréchet distance was selected: "
            f"{_candidate(chosen)}."
            + ("" if best == chosen else f" The most accurate candidate is {_candidate(best)}.")
        )
    return (*texts, *_strongest(data))


def _strongest(data: Records) -> tuple[str, ...]:
    """What the largest guidance scale gave, beside no guidance."""
    rows = [row for row in data.guidance_rows if row.domain == "all"] or data.guidance_rows
    least, most = (pick(rows, key=lambda row: row.guidance_scale) for pick in (min, max))
    if most.guidance_scale <= max(least.guidance_scale, data.choice.guidance_scale):
        return ()
    return (
        f"At the largest scale that was compared, s = {most.guidance_scale:g}, the judge reads "
        f"{formatting.accuracy(most.accuracy)} as asked. Recall, the share of real images that "
        f"generated ones cover, is {formatting.accuracy(most.recall)} there, and "
        f"{formatting.accuracy(least.recall)} at s = {least.guidance_scale:g}.",
    )


def _candidate(candidate: Candidate) -> str:
    return (
        f"{formatting.guidance(candidate.guidance_scale, candidate.interval)}, with "
        f"{candidate.frechet:.2f} times the distance and {formatting.percent(candidate.recall)} of "
        "the recall of real images"
    )


def _observed(data: Records) -> tuple[str, ...]:
    shares = data.generated
    domains = sorted(data.samples.grids, key=lambda domain: _share(data, domain))
    worst = min(range(len(data.digits)), key=lambda digit: data.digits[digit].value)
    texts = [
        f"The digit that the judge reads least often as asked is {worst}, with "
        f"{formatting.accuracy(data.digits[worst])}. The judge itself is right for "
        + formatting.listed(
            [
                f"{formatting.accuracy(data.judge[domain])} of real {domain_name(domain)} images"
                for domain in data.samples.grids
            ]
        )
        + "."
    ]
    if len(domains) > 1:
        low, high = domains[0], domains[-1]
        verdict = (
            f"{domain_name(low)} is the harder domain"
            if shares[low].high < shares[high].low
            else "The accuracies of the domains do not differ by more than chance"
        )
        texts.append(
            f"{verdict}: {formatting.accuracy(shares[low])} for {domain_name(low)}, "
            f"{formatting.accuracy(shares[high])} for {domain_name(high)}. {_quality(data)}"
        )
    return tuple(texts)


def _share(data: Records, domain: str) -> float:
    return data.generated[domain].value


def _quality(data: Records) -> str:
    ratios = [
        f"{measures['frechet'].generated / measures['frechet'].real:.1f} times that of other real "
        f"images for {domain_name(domain)}"
        for domain, measures in data.quality.items()
        if measures["frechet"].real
    ]
    return f"The Fréchet distance to real images is {formatting.listed(ratios)}." if ratios else ""
