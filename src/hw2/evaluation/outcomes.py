"""Which items were classified correctly, compactly enough for a record.

Two runs that classified the same items can be compared item by item, which tells smaller
differences apart than comparing two accuracies.
"""

import base64
import binascii
import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

_HASH_BYTES = 8


@dataclass(frozen=True)
class Outcomes:
    """The outcomes of one or several trainings on the same N items.

    Attributes:
        right: For each training the N outcomes in base64, a bit each, 1 for right; the last byte is
            filled with zeros.
        n: The number of items N.
        items: A hash of the items and of their order, in hexadecimal.
    """

    right: tuple[str, ...]
    n: int
    items: str

    def decoded(self) -> np.ndarray:
        """The outcomes as bool (trainings, N)."""
        packed = [np.frombuffer(base64.b64decode(text), np.uint8) for text in self.right]
        return np.stack([np.unpackbits(bits, count=self.n) for bits in packed]).astype(bool)


def encoded(right: np.ndarray, *items: np.ndarray | str | int) -> dict[str, Any]:
    """The key `outcomes` of a record; `from_record` reads its value.

    Args:
        right: bool (trainings, N) or, of one training, bool (N,).
        items: What was classified: arrays, such as images and labels, names or seeds.
    """
    rows = np.atleast_2d(right).astype(bool)
    texts = tuple(base64.b64encode(np.packbits(row).tobytes()).decode() for row in rows)
    return {"outcomes": asdict(Outcomes(texts, rows.shape[1], _hash(*items)))}


def from_record(record: Any) -> Outcomes:
    """The outcomes that `encoded` wrote.

    Raises:
        ValueError: if the record does not hold N outcomes of each training.
    """
    try:
        outcomes = Outcomes(tuple(record["right"]), record["n"], record["items"])
        lengths = {len(base64.b64decode(text, validate=True)) for text in outcomes.right}
        whole = lengths == {(outcomes.n + 7) // 8}
    except (TypeError, KeyError, binascii.Error) as error:
        raise ValueError("not a record of outcomes") from error
    if not whole or not isinstance(outcomes.items, str):
        raise ValueError(f"not a record of {outcomes.n} outcomes")
    return outcomes


def _hash(*items: np.ndarray | str | int) -> str:
    hashed = hashlib.blake2b(digest_size=_HASH_BYTES)
    for item in items:
        if isinstance(item, np.ndarray):
            hashed.update(f"{item.dtype} {item.shape}\n".encode())
            hashed.update(np.ascontiguousarray(item).data)
        else:
            hashed.update(f"{type(item).__name__} {item}\n".encode())
    return hashed.hexdigest()
