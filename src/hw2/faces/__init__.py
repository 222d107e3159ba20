"""Face models of every origin: synthetic training faces, noise files, model files, sampling."""
