"""Compute t-SNE of the features before and after adaptation."""

from hw2.pipeline import runner
from hw2.stages import dann_tsne

if __name__ == "__main__":
    runner.run(dann_tsne.run)
