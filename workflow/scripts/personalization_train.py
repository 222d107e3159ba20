"""Learn every concept's token by textual inversion."""

from hw2.pipeline import runner
from hw2.stages import personalization_train

if __name__ == "__main__":
    runner.run(personalization_train.run)
