"""Streams are known by name: equal in every process, apart for every other name."""

import subprocess
import sys

import numpy as np
import torch

from hw2 import rng


def test_derived_seeds_do_not_depend_on_the_process_or_its_hash_seed() -> None:
    code = "from hw2 import rng; print(rng.derive(7, 'ddpm', 'noise', 3))"
    seeds = {
        subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1")
    }
    assert seeds == {str(rng.derive(7, "ddpm", "noise", 3))}


def test_a_derived_seed_keeps_its_recorded_value() -> None:
    assert rng.derive(0, "a", 1) == 4332523998341121174  # else old results could not be remade


def test_different_names_give_different_seeds() -> None:
    seeds = [
        rng.derive(0),
        rng.derive(1),
        rng.derive(0, "a", "b"),
        rng.derive(0, "ab"),
        rng.derive(0, "b", "a"),
        rng.derive(0, "1"),
        rng.derive(0, 1),
        rng.derive(0, 'a","b'),
    ]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_generators_repeat_and_differ_by_name() -> None:
    def draw(name: str) -> tuple[float, float]:
        torch_value = torch.rand(1, generator=rng.torch_rng(3, name)).item()
        return rng.numpy_rng(3, name).random(), torch_value

    assert draw("x") == draw("x")
    assert draw("x")[0] != draw("y")[0]
    assert draw("x")[1] != draw("y")[1]


def test_numpy_integers_are_names_too() -> None:
    assert rng.derive(0, int(np.int64(5))) == rng.derive(0, np.int64(5))  # type: ignore[arg-type]
