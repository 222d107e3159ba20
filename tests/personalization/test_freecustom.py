"""FreeCustom's attention is the softmax over own and reference keys that the paper defines."""

import numpy as np
import torch
from diffusers.models.attention_processor import Attention

from hw2.personalization.freecustom import _ReferenceAttention

SAMPLES, REFERENCES, CELLS, HEADS, WIDTH, WEIGHT = 3, 2, 16, 2, 8, 3.0


def expected(attn: Attention, states: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """The samples' outputs, one query at a time, after equation 4 of Ding et al. (2024)."""
    head = WIDTH // HEADS
    q, k, v = (f(states) for f in (attn.to_q, attn.to_k, attn.to_v))
    reference_k, reference_v = k[SAMPLES:].flatten(0, 1), v[SAMPLES:].flatten(0, 1)
    rows = torch.zeros(SAMPLES, CELLS, WIDTH)
    for sample in range(SAMPLES):
        for cell in range(CELLS):
            for part in (slice(h * head, (h + 1) * head) for h in range(HEADS)):
                query = q[sample, cell, part]
                own = k[sample, :, part] @ query
                others = WEIGHT * (reference_k[:, part] @ query)
                others[~inside] = -torch.inf
                shares = (torch.cat([own, others]) / head**0.5).softmax(0)
                values = torch.cat([v[sample, :, part], reference_v[:, part]])
                rows[sample, cell, part] = shares @ values
    out: torch.Tensor = attn.to_out[0](rows)
    return out


@torch.no_grad()
def test_the_fused_attention_is_that_of_the_paper() -> None:
    torch.manual_seed(0)
    attn = Attention(query_dim=WIDTH, heads=HEADS, dim_head=WIDTH // HEADS).eval()
    states = torch.randn(SAMPLES + REFERENCES, CELLS, WIDTH)
    masks = [np.zeros((4, 4), bool), np.ones((4, 4), bool)]
    masks[0][:2] = True
    inside = torch.from_numpy(np.concatenate([mask.ravel() for mask in masks]))
    processor = _ReferenceAttention(SAMPLES, masks, 4, WEIGHT)
    output = processor(attn, states)
    torch.testing.assert_close(output[:SAMPLES], expected(attn, states, inside))
    plain = torch.nn.functional.scaled_dot_product_attention(
        *(
            f(states[SAMPLES:]).view(REFERENCES, CELLS, HEADS, -1).transpose(1, 2)
            for f in (attn.to_q, attn.to_k, attn.to_v)
        )
    )
    references = attn.to_out[0](plain.transpose(1, 2).reshape(REFERENCES, CELLS, WIDTH))
    torch.testing.assert_close(output[SAMPLES:], references)
