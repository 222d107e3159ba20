"""Train the classifiers that judge images of shapes, or take given ones."""

from hw2.pipeline import runner
from hw2.stages import shape_judges_train

if __name__ == "__main__":
    runner.run(shape_judges_train.run)
