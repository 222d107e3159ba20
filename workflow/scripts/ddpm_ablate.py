"""Train and judge a model without condition dropout."""

from hw2.pipeline import runner
from hw2.stages import ddpm_ablate

if __name__ == "__main__":
    runner.run(ddpm_ablate.run)
