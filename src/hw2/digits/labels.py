"""The splits, the digits, and the numbering of the DDPM's conditions."""

LABELED_DOMAINS = ("mnistm", "svhn")
"""The domains that the DDPM generates; a domain's position is its number in a label.

This is apart from the table of all domains (`domains.DOMAINS`), so that a new domain which is only
classified changes nothing that a trained DDPM depends on. params.yaml accepts the same names.
"""

SPLITS = ("train", "val", "test")
"""The data splits: for training, for choices, and for what is reported. They are disjoint."""

NUM_DIGITS = 10
NUM_LABELS = len(LABELED_DOMAINS) * NUM_DIGITS
"""Conditions of the DDPM; the number itself is the null label of classifier-free guidance."""


def label_of(domain: str, digit: int) -> int:
    """The condition `domain index * 10 + digit`, in 0 ... NUM_LABELS - 1.

    Raises:
        ValueError: for a domain that is not generated, or a digit outside 0 ... 9.
    """
    if domain not in LABELED_DOMAINS:
        names = ", ".join(LABELED_DOMAINS)
        raise ValueError(f"domain {domain!r} has no label; those with one: {names}")
    if not 0 <= digit < NUM_DIGITS:
        raise ValueError(f"digit {digit} is not in 0 ... {NUM_DIGITS - 1}")
    return LABELED_DOMAINS.index(domain) * NUM_DIGITS + digit
