"""Train the small CLIP on synthetic captioned images."""

from hw2.pipeline import runner
from hw2.stages import clip_train

if __name__ == "__main__":
    runner.run(clip_train.run)
