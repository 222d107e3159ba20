"""Which of a model's times a sampler visits."""

from itertools import accumulate

from hw2.config.choices import TimestepSpacing


def spaced_timesteps(
    total: int, steps: int, spacing: TimestepSpacing = "trailing", exponent: float = 1.0
) -> list[int]:
    """`steps` + 1 falling times out of `total`; the last one is where sampling ends.

    With 1000 times and 50 steps:
        trailing: 999, 979, ..., 19, -1. Starts at the noisiest time for any count (Lin et al.,
            2024). With an exponent p, time k of n is total (1 - (k / n)^p) - 1: above 1, more of
            them are noisy. The first of a few even steps leaps over the noise levels that decide
            how light an image is, and images come out too alike in their brightness.
        leading: 980, 960, ..., 0, -1. The default of DDIM's code and of diffusers, whose gaps are
            whole numbers: they agree where `steps` divides `total`. Never sees the noisiest times.
        course: 981, 961, ..., 1, 0. The spacing that reproduces the course's face images: `leading`
            shifted by one, ending at abar[0] instead of 1.

    Raises:
        ValueError: if `total` is too small for `steps`, or the exponent is below 1.
    """
    later = int(spacing == "course")
    if exponent < 1:
        raise ValueError(f"an exponent of {exponent} below 1")
    if not 1 <= steps <= total or (later and 2 * steps > total):
        raise ValueError(f"cannot make {steps} steps of {total} timesteps")
    if spacing == "trailing":
        wanted = [round(total * (1 - (k / steps) ** exponent)) - 1 for k in range(steps)]
        # Neighbors may round to one time. None is below its even time, so each finds a free one.
        falling = accumulate(wanted, lambda last, time: min(last - 1, time))
        return [*falling, -1]
    rising = [k * total // steps + later for k in range(steps)]
    return [*reversed(rising), later - 1]
