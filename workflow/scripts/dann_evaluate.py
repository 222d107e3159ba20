"""Measure every domain adaptation method on the target's test split."""

from hw2.pipeline import runner
from hw2.stages import dann_evaluate

if __name__ == "__main__":
    runner.run(dann_evaluate.run)
