"""Which of a model's times a sampler visits."""

from hw2.config.choices import TimestepSpacing


def spaced_timesteps(total: int, steps: int, spacing: TimestepSpacing = "trailing") -> list[int]:
    """`steps` + 1 falling times out of `total`, evenly spaced; the last one is where sampling ends.

    With 1000 times and 50 steps:
        trailing: 999, 979, ..., 19, -1. Starts at the noisiest time for any count (Lin et al.,
            2024).
        leading: 980, 960, ..., 0, -1. The default of DDIM's code and of diffusers, whose gaps are
            whole numbers: they agree where `steps` divides `total`. Never sees the noisiest times.
        course: 981, 961, ..., 1, 0. The spacing that reproduces the course's face images: `leading`
            shifted by one, ending at abar[0] instead of 1.

    Raises:
        ValueError: if `total` is too small for `steps`.
    """
    later = int(spacing == "course")
    if not 1 <= steps <= total or (later and 2 * steps > total):
        raise ValueError(f"cannot make {steps} steps of {total} timesteps")
    if spacing == "trailing":
        return [*(round(total - k * total / steps) - 1 for k in range(steps)), -1]
    rising = [k * total // steps + later for k in range(steps)]
    return [*reversed(rising), later - 1]
