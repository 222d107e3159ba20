"""Collect the zero-shot test images and check that all weights are available."""

from hw2.pipeline import runner
from hw2.stages import clip_fetch

if __name__ == "__main__":
    runner.run(clip_fetch.run)
