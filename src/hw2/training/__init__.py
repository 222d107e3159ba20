"""Parts of a training loop: resume files, one writer per folder, clean stops."""
