"""Measure accuracy and sample quality of the generated digits."""

from hw2.pipeline import runner
from hw2.stages import ddpm_evaluate

if __name__ == "__main__":
    runner.run(ddpm_evaluate.run)
