"""Classify the zero-shot test images with every model and every prompt set."""

from hw2.pipeline import runner
from hw2.stages import clip_evaluate

if __name__ == "__main__":
    runner.run(clip_evaluate.run)
