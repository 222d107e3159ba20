"""How far apart two domains are for a network and how sure it is, without the target's labels."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from hw2 import rng


def proxy_a_distance(source: np.ndarray, target: np.ndarray, seed: int) -> float:
    """2 (1 - 2 e), where e is a linear classifier's error at telling the domains apart
    (Ben-David et al., 2007): 2 for domains that never meet, 0 for ones that look alike.

    The classifier is fitted to half of the features and e measured on the other half. The sign
    stays: a distance below 0 is chance, and cutting it off would bias means.

    Args:
        source, target: features (N, F) and (M, F); the longer one is cut.
    """
    count = min(len(source), len(target)) // 2 * 2
    stream = rng.numpy_rng(seed, "a-distance")
    x = np.concatenate([stream.permutation(f)[:count] for f in (source, target)])
    y = np.repeat([0, 1], count)
    fitted = np.tile(np.arange(count) < count // 2, 2)
    centre, spread = x[fitted].mean(0), x[fitted].std(0) + 1e-6
    x = (x - centre) / spread
    guess = LogisticRegression(C=0.1, max_iter=200).fit(x[fitted], y[fitted]).predict(x[~fitted])
    return float(2 * (1 - 2 * np.mean(guess != y[~fitted])))


def mean_entropy(logits: np.ndarray) -> float:
    """Mean entropy in nats of the predictions of logits (N, K): low for sure ones."""
    logs = _log_softmax(logits)
    return float(-(np.exp(logs) * logs).sum(1).mean())


def soft_neighbourhood_density(logits: np.ndarray, temperature: float = 0.05) -> float:
    """Mean entropy in nats of each image's similarity to all others (Saito et al., 2021, eq. 2):
    high where predictions form dense groups. Logits (N, K), N >= 2.
    """
    p = np.exp(_log_softmax(logits))
    p /= np.linalg.norm(p, axis=1, keepdims=True)
    near = p @ p.T / temperature
    np.fill_diagonal(near, -np.inf)
    logs = _log_softmax(near)
    np.fill_diagonal(logs, 0.0)  # exp(-inf) * -inf is no number; the others' share is none
    share = np.exp(logs)
    np.fill_diagonal(share, 0.0)
    return float(-(share * logs).sum(1).mean())


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
