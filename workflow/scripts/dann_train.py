"""Train every domain adaptation method."""

from hw2.pipeline import runner
from hw2.stages import dann_train

if __name__ == "__main__":
    runner.run(dann_train.run)
