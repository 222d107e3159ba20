"""Sample the digits of the report."""

from hw2.pipeline import runner
from hw2.stages import ddpm_sample

if __name__ == "__main__":
    runner.run(ddpm_sample.run)
