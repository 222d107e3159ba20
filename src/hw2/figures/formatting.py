"""Formatting of numbers and intervals, the same in all texts of the report."""

from collections.abc import Sequence

from hw2.figures.records import Interval

NBSP = "\N{NO-BREAK SPACE}"
DASH = "\N{EN DASH}"
LEVEL = f"95{NBSP}%"  # of every interval in the records


def percent(share: float) -> str:
    """Return a share in [0, 1] in percent, to a tenth."""
    return f"{100 * share:.1f}{NBSP}%"


def bounds(interval: Interval) -> str:
    """Return the ends of an accuracy's interval in percent, and n."""
    return (
        f"{100 * interval.low:.1f}{DASH}{percent(interval.high)},{NBSP}n{NBSP}={NBSP}{interval.n}"
    )


def accuracy(interval: Interval) -> str:
    """Return an accuracy in percent with its 95 % interval and n."""
    return f"{percent(interval.value)} ({bounds(interval)})"


def csv_cells(interval: Interval | None) -> tuple[float | None, float | None, float | None]:
    """Return value, lower end and upper end, unrounded; None leaves their cells empty."""
    return (interval.value, interval.low, interval.high) if interval else (None, None, None)


def guidance_scale(scale: float) -> str:
    """Return a guidance scale as an equation."""
    return f"s{NBSP}={NBSP}{scale:g}"


def guidance(scale: float, interval: tuple[float, float]) -> str:
    """Return a guidance scale as an equation, with its noise levels unless it has all of them."""
    low, high = interval
    levels = "" if (low, high) == (0, 1) else f" at t / T from {low:g} to {high:g}"
    return guidance_scale(scale) + levels


def sizes(counts: Sequence[int]) -> str:
    """Return "n = 500", or "n = 500 to 1000" where the counts differ."""
    least, most = min(counts), max(counts)
    return f"n = {least}" if least == most else f"n = {least} to {most}"


def signed(value: float) -> str:
    """Return a number to a tenth with its sign."""
    return f"{value:+.1f}".replace("-", "\N{MINUS SIGN}")


def difference(interval: Interval, factor: float = 1) -> str:
    """Return a difference, times `factor`, with its signs and its interval in parentheses."""
    value, low, high = (
        signed(factor * end) for end in (interval.value, interval.low, interval.high)
    )
    return f"{value} ({low} to {high})"


def change(difference: Interval, unit: str = "points", factor: float = 100) -> str:
    """Say in words how a difference with its interval reads: a rise, a fall, or neither.

    Args:
        difference: The difference with its interval.
        unit: Its unit after multiplication by `factor`.
        factor: 100 for a difference of shares.
    """
    value, low, high = (
        signed(factor * end) for end in (difference.value, difference.low, difference.high)
    )
    shown = f"{value}{NBSP}{unit}, {LEVEL} interval {low} to {high}"
    if difference.low > 0:
        return f"a rise ({shown})"
    if difference.high < 0:
        return f"a fall ({shown})"
    return f"no distinguishable change ({shown})"


def listed(items: Sequence[str]) -> str:
    """Join items with commas and "and"."""
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))
