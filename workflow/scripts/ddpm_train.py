"""Train the conditional DDPM on the train split."""

from hw2.pipeline import runner
from hw2.stages import ddpm_train

if __name__ == "__main__":
    runner.run(ddpm_train.run)
