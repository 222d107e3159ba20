"""Score the embedded model, the concepts and the ways to have two of them."""

from hw2.pipeline import runner
from hw2.stages import personalization_evaluate

if __name__ == "__main__":
    runner.run(personalization_evaluate.run)
