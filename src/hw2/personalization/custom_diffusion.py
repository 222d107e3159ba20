"""Custom Diffusion: keys and values of cross-attention, their deltas, and the closed-form merge.

Kumari et al. (2023), arXiv 2212.04488.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from hw2.io.atomic import atomic_path
from hw2.personalization.train import token_ids

RIDGE = 1e-3
"""Times the mean diagonal of Creg^T Creg, added to it: few captions do not span all features."""
_RCOND = 1e-4  # of the largest singular value of d C^T; a token and its successor are similar


def key_value_matrices(unet: Any) -> dict[str, nn.Parameter]:
    """`to_k` and `to_v` of every cross-attention, by name."""
    ends = ("attn2.to_k.weight", "attn2.to_v.weight")
    return {name: p for name, p in unet.named_parameters() if name.endswith(ends)}


def snapshot(weights: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
    """Copy the matrices."""
    return {name: weight.detach().clone() for name, weight in weights.items()}


@torch.no_grad()
def set_matrices(weights: Mapping[str, nn.Parameter], values: Mapping[str, Tensor]) -> None:
    """Set the matrices to `values`."""
    for name, weight in weights.items():
        weight.copy_(values[name])


def weight_deltas(base: Mapping[str, Tensor], tuned: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The change by training, `tuned - base`, on the CPU."""
    return {name: (tuned[name] - base[name]).cpu().contiguous() for name in tuned}


def save(path: Path, deltas: Mapping[str, Tensor]) -> None:
    """Write the result of `weight_deltas`, to be added to the matrices of the same model."""
    with atomic_path(path) as temporary:
        save_file(dict(deltas), temporary)


def merged_matrix(base: Tensor, regularization: Tensor, targets: Tensor, values: Tensor) -> Tensor:
    """The matrix nearest to `base` on the regularization captions, with outputs V for the concepts.

    It minimizes ||(W - W0) Creg^T||^2 + r ||W - W0||^2 with W C^T = V (Kumari et al., equation 4; r
    = `RIDGE` times the mean diagonal of Creg^T Creg). The solution by Lagrange multipliers is W =
    W0 + v^T d with d = C (Creg^T Creg + r I)^-1 and v^T = (V - W0 C^T) (d C^T)^-1 (equation 5). The
    last inverse is a pseudo-inverse that drops directions below 1e-4 of the largest.

    Args:
        base: W0 (out, width).
        regularization: Creg (N, width), text features of the regularization captions.
        targets: C (s, width), text features of the concepts' tokens.
        values: V (out, s), the outputs of each concept's own matrix for them.

    Returns:
        W (out, width), computed in float64.
    """
    w0, creg, c, v = (x.double() for x in (base, regularization, targets, values))
    gram = regularized_gram(creg)
    d = torch.linalg.solve(gram, c.T).T
    left = torch.linalg.pinv(d @ c.T, rtol=_RCOND, hermitian=True)
    return w0 + (v - w0 @ c.T) @ left @ d


def regularized_gram(regularization: Tensor) -> Tensor:
    """Creg^T Creg + r I."""
    gram = regularization.T @ regularization
    return gram + RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)


@torch.no_grad()
def features(pipe: Any, texts: Sequence[str]) -> Tensor:
    """Text features (N, width) on the CPU, without the first position and the padding."""
    ids, states = _encoded(pipe, texts)
    return torch.cat(
        [row[1 : _length(row_ids, pipe)] for row, row_ids in zip(states, ids, strict=True)]
    )


@torch.no_grad()
def concept_features(pipe: Any, texts: Sequence[str], tokens: Sequence[int]) -> Tensor:
    """Text features of the tokens with the ids `tokens` and of the positions after: (N, width)."""
    ids, states = _encoded(pipe, texts)
    features = []
    for row, row_ids in zip(states, ids.tolist(), strict=True):
        positions = [k for k, token in enumerate(row_ids) if token in tokens]
        with_next = sorted({*positions, *(k + 1 for k in positions)})
        features += [row[k] for k in with_next if k < len(row)]
    return torch.stack(features)


def _encoded(pipe: Any, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Token ids (N, context) and text features (N, context, width), both on the CPU."""
    ids = token_ids(pipe, texts)
    return ids, pipe.text_encoder(ids.to(pipe.unet.device))[0].float().cpu()


def _length(ids: Tensor, pipe: Any) -> int:
    """Number of positions up to and including the end marker."""
    end = (ids == pipe.tokenizer.eos_token_id).nonzero()
    return int(end[0]) + 1 if len(end) else len(ids)


def merge(
    base: Mapping[str, Tensor],
    tuned: Sequence[Mapping[str, Tensor]],
    concepts: Sequence[Tensor],
    regularization: Tensor,
) -> dict[str, Tensor]:
    """Merge all matrices.

    Args:
        base: Matrices before training, by name.
        tuned: Matrices by name, `tuned[k]` trained on concept k.
        concepts: Text features (N, width) of each concept.
        regularization: Text features (N, width) of the regularization captions.
    """
    targets = torch.cat(list(concepts))
    result = {}
    for name, w0 in base.items():
        values = [
            matrices[name].cpu().double() @ c.double().T
            for matrices, c in zip(tuned, concepts, strict=True)
        ]
        matrix = merged_matrix(w0.cpu(), regularization, targets, torch.cat(values, 1))
        result[name] = matrix.to(w0)
    return result
