"""Unsupervised domain adaptation: from labeled source images to unlabeled target images."""
