"""The closed-form merge is the optimum of equation 4 of Kumari et al."""

import pytest
import torch

from hw2.personalization import custom_diffusion


def problem(seed: int = 0) -> tuple[torch.Tensor, ...]:
    stream = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=stream, dtype=torch.float64)

    return normal(12, 8), normal(60, 8), normal(4, 8), normal(12, 4)


def objective(w: torch.Tensor, w0: torch.Tensor, regularization: torch.Tensor) -> float:
    return float(
        torch.trace((w - w0) @ custom_diffusion.regularized_gram(regularization) @ (w - w0).T)
    )


def test_concepts_have_the_required_outputs() -> None:
    w0, regularization, targets, values = problem()
    w = custom_diffusion.merged_matrix(w0, regularization, targets, values)
    assert (w @ targets.T - values).abs().max() < 1e-4


def test_no_other_solution_is_closer_to_the_base() -> None:
    w0, regularization, targets, values = problem()
    w = custom_diffusion.merged_matrix(w0, regularization, targets, values)
    # Gradient descent on the objective inside the constraint: projected on the free directions.
    _, _, v = torch.linalg.svd(targets)
    free = v[len(targets) :].T  # (8, 4), targets @ free = 0
    particular = values @ torch.linalg.pinv(targets).T
    z = torch.zeros(12, free.shape[1], dtype=torch.float64, requires_grad=True)
    gram = custom_diffusion.regularized_gram(regularization)
    optimizer = torch.optim.LBFGS([z], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        step = particular + z @ free.T - w0
        loss = torch.trace(step @ gram @ step.T)
        loss.backward()
        return loss

    optimizer.step(closure)
    optimum = (particular + z @ free.T).detach()
    assert (optimum @ targets.T - values).abs().max() < 1e-8
    best = objective(optimum, w0, regularization)
    assert objective(w, w0, regularization) <= best * (1 + 1e-6)
    assert w == pytest.approx(optimum, abs=1e-3)


def test_the_matrix_is_unchanged_if_it_has_the_required_outputs() -> None:
    w0, regularization, targets, _ = problem(1)
    assert torch.allclose(
        custom_diffusion.merged_matrix(w0, regularization, targets, w0 @ targets.T), w0
    )


def test_nearly_equal_features_are_merged_stably() -> None:
    w0, regularization, targets, _ = problem(2)
    doubled = torch.cat([targets, targets + 1e-9])
    values = torch.cat([w0 @ targets.T + 1] * 2, 1)
    w = custom_diffusion.merged_matrix(w0, regularization, doubled, values)
    assert (w @ targets.T - values[:, :4]).abs().max() < 1e-4
