"""Unsupervised domain adaptation: from labelled source images to unlabelled target images."""
