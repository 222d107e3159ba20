"""Types, ranges and descriptions of the sections of params.yaml; a module for each capability."""
