"""Compare guidance scales, samplers and numbers of steps."""

from hw2.pipeline import runner
from hw2.stages import ddpm_sweep

if __name__ == "__main__":
    runner.run(ddpm_sweep.run)
