"""Face models of every origin as one thing: drawn faces, noise files, model files, sampling."""
