"""Sample faces with DDIM in every setting that is compared."""

from hw2.pipeline import runner
from hw2.stages import faces_sample

if __name__ == "__main__":
    runner.run(faces_sample.run)
