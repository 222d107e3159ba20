"""The closed-form merge is the optimum that it is said to be."""

import pytest
import torch

from hw2.personalization import custom_diffusion


def problem(seed: int = 0) -> tuple[torch.Tensor, ...]:
    stream = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=stream, dtype=torch.float64)

    return drawn(12, 8), drawn(60, 8), drawn(4, 8), drawn(12, 4)


def objective(w: torch.Tensor, w0: torch.Tensor, prior_preservation: torch.Tensor) -> float:
    return float(torch.trace((w - w0) @ custom_diffusion.ridged(prior_preservation) @ (w - w0).T))


def test_the_constraint_holds() -> None:
    w0, prior_preservation, targets, values = problem()
    w = custom_diffusion.merged(w0, prior_preservation, targets, values)
    assert (w @ targets.T - values).abs().max() < 1e-4


def test_no_other_solution_is_nearer() -> None:
    w0, prior_preservation, targets, values = problem()
    w = custom_diffusion.merged(w0, prior_preservation, targets, values)
    # Gradient descent on the objective inside the constraint: projected on the free directions.
    _, _, v = torch.linalg.svd(targets)
    free = v[len(targets) :].T  # (8, 4), targets @ free = 0
    particular = values @ torch.linalg.pinv(targets).T
    z = torch.zeros(12, free.shape[1], dtype=torch.float64, requires_grad=True)
    gram = custom_diffusion.ridged(prior_preservation)
    optimizer = torch.optim.LBFGS([z], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        step = particular + z @ free.T - w0
        loss = torch.trace(step @ gram @ step.T)
        loss.backward()
        return loss

    optimizer.step(closure)
    found = (particular + z @ free.T).detach()
    assert (found @ targets.T - values).abs().max() < 1e-8
    best = objective(found, w0, prior_preservation)
    assert objective(w, w0, prior_preservation) <= best * (1 + 1e-6)
    assert w == pytest.approx(found, abs=1e-3)


def test_nothing_changes_where_the_base_does_what_is_wanted() -> None:
    w0, prior_preservation, targets, _ = problem(1)
    assert torch.allclose(
        custom_diffusion.merged(w0, prior_preservation, targets, w0 @ targets.T), w0
    )


def test_words_that_look_alike_do_no_harm() -> None:
    w0, prior_preservation, targets, _ = problem(2)
    twice = torch.cat([targets, targets + 1e-9])
    values = torch.cat([w0 @ targets.T + 1] * 2, 1)
    w = custom_diffusion.merged(w0, prior_preservation, twice, values)
    assert (w @ targets.T - values[:, :4]).abs().max() < 1e-4
