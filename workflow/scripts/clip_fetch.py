"""Get the images of the zero-shot exam, and see that the weights are there."""

from hw2.pipeline import runner
from hw2.stages import clip_fetch

if __name__ == "__main__":
    runner.run(clip_fetch.run)
