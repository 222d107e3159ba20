"""Train the face model, or convert a given one."""

from hw2.pipeline import runner
from hw2.stages import faces_train

if __name__ == "__main__":
    runner.run(faces_train.run)
