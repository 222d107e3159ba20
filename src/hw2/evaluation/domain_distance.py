"""Distance of two domains and confidence on the target, without the target's labels."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from hw2 import rng


def proxy_a_distance(source: np.ndarray, target: np.ndarray, seed: int) -> float:
    """The proxy A-distance 2 (1 - 2 e), e the error of a linear classifier of the domains.

    It is 2 for domains that can be separated, and 0 for domains that look alike (Ben-David et al.,
    2007).

    The classifier is fitted to half of the features and e measured on the other half. Values
    below 0 are chance; they are kept, since clipping them would bias means.

    Args:
        source, target: features float (N, F) and (M, F); the longer array is cut.
        seed: of the choice and the order of the features.
    """
    count = min(len(source), len(target)) // 2 * 2
    stream = rng.numpy_rng(seed, "a-distance")
    x = np.concatenate([stream.permutation(f)[:count] for f in (source, target)])
    y = np.repeat([0, 1], count)
    fitted = np.tile(np.arange(count) < count // 2, 2)
    center, spread = x[fitted].mean(0), x[fitted].std(0) + 1e-6
    x = (x - center) / spread
    guess = LogisticRegression(C=0.1, max_iter=200).fit(x[fitted], y[fitted]).predict(x[~fitted])
    return float(2 * (1 - 2 * np.mean(guess != y[~fitted])))


def mean_entropy(logits: np.ndarray) -> float:
    """Mean entropy in nats of the predictions of logits (N, K): low if they are confident."""
    logs = _log_softmax(logits)
    return float(-(np.exp(logs) * logs).sum(1).mean())


def soft_neighbourhood_density(logits: np.ndarray, temperature: float = 0.05) -> float:
    """Mean entropy in nats of each image's similarity to all others (Saito et al., 2021, eq. 2).

    It is high where predictions form dense groups. Logits (N, K), N >= 2.
    """
    p = np.exp(_log_softmax(logits))
    p /= np.linalg.norm(p, axis=1, keepdims=True)
    near = p @ p.T / temperature
    np.fill_diagonal(near, -np.inf)
    logs = _log_softmax(near)
    np.fill_diagonal(logs, 0.0)  # exp(-inf) * -inf is nan; an image has no share in itself
    share = np.exp(logs)
    np.fill_diagonal(share, 0.0)
    return float(-(share * logs).sum(1).mean())


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
