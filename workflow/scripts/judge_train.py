"""Train the classifier that judges generated digits."""

from hw2.pipeline import runner
from hw2.stages import judge_train

if __name__ == "__main__":
    runner.run(judge_train.run)
