"""Names and numbers of domains, digits and splits."""

DOMAINS = ("mnistm", "svhn")
"""The domains that the DDPM generates; a domain's position is its number in a label."""

ALL_DOMAINS = ("mnistm", "svhn", "usps", "mnist")
"""Every digit domain that data may hold. USPS and MNIST are never generated, only classified."""

SPLITS = ("train", "val", "test")
"""What data may be used for: fitting, choosing, reporting. Nothing is in two of them."""

NUM_DIGITS = 10
NUM_LABELS = len(DOMAINS) * NUM_DIGITS
"""Conditions of the DDPM; the number itself is the null label of classifier-free guidance."""


def label_of(domain: str, digit: int) -> int:
    """The condition `domain number * 10 + digit`, in 0 ... NUM_LABELS - 1.

    Raises:
        ValueError: for a domain that is not generated, or a digit outside 0 ... 9.
    """
    if domain not in DOMAINS:
        raise ValueError(f"domain {domain!r} has no label; those with one: {', '.join(DOMAINS)}")
    if not 0 <= digit < NUM_DIGITS:
        raise ValueError(f"digit {digit} is not in 0 ... {NUM_DIGITS - 1}")
    return DOMAINS.index(domain) * NUM_DIGITS + digit
